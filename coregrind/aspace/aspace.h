/* SPDX-License-Identifier: MIT */
/*
 * The address space: where the client's mappings go, what they are, and that nothing of the core
 * is among them.  All mappings of client memory are made through this module, so that its table
 * is the truth about [0, GIMLE_CLIENT_END); the shadow ranges are reserved here too.
 *
 * Functions that act for a client system call return a negative errno on failure and take
 * LOCK_aspace themselves; the tool's events (mem_map …) are sent by the caller.
 */
#ifndef COREGRIND_ASPACE_H
#define COREGRIND_ASPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gimle/memory.h"

/** Reserve the shadow ranges (if @p shadow) and read the core's own mappings; 0 or negative errno. */
int aspace_init(bool shadow);

/** Part of aspace_init(): reserve the shadow ranges; 0 or negative errno. */
int aspace_reserve_shadow(void);

/** True if [a, a+len) lies in the client range (len 0 allowed); overflow-safe. */
bool aspace_is_client_range(GuestAddr a, size_t len);

/** mmap for the client: flags and fd as in mmap(2); @p path names the file or NULL. */
int64_t aspace_mmap(GuestAddr hint, size_t len, int prot, int flags, int fd, uint64_t offset);
int64_t aspace_munmap(GuestAddr a, size_t len);
int64_t aspace_mprotect(GuestAddr a, size_t len, int prot);
int64_t aspace_mremap(GuestAddr old, size_t old_len, size_t new_len, int flags, GuestAddr new_addr);
/** remap_file_pages(2): the shared mapping's pages in [a, a+len) become those from @p page of its file. */
int64_t aspace_remap_pages(GuestAddr a, size_t len, int prot, uint64_t page, int flags);
/** brk(2): returns the new (or unchanged) break. */
GuestAddr aspace_brk(GuestAddr want);
/** Set where the heap starts (after the executable's last segment). */
void aspace_set_brk_base(GuestAddr base, size_t limit);
GuestAddr aspace_brk_base(void);

/** The client's RLIMIT_AS, in bytes (RLIM_INFINITY at first); what is mapped already may exceed it. */
void aspace_set_limit(uint64_t bytes);
/** May the client have @p more bytes mapped under its limit? */
bool aspace_allows(uint64_t more);

/**
 * Pages for the guest heap or other client-visible memory of the core's, zeroed, rw; 0 if none or
 * if the client's limit does not allow it.
 */
GuestAddr aspace_map_arena(size_t len);
void aspace_unmap_arena(GuestAddr a, size_t len);

/** Mark [a, a+len) as a thread's stack (for descriptions). */
void aspace_mark_stack(GuestAddr a, size_t len);

/**
 * Code is translated from [a, a+len): if the client could write there, the pages lose their host
 * write permission until they are written (aspace_code_write_fault). True if that was new for one of
 * them: what was read before may have changed since.
 */
bool aspace_protect_code(GuestAddr a, size_t len);

typedef enum CodeWrite {
    CODE_WRITE_NOT_OURS, /**< a fault of the client's */
    CODE_WRITE_AGAIN,    /**< the page is writable by now: another thread's write to it came first */
    CODE_WRITE_PROTECTED /**< the page is protected: see aspace_code_unprotect */
} CodeWrite;
/** What a write fault (SEGV_ACCERR) at @p a is about. */
CodeWrite aspace_code_write_fault(GuestAddr a);
/**
 * Make the page at @p a writable again because it is written to; true if it was protected. Its
 * translations must be discarded: before any other thread goes on where that can be, since
 * from here on the others write to it without a fault.
 */
bool aspace_code_unprotect(GuestAddr a);
/**
 * Blocks from [a, a+len) must check their code themselves: it was written to so often that protecting
 * it costs more, or it is shared, so that it can change through another mapping.
 */
bool aspace_code_unstable(GuestAddr a, size_t len);
/**
 * The kernel is about to write [a, a+len) for the client: protected code pages in it become writable;
 * true if there were any, then the caller discards translations of the range.
 */
bool aspace_prepare_write(GuestAddr a, size_t len);
/** Bytes readable as code at @p a for the client (0: not executable or not mapped), at most @p want. */
unsigned aspace_code_readable(GuestAddr a, unsigned want);

/** A host thread is about to run guest code: GS base = shadow offset. */
void aspace_bind_thread(void);

/** A fault at shadow address @p a: commits its piece where shadow is committed on demand. */
bool aspace_shadow_fault(uint64_t a);

/**
 * The client touched @p a, where nothing is mapped: true if a MAP_GROWSDOWN mapping above it has grown
 * to have it.  It becomes no larger than @p limit (RLIMIT_STACK).
 */
bool aspace_grow_down(GuestAddr a, uint64_t limit);
struct StrBuf;
/** Add the client's view of /proc/self/maps (core mappings left out). */
void aspace_add_maps(struct StrBuf *out);
/** Does the kernel have the page with calls of old at 0xffffffffff600000? */
bool aspace_has_vsyscall(void);
/** Where the vDSO is, which maps names. */
void aspace_set_vdso(GuestAddr a);

/** Compare the table with /proc/self/maps (--sanity-level); logs and returns false on differences. */
bool aspace_check(void);

#endif
