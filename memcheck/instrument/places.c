/* SPDX-License-Identifier: MIT */
/* Counting entries of slow mode by place and reason: a small hash table that threads share. */
#include "places.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "../memcheck.h"

enum { PLACE_BITS = 13, PLACES = 1 << PLACE_BITS, MAX_PROBES = 32, SHOWN = 20 };

typedef struct Place {
    _Atomic uint64_t pc, blocks, insns;
    _Atomic uint64_t why[N_REASONS];
} Place;

/** The last one takes those that found no room. */
static Place places[PLACES + 1];
static _Atomic uint64_t carried[2];

static const char *const reason_name[N_REASONS] = {
    [REASON_ENTRY] = "register undefined at entry", [REASON_USE] = "moved value used",
    [REASON_LOAD] = "load", [REASON_STORE] = "store", [REASON_MOVE] = "move",
    [REASON_INSN] = "instruction",
};

void places_reason(Instr *x, Reason why)
{
    if (mc_options.stats)
        ir_put(x->b, REG_TOOL(TW_REASON), c64(x->b, why));
}

static Place *place_of(GuestAddr pc)
{
    uint64_t h = pc * 0x9e3779b97f4a7c15ULL >> (64 - PLACE_BITS);
    for (unsigned k = 0; k < MAX_PROBES; k++) {
        Place *p = &places[(h + k) % PLACES];
        uint64_t old = 0;
        if (atomic_load_explicit(&p->pc, memory_order_relaxed) == pc ||
            atomic_compare_exchange_strong(&p->pc, &old, pc) || old == pc)
            return p;
    }
    return &places[PLACES];
}

static GIMLE_LIGHT uint64_t note_place(struct VexState *s, uint64_t pc, uint64_t n_guest)
{
    Place *p = place_of(pc);
    uint64_t why = *mc_tool_word(s, TW_REASON);
    atomic_fetch_add_explicit(&p->blocks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->insns, n_guest, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->why[why % N_REASONS], 1, memory_order_relaxed);
    return 0;
}

static GIMLE_LIGHT uint64_t note_carry(struct VexState *s, uint64_t n_guest)
{
    (void)s;
    atomic_fetch_add_explicit(&carried[0], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&carried[1], n_guest, memory_order_relaxed);
    return 0;
}

void places_entry(Instr *x)
{
    static const IrCallee callee = { "mc_note_place", (void *)note_place, CALLEE_LIGHT, TY_NONE,
                                     2 };
    if (mc_options.stats)
        ir_call(x->b, &callee, IR_NONE,
                (IrRef[]){ c64(x->b, x->src->addr), c64(x->b, x->src->n_guest) }, 2);
}

void places_carry(Instr *x)
{
    static const IrCallee callee = { "mc_note_carry", (void *)note_carry, CALLEE_LIGHT, TY_NONE,
                                     1 };
    if (mc_options.stats)
        ir_call(x->b, &callee, IR_NONE, (IrRef[]){ c64(x->b, x->src->n_guest) }, 1);
}

void places_carried(uint64_t count[2])
{
    for (unsigned k = 0; k < 2; k++)
        count[k] = atomic_load(&carried[k]);
}

/* ---- printing ----------------------------------------------------------------------- */

static int more_blocks(const void *a, const void *b)
{
    uint64_t x = ((const Place *)a)->blocks, y = ((const Place *)b)->blocks;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void print_place(const Place *p)
{
    Arena arena = { 0 };
    CodeFrame f;
    unsigned most = 0;
    for (unsigned k = 1; k < N_REASONS; k++)
        if (p->why[k] > p->why[most])
            most = k;
    bool known = gimle_describe_code(p->pc, &f, 1, &arena) > 0;
    gimle_msg(MSG_DEBUG, "memcheck: slow: %llu blocks, %llu instructions, by %s: %s\n",
              (unsigned long long)p->blocks, (unsigned long long)p->insns, reason_name[most],
              known ? f.text : "???");
    arena_free(&arena);
}

void places_print(void)
{
    for (unsigned k = 0; k < N_REASONS; k++) {
        uint64_t n = 0;
        for (unsigned i = 0; i <= PLACES; i++)
            n += places[i].why[k];
        if (n)
            gimle_msg(MSG_DEBUG, "memcheck: to slow mode by %s: %llu\n", reason_name[k],
                      (unsigned long long)n);
    }
    qsort(places, PLACES, sizeof places[0], more_blocks);
    for (unsigned i = 0; i < SHOWN && places[i].blocks; i++)
        print_place(&places[i]);
}
