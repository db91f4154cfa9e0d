/* SPDX-License-Identifier: MIT */
/*
 * Putting a translation that was made elsewhere into code memory.  Its main part and its cold part
 * keep their contents; the distance between them changes, and so do the addresses of functions.
 */
#include "codegen.h"

/** How places in the code move: those of the main part stay, those of the cold part go along with it. */
typedef struct Move {
    const VexTranslation *t;
    uint32_t cold_off; /**< of the new place */
    uint8_t *buf;
} Move;

/** Where @p n bytes at @p off of the old place are now; UINT32_MAX: they are not in the code. */
static uint32_t moved(const Move *m, uint32_t off, uint32_t n)
{
    const VexTranslation *t = m->t;
    if (off <= t->code_len && n <= t->code_len - off)
        return off;
    if (off >= t->cold_off && off - t->cold_off <= t->cold_len &&
        n <= t->cold_len - (off - t->cold_off))
        return off - t->cold_off + m->cold_off;
    return UINT32_MAX;
}

static bool move_links(const Move *m)
{
    for (uint32_t i = 0; i < m->t->n_links; i++) {
        uint32_t off = m->t->links[i], at = moved(m, off, 4), rel;
        if (at == UINT32_MAX)
            return false;
        memcpy(&rel, m->buf + at, 4);
        uint32_t to = moved(m, off + 4 + rel, 0);
        if (to == UINT32_MAX)
            return false;
        rel = to - (at + 4);
        memcpy(m->buf + at, &rel, 4);
    }
    return true;
}

static bool move_calls(const Move *m)
{
    for (uint32_t i = 0; i < m->t->n_calls; i++) {
        uint32_t at = moved(m, m->t->calls[i].off, 8);
        if (at == UINT32_MAX)
            return false;
        memcpy(m->buf + at, &m->t->calls[i].fn, 8);
    }
    return true;
}

/** The tool finds new places for the block's data. */
static bool move_data(const Move *m, GuestAddr pc, unsigned mode, VexTranslation *out)
{
    const VexTranslation *t = m->t;
    const VexMode *tool = &vex_config()->modes[mode];
    if (t->n_data_sites == 0)
        return true;
    out->data[IR_DATA_RECORD].base = (uint8_t *)(uintptr_t)t->record;
    if (!tool->place || !tool->place(tool->ctx, pc, out->data))
        return false;
    for (uint32_t i = 0; i < t->n_data_sites; i++) {
        const VexDataSite *s = &t->data_sites[i];
        uint32_t size = s->kind == IR_DATA_NEAR ? 4 : 8, at = moved(m, s->off, size);
        uint64_t address = 0;
        if (at == UINT32_MAX || s->kind >= IR_DATA_KINDS)
            return false;
        memcpy(&address, m->buf + at, size);
        address += (uint64_t)(uintptr_t)out->data[s->kind].base -
                   (uint64_t)(uintptr_t)t->data[s->kind].base;
        memcpy(m->buf + at, &address, size);
    }
    return true;
}

static bool move_tables(const Move *m, struct Arena *arena, VexTranslation *out)
{
    const VexTranslation *t = m->t;
    out->exits = arena_alloc_raw(arena, (t->n_exits + 1) * sizeof *out->exits);
    out->points = arena_alloc_raw(arena, (t->n_points + 1) * sizeof *out->points);
    for (uint32_t i = 0; i < t->n_exits; i++) {
        VexExitSite *e = &out->exits[i];
        *e = t->exits[i];
        e->patch_off = moved(m, e->patch_off, 4);
        e->stub_off = moved(m, e->stub_off, 0);
        if (e->crosses)
            e->cross_off = moved(m, e->cross_off, 8);
        if (e->patch_off == UINT32_MAX || e->stub_off == UINT32_MAX || e->cross_off == UINT32_MAX)
            return false;
    }
    for (uint32_t i = 0; i < t->n_points; i++) {
        out->points[i] = t->points[i];
        out->points[i].host_off = moved(m, t->points[i].host_off, 0);
        if (out->points[i].host_off == UINT32_MAX)
            return false;
    }
    out->id_off = t->id_off ? moved(m, t->id_off, 4) : 0;
    return out->id_off != UINT32_MAX;
}

bool vex_place(const VexTranslation *t, GuestAddr pc, unsigned mode, const uint8_t *cold,
               uint8_t *buf, size_t size, const uint8_t *run_addr, struct Arena *arena,
               VexTranslation *out)
{
    if ((size_t)t->code_len + t->cold_len + CODE_COLD_ALIGN > size ||
        t->cold_off < t->code_len || vex_code_is_unstable(t))
        return false;
    Move m = { t, code_cold_offset(size, t->cold_len, run_addr), buf };
    *out = *t;
    out->code = buf;
    out->cold_off = m.cold_off;
    memcpy(buf, t->code, t->code_len);
    if (t->cold_len)
        memcpy(buf + m.cold_off, cold, t->cold_len);
    return move_links(&m) && move_calls(&m) && move_tables(&m, arena, out) &&
           move_data(&m, pc, mode, out);
}
