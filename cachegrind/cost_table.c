/* SPDX-License-Identifier: MIT */
/* Instructions by address, stretches, and lines. */
#include "cost_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hashmap.h"
#include "base/vec.h"

enum { PAGE_BITS = 12, MAX_INLINED = 16 };

static Arena arena;
static HashMap insns;   /**< address + 1 → InsnCost */
static HashMap pages;   /**< page + 1 of each */
static HashMap strings; /**< hash of the text → text */
static VEC(Stretch *) stretches;
static VEC(LineCost) lines;

InsnCost *cost_insn(GuestAddr a)
{
    InsnCost *c = hashmap_get_ptr(&insns, a + 1);
    if (!c) {
        c = arena_new(&arena, InsnCost);
        c->addr = a;
        hashmap_put(&insns, a + 1, (uint64_t)(uintptr_t)c);
        hashmap_put(&pages, (a >> PAGE_BITS) + 1, 1);
    }
    return c;
}

Stretch *cost_stretch(void)
{
    Stretch *s = arena_new(&arena, Stretch);
    vec_push(&stretches, s);
    return s;
}

void *cost_alloc(size_t size) { return arena_alloc(&arena, size); }

void cost_stretch_fill(Stretch *s, const StretchInsn *insn, uint32_t n)
{
    s->insn = arena_array(&arena, StretchInsn, n);
    if (n)
        memcpy(s->insn, insn, n * sizeof insn[0]);
    s->n = n;
}

/** Runs of stretches become costs of their instructions. */
static void collect_runs(void)
{
    for (size_t i = 0; i < stretches.n; i++) {
        Stretch *s = stretches.data[i];
        for (uint32_t k = 0; s->runs && k < s->n; k++) {
            const StretchInsn *x = &s->insn[k];
            x->insn->cost[COST_IR] += s->runs * x->fetches;
            x->insn->cost[COST_DR] += s->runs * x->reads;
            x->insn->cost[COST_DW] += s->runs * x->writes;
            x->insn->cost[COST_BC] += s->runs * x->conditional;
            x->insn->cost[COST_BI] += s->runs * x->indirect;
        }
        s->runs = 0;
    }
}

/* ---- lines ------------------------------------------------------------------------------------ */

/** The same pointer for the same text. */
static const char *intern(const char *s)
{
    uint64_t h = 1469598103934665603ULL;
    for (const char *p = s; *p; p++)
        h = (h ^ (uint8_t)*p) * 1099511628211ULL;
    for (h |= 1;; h += 2) {
        const char *known = hashmap_get_ptr(&strings, h);
        if (known && strcmp(known, s) == 0)
            return known;
        if (!known) {
            known = arena_strdup(&arena, s);
            hashmap_put(&strings, h, (uint64_t)(uintptr_t)known);
            return known;
        }
    }
}

/** Line of the innermost code, function that it was compiled into. */
static void describe(GuestAddr a, LineCost *l, Arena *tmp)
{
    CodeFrame f[MAX_INLINED];
    unsigned n = gimle_describe_code(a, f, MAX_INLINED, tmp);
    const char *fn = f[n - 1].fn, *file = f[0].file;
    l->fn = intern(fn ? fn : "???");
    l->line = file ? f[0].line : 0;
    if (file && f[0].dir && *f[0].dir)
        file = arena_printf(tmp, "%s/%s", f[0].dir, file);
    l->file = intern(file ? file : "???");
}

static bool has_cost(const InsnCost *c)
{
    for (unsigned k = 0; k < COST_KINDS; k++)
        if (c->cost[k])
            return true;
    return false;
}

static bool may_have_insns(GuestAddr a, size_t len)
{
    GuestAddr first = a >> PAGE_BITS, last = (a + len - 1) >> PAGE_BITS;
    if (len == 0 || last - first > pages.n)
        return len != 0;
    for (GuestAddr p = first; p <= last; p++)
        if (hashmap_get_ptr(&pages, p + 1))
            return true;
    return false;
}

static int compare_insns(const void *a, const void *b)
{
    const InsnCost *x = *(InsnCost *const *)a, *y = *(InsnCost *const *)b;
    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

void cost_settle(GuestAddr a, size_t len)
{
    VEC(InsnCost *) found = { 0 };
    Arena tmp = { 0 };
    uint64_t key, value;
    if (!may_have_insns(a, len))
        return;
    collect_runs();
    for (size_t it = 0; hashmap_next(&insns, &it, &key, &value);) {
        InsnCost *c = (InsnCost *)(uintptr_t)value;
        if (c->addr - a < len && has_cost(c))
            vec_push(&found, c);
    }
    if (found.n)
        qsort(found.data, found.n, sizeof found.data[0], compare_insns);
    for (size_t i = 0; i < found.n; i++) {
        LineCost *l = vec_push_slot(&lines);
        describe(found.data[i]->addr, l, &tmp);
        memcpy(l->cost, found.data[i]->cost, sizeof l->cost);
        memset(found.data[i]->cost, 0, sizeof l->cost);
        arena_reset(&tmp);
    }
    arena_free(&tmp);
    vec_free(&found);
}

void cost_forget(void)
{
    uint64_t key, value;
    collect_runs();
    for (size_t it = 0; hashmap_next(&insns, &it, &key, &value);)
        memset(((InsnCost *)(uintptr_t)value)->cost, 0, sizeof(uint64_t) * COST_KINDS);
}

static int compare_lines(const void *a, const void *b)
{
    const LineCost *x = a, *y = b;
    int d = x->file == y->file ? 0 : strcmp(x->file, y->file);
    if (d == 0)
        d = x->fn == y->fn ? 0 : strcmp(x->fn, y->fn);
    return d ? d : x->line < y->line ? -1 : x->line > y->line;
}

const LineCost *cost_lines(size_t *n)
{
    size_t to = 0;
    if (lines.n)
        qsort(lines.data, lines.n, sizeof lines.data[0], compare_lines);
    for (size_t i = 0; i < lines.n; i++) {
        if (to && compare_lines(&lines.data[to - 1], &lines.data[i]) == 0) {
            for (unsigned k = 0; k < COST_KINDS; k++)
                lines.data[to - 1].cost[k] += lines.data[i].cost[k];
        } else {
            lines.data[to++] = lines.data[i];
        }
    }
    *n = lines.n = to;
    return lines.data;
}
