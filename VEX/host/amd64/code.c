/* SPDX-License-Identifier: MIT */
/*
 * The two parts of a translation's code: the main part is written in place, the cold part into
 * a buffer of its own that is copied to the far end at last; jumps between them are resolved then.
 * Also the map from host code to guest instructions.
 */
#include "codegen.h"

enum { COLD_FIRST = 8192 };

/** Double an array of the arena. */
static __attribute__((noinline)) void *grow_more(Cg *g, void *old, uint32_t *cap, uint32_t n, size_t elem)
{
    uint32_t want = *cap ? *cap * 2 : 16;
    void *p = arena_alloc_raw(g->arena, want * elem);
    if (n)
        memcpy(p, old, n * elem);
    *cap = want;
    return p;
}

/** Make room for one more element. */
static inline void *grow(Cg *g, void *old, uint32_t *cap, uint32_t n, size_t elem)
{
    return __builtin_expect(n < *cap, 1) ? old : grow_more(g, old, cap, n, elem);
}

static void cold_grow(Cg *g)
{
    Code *c = &g->buf[1];
    size_t have = (size_t)(c->end - c->start), used = (size_t)(c->p - c->start);
    size_t want = have ? have * 2 : COLD_FIRST;
    uint8_t *p = arena_alloc_raw(g->arena, want);
    if (used)
        memcpy(p, c->start, used);
    *c = (Code){ p, p + used, p + want };
}

void code_make_room(Cg *g)
{
    if (g->buf[0].end - g->buf[0].p < CODE_ROOM)
        g->failed = true;
    if (g->buf[1].end - g->buf[1].p < CODE_ROOM)
        cold_grow(g);
}

Ool code_ool_begin(Cg *g)
{
    Ool o = { g->c, g->c == &g->buf[1], 0 };
    if (o.was_cold)
        o.skip = emit_jmp(g, 0);
    g->c = &g->buf[1];
    return o;
}

void code_ool_end(Cg *g, Ool o)
{
    if (o.was_cold)
        fix_set(g, o.skip, code_here(g));
    g->c = o.back;
}

static inline uint32_t fix_new(Cg *g, Loc to)
{
    g->fix = grow(g, g->fix, &g->cap_fix, g->n_fix, sizeof *g->fix);
    g->fix[g->n_fix] = (Fixup){ code_here(g), to };
    code_u32(g->c, 0);
    return g->n_fix++;
}

uint32_t emit_jcc(Cg *g, unsigned cc, Loc to)
{
    code_u8(g->c, 0x0f);
    code_u8(g->c, 0x80 | cc);
    return fix_new(g, to);
}

uint32_t emit_jmp(Cg *g, Loc to)
{
    code_u8(g->c, 0xe9);
    return fix_new(g, to);
}

uint32_t emit_rel32(Cg *g, Loc to) { return fix_new(g, to); }

void fix_set(Cg *g, uint32_t fix, Loc to) { g->fix[fix].to = to; }

void emit_jmp_back(Cg *g, Loc to)
{
    int64_t rel = (int64_t)to - code_here(g) - 2;
    if (!((to ^ code_here(g)) & LOC_COLD) && fits_i8(rel)) {
        code_u8(g->c, 0xeb);
        code_u8(g->c, (uint8_t)rel);
    } else {
        emit_jmp(g, to);
    }
}

void code_align_patch(Cg *g, unsigned ahead)
{
    uintptr_t at = (uintptr_t)(g->c->p - g->c->start) + ahead;
    if (g->c == &g->buf[0])
        at += (uintptr_t)g->run_addr;
    if ((at & 7) > 4)
        emit_nops(g->c, -at & 7);
}

void code_point_new(Cg *g)
{
    PointList *list = &g->point_list[g->c == &g->buf[1]];
    uint32_t host_off = (uint32_t)(g->c->p - g->c->start);
    if (!list->n || list->at[list->n - 1].host_off != host_off) {
        list->at = grow(g, list->at, &list->cap, list->n, sizeof *list->at);
        list->n++;
    }
    list->at[list->n - 1] = (VexPoint){ .host_off = host_off,
                                        .guest_off = (uint32_t)(g->guest_pc - g->b->addr),
                                        .cc_in_host = g->cc == CCS_EFLAGS };
}

VexExitSite *exit_new(Cg *g)
{
    g->exits = grow(g, g->exits, &g->cap_exits, g->n_exits, sizeof *g->exits);
    return &g->exits[g->n_exits++];
}

void emit_function_address(Cg *g, unsigned reg, const void *fn)
{
    code_u8(g->c, 0x48 | reg >> 3); /* mov reg, imm64, whatever the address is */
    code_u8(g->c, 0xb8 | (reg & 7));
    g->call = grow(g, g->call, &g->cap_calls, g->n_calls, sizeof *g->call);
    g->call[g->n_calls++] = (VexCallSite){ code_here(g), fn };
    code_u64(g->c, (uint64_t)(uintptr_t)fn);
}

int code_data_kind(const Cg *g, uint64_t v)
{
    for (int k = 0; k < IR_DATA_NEAR; k++)
        if (v - (uint64_t)(uintptr_t)g->b->data[k].base < g->b->data[k].len)
            return k;
    return -1;
}

static void data_site(Cg *g, uint32_t off, int kind)
{
    g->data = grow(g, g->data, &g->cap_data, g->n_data, sizeof *g->data);
    g->data[g->n_data++] = (VexDataSite){ off, (uint32_t)kind };
}

void emit_constant(Cg *g, unsigned reg, uint64_t v)
{
    int kind = code_data_kind(g, v);
    emit_mov_imm(g->c, reg, v);
    if (kind >= 0)
        data_site(g, code_here(g) - 8, kind);
}

void code_near_site(Cg *g, unsigned imm) { data_site(g, code_here(g) - 4 - imm, IR_DATA_NEAR); }

static uint32_t resolve(Loc l, uint32_t cold) { return l & LOC_COLD ? (l & ~LOC_COLD) + cold : l; }

static void finish_tables(Cg *g, uint32_t cold, VexTranslation *out)
{
    for (uint32_t i = 0; i < g->n_exits; i++) {
        VexExitSite *e = &g->exits[i];
        e->patch_off = resolve(e->patch_off, cold);
        e->stub_off = resolve(e->stub_off, cold);
        e->cross_off = resolve(e->cross_off, cold);
    }
    out->exits = g->exits;
    out->n_exits = g->n_exits;
    PointList *main = &g->point_list[0], *colds = &g->point_list[1];
    for (uint32_t i = 0; i < colds->n; i++) {
        main->at = grow(g, main->at, &main->cap, main->n, sizeof *main->at);
        main->at[main->n] = colds->at[i];
        main->at[main->n++].host_off += cold;
    }
    out->points = main->at;
    out->n_points = main->n;
    out->calls = arena_alloc_raw(g->arena, (g->n_calls + 1) * sizeof *out->calls);
    for (uint32_t i = 0; i < g->n_calls; i++)
        out->calls[i] = (VexCallSite){ resolve(g->call[i].off, cold), g->call[i].fn };
    out->n_calls = g->n_calls;
    for (uint32_t i = 0; i < g->n_data; i++)
        g->data[i].off = resolve(g->data[i].off, cold);
    out->data_sites = g->data;
    out->n_data_sites = g->n_data;
    memcpy(out->data, g->b->data, sizeof out->data);
}

uint32_t code_cold_offset(size_t size, size_t len, const uint8_t *run_addr)
{
    uint32_t cold = (uint32_t)(size - len);
    return cold - (uint32_t)((uintptr_t)(run_addr + cold) & (CODE_COLD_ALIGN - 1));
}

bool code_finish(Cg *g, VexTranslation *out)
{
    Code *m = &g->buf[0];
    size_t cold_len = (size_t)(g->buf[1].p - g->buf[1].start);
    size_t main_len = (size_t)(m->p - m->start), size = (size_t)(m->end - m->start);
    if (g->failed || size < main_len + cold_len + CODE_COLD_ALIGN)
        return false;
    uint32_t cold = code_cold_offset(size, cold_len, g->run_addr);
    out->links = arena_alloc_raw(g->arena, (g->n_fix + 1) * sizeof *out->links);
    if (cold_len)
        memcpy(m->start + cold, g->buf[1].start, cold_len);
    for (uint32_t i = 0; i < g->n_fix; i++) {
        uint32_t from = resolve(g->fix[i].from, cold), to = resolve(g->fix[i].to, cold);
        uint32_t rel = to - (from + 4);
        memcpy(m->start + from, &rel, 4);
        if ((g->fix[i].from ^ g->fix[i].to) & LOC_COLD)
            out->links[out->n_links++] = from;
    }
    out->code = m->start;
    out->code_len = (uint32_t)main_len;
    out->cold_off = cold;
    out->cold_len = (uint32_t)cold_len;
    out->id_off = g->chain_tail_valid ? resolve(g->id_at, cold) : 0;
    finish_tables(g, cold, out);
    return true;
}
