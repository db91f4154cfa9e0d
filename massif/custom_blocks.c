/* SPDX-License-Identifier: MIT */
/*
 * VALGRIND_MALLOCLIKE_BLOCK and its like.  Such blocks have the administration of heap blocks and no
 * rounding; one that is resized is gone and a new one there.
 */
#include "custom_blocks.h"

#include "alloc_tree.h"
#include "base/arena.h"
#include "base/hashmap.h"
#include "gimle/client.h"
#include "snapshots.h"

typedef struct Block {
    Context *context; /**< NULL: not live */
    uint64_t size;
} Block;

static Arena arena;
static HashMap blocks; /**< address + 1 → Block */

static Block *block_at(GuestAddr a)
{
    Block *b = hashmap_get_ptr(&blocks, a + 1);
    if (!b) {
        b = arena_new(&arena, Block);
        hashmap_put(&blocks, a + 1, (uint64_t)(uintptr_t)b);
    }
    return b;
}

static void change(Context *c, int64_t bytes, int64_t admin)
{
    if (context_is_ignored(c))
        return;
    context_add(c, bytes);
    ms_totals_add_heap(bytes, admin);
    snapshot_after_change();
}

static void block_gone(GuestAddr a)
{
    Block *b = block_at(a);
    if (!b->context)
        return;
    if (!context_is_ignored(b->context))
        snapshot_before_shrink();
    change(b->context, -(int64_t)b->size, -ms_options.heap_admin);
    b->context = NULL;
}

static void block_new(Thread *t, GuestAddr a, uint64_t size)
{
    block_gone(a);
    *block_at(a) = (Block){ context_here(t, false), size };
    change(block_at(a)->context, (int64_t)size, ms_options.heap_admin);
}

bool custom_block_request(Thread *t, const uint64_t args[6], uint64_t *result)
{
    GuestAddr a = args[1];
    if (args[0] != VG_USERREQ__MALLOCLIKE_BLOCK && args[0] != VG_USERREQ__FREELIKE_BLOCK &&
        args[0] != VG_USERREQ__RESIZEINPLACE_BLOCK)
        return false;
    *result = 0;
    if (!ms_options.heap || ms_options.pages_as_heap)
        return true;
    if (args[0] == VG_USERREQ__MALLOCLIKE_BLOCK) {
        block_new(t, a, args[2]);
    } else if (args[0] == VG_USERREQ__FREELIKE_BLOCK) {
        block_gone(a);
    } else if (block_at(a)->context) {
        block_gone(a);
        block_new(t, a, args[3]);
    }
    return true;
}
