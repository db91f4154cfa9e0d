/* SPDX-License-Identifier: MIT */
/*
 * Code memory: mapped twice, once to write and once to run; never writable and executable at one
 * address.  Main parts of translations are handed out from its beginning upwards, cold parts from
 * the end of what may be used downwards.
 */
#ifndef COREGRIND_CODE_ARENA_H
#define COREGRIND_CODE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CodeArena {
    uint8_t *rw;       /**< writable view */
    const uint8_t *rx; /**< executable view */
    size_t size;
    size_t limit;      /**< only so much of it is used */
    size_t used;       /**< end of what is in use at the beginning */
    size_t cold;       /**< begin of what is in use at the end */
    size_t settled;    /**< bytes that were in use at the last code_arena_settle() */
    size_t ready, cold_ready; /**< the kernel has been asked for pages up to here, down to here */
} CodeArena;

/** 0 or negative errno. */
int code_arena_init(CodeArena *a, size_t size);
/**
 * In a forked child: the views still are the parent's memory; put a copy in their place, at the same
 * addresses. The parent must not change code memory until this has returned. 0 or negative errno.
 */
int code_arena_unshare(CodeArena *a);
/** Nothing is in use any more; from now on @p limit bytes (whole pages) may be. */
void code_arena_clear(CodeArena *a, size_t limit);
/**
 * Have pages of both views for what comes next: a page fault for each page and view is a tenth of what
 * translating the code of that page takes.
 */
void code_arena_prepare(CodeArena *a);
/**
 * Code was added: from time to time the pages of the writable view are unmapped (writing maps one
 * again), since the kernel counts pages that both views show twice.
 */
void code_arena_settle(CodeArena *a);
static inline const uint8_t *code_arena_rx(const CodeArena *a, const uint8_t *rw)
{
    return a->rx + (rw - a->rw);
}
static inline uint8_t *code_arena_rw(const CodeArena *a, const uint8_t *rx)
{
    return a->rw + (rx - a->rx);
}
static inline bool code_arena_contains(const CodeArena *a, const void *rx)
{
    size_t at = (size_t)((const uint8_t *)rx - a->rx); /* huge if below */
    return at < a->used || (at >= a->cold && at < a->limit);
}

#endif
