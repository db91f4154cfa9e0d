/* SPDX-License-Identifier: MIT */
/* Decompression of debug sections. */
#ifndef DEBUGINFO_INFLATE_H
#define DEBUGINFO_INFLATE_H

#include "coregrind/debuginfo/elf_file.h"

/** Contents of an SHF_COMPRESSED section (zlib or zstd), malloc'ed; empty if that fails. */
Span inflate_section(Span raw);
/** Likewise for the older .zdebug_ sections. */
Span inflate_gnu(Span raw);

#endif
