/* SPDX-License-Identifier: MIT */
/*
 * RecordHead, then its arrays in the order of their counts, then, if the code points into data of the
 * tool's, RecordData and the places where it does, then the main and the cold part of the code, and
 * the contents of IR_DATA_RECORD.  All offsets into code are as in the VexTranslation it was made from.
 */
#include "record.h"

#include <string.h>

#include "base/hash.h"
#include "coregrind/aspace/aspace.h"

typedef struct RecordHead {
    uint64_t source; /**< hash of all guest bytes the translation depends on */
    uint32_t code_len, cold_off, cold_len, id_off;
    uint16_t n_guest, n_extents, n_points, n_exits, n_links, n_calls;
    uint16_t n_data_sites;
} RecordHead;

/** Where the block's data were, and how large. */
typedef struct RecordData {
    uint64_t base[IR_DATA_KINDS];
    uint32_t len[IR_DATA_KINDS];
} RecordData;

typedef struct RecordCall {
    uint32_t off, image;
    uint64_t fn; /**< from the image's base */
} RecordCall;

/** Hash of the guest's code in @p n ranges; false if some of it is not code now. */
static bool hash_ranges(const VexRange *r, size_t n, uint64_t *hash)
{
    for (size_t i = 0; i < n; i++) {
        if (aspace_code_readable(r[i].addr, r[i].len) < r[i].len)
            return false;
        *hash = hash_bytes((const void *)(uintptr_t)r[i].addr, r[i].len, *hash);
    }
    return true;
}

/* ---- writing ------------------------------------------------------------------------------- */

static bool pack_call(const VexCallSite *c, const StoreImage *image, RecordCall *out)
{
    for (uint32_t i = 0; i < STORE_IMAGES; i++) {
        size_t at = (size_t)((const uint8_t *)c->fn - image[i].base);
        if (at < image[i].size) {
            *out = (RecordCall){ c->off, i, at };
            return true;
        }
    }
    return false;
}

static uint8_t *put(uint8_t *p, const void *data, size_t len)
{
    if (len)
        memcpy(p, data, len);
    return p + len;
}

static bool counts_fit(const VexTranslation *t)
{
    return t->n_extents <= UINT16_MAX && t->n_points <= UINT16_MAX && t->n_exits <= UINT16_MAX &&
           t->n_links <= UINT16_MAX && t->n_calls <= UINT16_MAX && t->n_data_sites <= UINT16_MAX;
}

static size_t data_size(const VexTranslation *t)
{
    return t->n_data_sites ? sizeof(RecordData) + t->n_data_sites * sizeof(VexDataSite) +
                                 t->data[IR_DATA_RECORD].len
                           : 0;
}

static uint8_t *put_data(uint8_t *p, const VexTranslation *t)
{
    RecordData d = { { 0 }, { 0 } };
    if (t->n_data_sites == 0)
        return p;
    for (int k = 0; k < IR_DATA_KINDS; k++) {
        d.base[k] = (uint64_t)(uintptr_t)t->data[k].base;
        d.len[k] = t->data[k].len;
    }
    p = put(p, &d, sizeof d);
    return put(p, t->data_sites, t->n_data_sites * sizeof(VexDataSite));
}

const void *record_pack(const VexTranslation *t, const StoreImage *image, struct Arena *arena,
                        size_t *len)
{
    RecordHead h = { .code_len = t->code_len, .cold_off = t->cold_off, .cold_len = t->cold_len,
                     .id_off = t->id_off, .n_guest = t->n_guest,
                     .n_extents = (uint16_t)t->n_extents, .n_points = (uint16_t)t->n_points,
                     .n_exits = (uint16_t)t->n_exits, .n_links = (uint16_t)t->n_links,
                     .n_calls = (uint16_t)t->n_calls, .n_data_sites = (uint16_t)t->n_data_sites };
    RecordCall *call = arena_array(arena, RecordCall, t->n_calls + 1);
    for (uint32_t i = 0; i < t->n_calls; i++)
        if (!pack_call(&t->calls[i], image, &call[i]))
            return NULL;
    if (!counts_fit(t) || !hash_ranges(t->extent, t->n_extents, &h.source))
        return NULL;
    *len = sizeof h + t->n_extents * sizeof(VexRange) + t->n_points * sizeof(VexPoint) +
           t->n_exits * sizeof(VexExitSite) +
           t->n_links * sizeof *t->links + t->n_calls * sizeof *call + t->code_len + t->cold_len +
           data_size(t);
    uint8_t *record = arena_alloc_raw(arena, *len), *p = put(record, &h, sizeof h);
    p = put(p, t->extent, t->n_extents * sizeof(VexRange));
    p = put(p, call, t->n_calls * sizeof *call);
    p = put(p, t->exits, t->n_exits * sizeof(VexExitSite));
    p = put(p, t->points, t->n_points * sizeof(VexPoint));
    p = put(p, t->links, t->n_links * sizeof *t->links);
    p = put_data(p, t);
    p = put(p, t->code, t->code_len);
    p = put(p, t->code + t->cold_off, t->cold_len);
    if (t->n_data_sites)
        put(p, t->data[IR_DATA_RECORD].base, t->data[IR_DATA_RECORD].len);
    return record;
}

/* ---- reading ------------------------------------------------------------------------------- */

typedef struct Reader {
    const uint8_t *p;
    size_t left;
    bool bad;
} Reader;

/** The next @p n elements, where they lie: alignment is that of the file's records. */
static const void *take(Reader *r, size_t n, size_t size)
{
    const uint8_t *p = r->p;
    size_t len = n * size;
    if (r->bad || len > r->left) {
        r->bad = true;
        return NULL;
    }
    r->p += len;
    r->left -= len;
    return p;
}

static bool unpack_calls(const RecordCall *from, uint32_t n, const StoreImage *image,
                         struct Arena *arena, VexTranslation *t)
{
    VexCallSite *call = arena_alloc_raw(arena, (n + 1) * sizeof *call);
    for (uint32_t i = 0; i < n; i++) {
        if (from[i].image >= STORE_IMAGES || from[i].fn >= image[from[i].image].size)
            return false;
        call[i] = (VexCallSite){ .off = from[i].off, .fn = image[from[i].image].base + from[i].fn };
    }
    t->calls = call;
    t->n_calls = n;
    return true;
}

static void take_data(Reader *r, uint32_t sites, VexTranslation *t)
{
    RecordData d = { { 0 }, { 0 } };
    const void *head = sites ? take(r, 1, sizeof d) : NULL;
    t->n_data_sites = sites;
    if (!head)
        return;
    memcpy(&d, head, sizeof d);
    t->data_sites = (VexDataSite *)take(r, sites, sizeof *t->data_sites);
    for (int k = 0; k < IR_DATA_KINDS; k++)
        t->data[k] = (IrData){ (uint8_t *)(uintptr_t)d.base[k], d.len[k] };
}

bool record_unpack(const void *data, size_t len, const StoreImage *image, struct Arena *arena,
                   VexTranslation *t, const uint8_t **cold)
{
    Reader r = { data, len, false };
    const RecordHead *h = take(&r, 1, sizeof *h);
    if (!h)
        return false;
    const VexRange *extent = take(&r, h->n_extents, sizeof *extent);
    const RecordCall *call = take(&r, h->n_calls, sizeof *call);
    *t = (VexTranslation){ .code_len = h->code_len, .cold_off = h->cold_off,
                           .cold_len = h->cold_len, .id_off = h->id_off, .n_guest = h->n_guest,
                           .n_extents = h->n_extents, .n_points = h->n_points,
                           .n_exits = h->n_exits, .n_links = h->n_links,
                           .portable = true };
    /* Only read from here on: vex_place() copies what it changes. */
    t->exits = (VexExitSite *)take(&r, h->n_exits, sizeof *t->exits);
    t->points = (VexPoint *)take(&r, h->n_points, sizeof *t->points);
    t->links = (uint32_t *)take(&r, h->n_links, sizeof *t->links);
    take_data(&r, h->n_data_sites, t);
    t->code = (uint8_t *)take(&r, h->code_len, 1);
    *cold = take(&r, h->cold_len, 1);
    t->record = take(&r, t->data[IR_DATA_RECORD].len, 1);
    uint64_t source = 0;
    if (r.bad || !hash_ranges(extent, h->n_extents, &source) || source != h->source)
        return false;
    t->extent = (VexRange *)extent;
    return unpack_calls(call, h->n_calls, image, arena, t);
}
