/* SPDX-License-Identifier: MIT */
/* See code_pages.h. The set is a hash of page addresses; large ranges walk the smaller of both. */
#include "code_pages.h"

#include <sys/mman.h>

#include "base/check.h"
#include "base/hashmap.h"
#include "base/vec.h"
#include "layout.h"

enum { MANY_WRITES = 16 };

static HashMap protected_pages;
static HashMap write_count; /* page → write faults so far */

bool code_pages_protect(GuestAddr page)
{
    if (code_pages_is_unstable(page) || !hashmap_put(&protected_pages, page, 1))
        return false;
    int r = mprotect((void *)page, PAGE_SIZE_, PROT_READ);
    CHECK(r == 0, "page %llx", (unsigned long long)page);
    return true;
}

void code_pages_note_write(GuestAddr page)
{
    uint64_t n = 0;
    hashmap_get(&write_count, page, &n);
    hashmap_put(&write_count, page, n + 1);
    code_pages_unprotect(page, page + PAGE_SIZE_);
}

bool code_pages_is_unstable(GuestAddr page)
{
    uint64_t n = 0;
    return hashmap_get(&write_count, page, &n) && n >= MANY_WRITES;
}

bool code_pages_is_protected(GuestAddr page) { return hashmap_get(&protected_pages, page, NULL); }
bool code_pages_none(void) { return __atomic_load_n(&protected_pages.n, __ATOMIC_RELAXED) == 0; }

/** Take the pages of [start, end) out of the set; with @p unprotect make them writable. */
static bool code_pages_take(GuestAddr start, GuestAddr end, bool unprotect)
{
    VEC(GuestAddr) hit = { 0 };
    if (protected_pages.n == 0)
        return false;
    if ((end - start) / PAGE_SIZE_ <= protected_pages.cap) {
        for (GuestAddr p = start; p < end; p += PAGE_SIZE_)
            if (code_pages_is_protected(p))
                vec_push(&hit, p);
    } else {
        uint64_t p;
        for (size_t it = 0; hashmap_next(&protected_pages, &it, &p, NULL);)
            if (p >= start && p < end)
                vec_push(&hit, p);
    }
    for (size_t i = 0; i < hit.n; i++) {
        hashmap_remove(&protected_pages, hit.data[i]);
        if (unprotect)
            mprotect((void *)hit.data[i], PAGE_SIZE_, PROT_READ | PROT_WRITE);
    }
    bool any = hit.n > 0;
    vec_free(&hit);
    return any;
}

bool code_pages_unprotect(GuestAddr start, GuestAddr end) { return code_pages_take(start, end, true); }
void code_pages_forget(GuestAddr start, GuestAddr end) { code_pages_take(start, end, false); }
