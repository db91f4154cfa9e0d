/* SPDX-License-Identifier: MIT */
/*
 * What memcheck knows about each byte of the client: one shadow byte at a fixed distance.
 * 0 is 'defined' (and the state of memory that was never mapped: the MMU catches accesses to
 * that), 0xFF 'undefined', SH_NOACCESS 'not addressable', anything else the byte's own V bits
 * (1 = undefined).  A byte whose V bits happen to equal SH_NOACCESS is listed in a side table.
 *
 * Nothing here knows of errors or reports; threads may call everything at once.
 */
#ifndef MEMCHECK_SHADOW_H
#define MEMCHECK_SHADOW_H

#include <stdatomic.h>

#include "gimle/memory.h"

enum {
    SH_DEFINED = 0x00,
    SH_UNDEFINED = 0xff,
    SH_NOACCESS = 0xa5
};
/** SH_NOACCESS in each byte of a word. */
#define SH_NOACCESS_WORD 0xa5a5a5a5a5a5a5a5ULL

/** Set [a, a+len) to one of SH_*. Addresses outside the client's range are ignored. */
void shadow_set(GuestAddr a, size_t len, uint8_t value);
static inline void shadow_set_defined(GuestAddr a, size_t len) { shadow_set(a, len, SH_DEFINED); }
static inline void shadow_set_undefined(GuestAddr a, size_t len)
{
    shadow_set(a, len, SH_UNDEFINED);
}
static inline void shadow_set_noaccess(GuestAddr a, size_t len) { shadow_set(a, len, SH_NOACCESS); }

extern atomic_size_t shadow_n_patterns;
extern const uint8_t shadow_tail[32];
/** May the block at @p a, of the heap's, have its shadow stored by what follows? Else by shadow_set(). */
static inline bool shadow_block_is_easy(size_t size)
{
    return size - 1 < 512 && atomic_load_explicit(&shadow_n_patterns, memory_order_relaxed) == 0;
}
typedef uint8_t __attribute__((vector_size(16), aligned(16), may_alias)) ShadowVector;
/** A new block of the heap's: undefined, and nobody's up to the next multiple of 16. */
static inline void shadow_block_begins(GuestAddr a, size_t size)
{
    typedef uint8_t __attribute__((vector_size(16), aligned(1), may_alias)) Tail;
    uint8_t *p = gimle_shadow(a), *end = p + (size & ~(size_t)15);
    for (; p < end; p += 16) {
        *(ShadowVector *)p = ~(ShadowVector){ 0 };
        __asm__ volatile(""); /* no call of memset() */
    }
    if (size & 15)
        *(ShadowVector *)p = (ShadowVector) * (const Tail *)(shadow_tail + 16 - (size & 15));
}
/** It is freed. */
static inline void shadow_block_ends(GuestAddr a, size_t size)
{
    for (uint8_t *p = gimle_shadow(a), *end = p + size; p < end; p += 16) {
        *(ShadowVector *)p = (ShadowVector){ 0 } + SH_NOACCESS;
        __asm__ volatile("");
    }
}
/** Mark as defined those bytes of [a, a+len) that are addressable. */
void shadow_set_defined_if_addressable(GuestAddr a, size_t len);

/** Is the byte at @p a addressable as far as the shadow knows? */
bool shadow_is_addressable(GuestAddr a);
/** V bits of the byte at @p a; 0 for one that is not addressable. */
uint8_t shadow_vbits(GuestAddr a);
/** Set V bits of the byte at @p a unless it is not addressable. */
void shadow_set_vbits(GuestAddr a, uint8_t vbits);
/** Record that the V bits of the byte at @p a are SH_NOACCESS; the caller stores them. */
void shadow_note_pattern(GuestAddr a);

/** What shadow_check_*() found. */
typedef enum ShadowState { SHADOW_OK, SHADOW_BAD_ADDRESS, SHADOW_BAD_VALUE } ShadowState;
/** First byte of [a, a+len) that is not addressable in *bad. */
ShadowState shadow_check_addressable(GuestAddr a, size_t len, GuestAddr *bad);
/** First byte that is not addressable or not defined in *bad. */
ShadowState shadow_check_defined(GuestAddr a, size_t len, GuestAddr *bad);
/** Copy the shadow of @p len bytes; ranges may overlap. What is nobody's at the source counts as
 *  defined, at the destination it stays nobody's. */
void shadow_copy(GuestAddr from, GuestAddr to, size_t len);
/** Is every byte of the range defined and addressable? Quick. */
bool shadow_all_defined(GuestAddr a, size_t len);

/** In trim.c: @p len more bytes are mapped. What shadow need not be in memory is given back from time
 *  to time. */
void shadow_trim_after(size_t len);

#endif
