/* SPDX-License-Identifier: MIT */
/* Writable client pages that hold translated code and are write-protected for that. Under LOCK_aspace. */
#ifndef COREGRIND_CODE_PAGES_H
#define COREGRIND_CODE_PAGES_H

#include <stdbool.h>

#include "gimle/memory.h"

/** False if it was protected before, or is not to be. */
bool code_pages_protect(GuestAddr page);
bool code_pages_is_protected(GuestAddr page);
/** A write hit protected @p page: it becomes writable, and unstable when that happens often. */
void code_pages_note_write(GuestAddr page);
/** The page is written too often to be protected. */
bool code_pages_is_unstable(GuestAddr page);
/** Give the pages of [start, end) their write permission back; true if there were any. */
bool code_pages_unprotect(GuestAddr start, GuestAddr end);
/** The pages have been remapped or reprotected: no longer ours to restore. */
void code_pages_forget(GuestAddr start, GuestAddr end);
/** No page is protected (may be asked without the lock). */
bool code_pages_none(void);

#endif
