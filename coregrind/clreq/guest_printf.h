/* SPDX-License-Identifier: MIT */
/* printf with a format and a va_list that are in client memory. */
#ifndef COREGRIND_GUEST_PRINTF_H
#define COREGRIND_GUEST_PRINTF_H

#include "base/strbuf.h"
#include "gimle/ir.h"

/**
 * Append to @p out what printf of the format string at @p format with the va_list object at
 * @p va_list (amd64 System V) gives.  Memory that cannot be read ends or replaces the text.
 */
void guest_printf(StrBuf *out, GuestAddr format, GuestAddr va_list);

#endif
