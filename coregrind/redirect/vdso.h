/* SPDX-License-Identifier: MIT */
/* The vDSO that the client gets: an ELF image of ours whose functions run on the host side. */
#ifndef COREGRIND_VDSO_H
#define COREGRIND_VDSO_H

#include <stdbool.h>

#include "gimle/ir.h"

/** Map it; returns its address for AT_SYSINFO_EHDR, 0 if there is no room. After redirect_init().
 *  @p shadow: the tool has a shadow, and zero there says that it need not be asked. */
GuestAddr vdso_map(bool shadow);

#endif
