/* SPDX-License-Identifier: MIT */
/* --pages-as-heap=yes: the client's mappings as if they were heap blocks. */
#ifndef MASSIF_PAGE_PROFILE_H
#define MASSIF_PAGE_PROFILE_H

#include "massif.h"

void pages_mapped(MemWhy why, GuestAddr a, size_t len);
/** The stack may have grown, which nobody tells. */
void pages_stack_grown(void);
void pages_unmapped(GuestAddr a, size_t len);

#endif
