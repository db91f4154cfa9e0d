/* SPDX-License-Identifier: MIT */
/* --xtree-leak: three groups of the same numbers, those of now and what they grew and shrank by. */
#include "leak_tree.h"

#include "base/vec.h"

enum {
    REACHABLE, POSSIBLE, INDIRECT, DEFINITE, DEFINITE_INDIRECT,
    REACHABLE_BLOCKS, POSSIBLE_BLOCKS, INDIRECT_BLOCKS, DEFINITE_BLOCKS, GROUP
};
_Static_assert(3 * GROUP == XTREE_EVENTS, "a tree must have room for all three groups");

static const XtreeEvent events[3 * GROUP] = {
    { "RB", "Reachable Bytes" }, { "PB", "Possibly lost Bytes" }, { "IB", "Indirectly lost Bytes" },
    { "DB", "Definitely lost Bytes (direct plus indirect)" },
    { "DIB", "Definitely Indirectly lost Bytes (subset of DB)" },
    { "RBk", "reachable Blocks" }, { "PBk", "Possibly lost Blocks" },
    { "IBk", "Indirectly lost Blocks" }, { "DBk", "Definitely lost Blocks" },

    { "iRB", "increase Reachable Bytes" }, { "iPB", "increase Possibly lost Bytes" },
    { "iIB", "increase Indirectly lost Bytes" }, { "iDB", "increase Definitely lost Bytes" },
    { "iDIB", "increase Definitely Indirectly lost Bytes" },
    { "iRBk", "increase reachable Blocks" }, { "iPBk", "increase Possibly lost Blocks" },
    { "iIBk", "increase Indirectly lost Blocks" }, { "iDBk", "increase Definitely lost Blocks" },

    { "dRB", "decrease Reachable Bytes" }, { "dPB", "decrease Possibly lost Bytes" },
    { "dIB", "decrease Indirectly lost Bytes" }, { "dDB", "decrease Definitely lost Bytes" },
    { "dDIB", "decrease Definitely Indirectly lost Bytes" },
    { "dRBk", "decrease reachable Blocks" }, { "dPBk", "decrease Possibly lost Blocks" },
    { "dIBk", "decrease Indirectly lost Blocks" }, { "dDBk", "decrease Definitely lost Blocks" },
};

void leak_tree_start(Xtree *x)
{
    *x = (Xtree){ .event = events, .n_events = 3 * GROUP };
}

static void set(uint64_t *value, unsigned event, uint64_t now, uint64_t before)
{
    value[event] = now;
    value[GROUP + event] = now > before ? now - before : 0;
    value[2 * GROUP + event] = before > now ? before - now : 0;
}

void leak_tree_add(Xtree *x, const McLoss *l)
{
    static const uint8_t bytes[LEAK_KINDS] = {
        [LEAK_REACHABLE] = REACHABLE, [LEAK_POSSIBLE] = POSSIBLE, [LEAK_INDIRECT] = INDIRECT,
        [LEAK_DEFINITE] = DEFINITE,
    };
    static const uint8_t blocks[LEAK_KINDS] = {
        [LEAK_REACHABLE] = REACHABLE_BLOCKS, [LEAK_POSSIBLE] = POSSIBLE_BLOCKS,
        [LEAK_INDIRECT] = INDIRECT_BLOCKS, [LEAK_DEFINITE] = DEFINITE_BLOCKS,
    };
    XtreeEntry e = { .where = l->where };
    set(e.value, bytes[l->kind], l->bytes + l->indirect_bytes, l->old_bytes + l->old_indirect_bytes);
    set(e.value, blocks[l->kind], l->blocks, l->old_blocks);
    if (l->kind == LEAK_DEFINITE)
        set(e.value, DEFINITE_INDIRECT, l->indirect_bytes, l->old_indirect_bytes);
    vec_push(&x->entries, e);
}

void leak_tree_write(Xtree *x, const char *pattern)
{
    gimle_xtree_write(x, "xtree leak report", "--xtree-leak-file", pattern);
    vec_free(&x->entries);
}
