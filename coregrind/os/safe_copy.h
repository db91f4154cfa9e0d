/* SPDX-License-Identifier: MIT */
/* Reading and writing client memory that may not be there: no fault, no signal, just false. */
#ifndef CORE_SAFE_COPY_H
#define CORE_SAFE_COPY_H

#include <stdbool.h>
#include <stddef.h>

#include "gimle/ir.h"

/** Copy @p n bytes at @p from to @p to; false if any of them cannot be read.  Async-signal-safe. */
bool safe_read(GuestAddr from, void *to, size_t n);
/** As safe_read, but copies what can be read from the start; returns how many bytes. */
size_t safe_read_some(GuestAddr from, void *to, size_t n);
/** Copy @p n bytes from @p from to @p to; false if any of them cannot be written. */
bool safe_write(GuestAddr to, const void *from, size_t n);

#endif
