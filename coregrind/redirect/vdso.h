/* SPDX-License-Identifier: MIT */
/* The vDSO that the client gets: an ELF image of ours whose functions run on the host side. */
#ifndef COREGRIND_VDSO_H
#define COREGRIND_VDSO_H

#include "gimle/ir.h"

/** Map it; returns its address for AT_SYSINFO_EHDR, 0 if there is no room. After redirect_init(). */
GuestAddr vdso_map(void);

#endif
