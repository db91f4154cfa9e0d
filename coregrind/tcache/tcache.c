/* SPDX-License-Identifier: MIT */
/*
 * Tables of translations.  Making, chaining and discarding happen under LOCK_translate, changes of
 * tables under LOCK_tcache too, which is only held for a probe by those who just look.  Translations are never moved;
 * their code space comes back when code memory is full, or more of it is dead than alive, and
 * everything is thrown away.
 *
 * Invariants: a live translation is in by_key, in by_page of each page of its extents, and in
 * by_host (sorted, since code memory is handed out from both ends inwards; the place in it is the
 * translation's number); every chained exit is in the `incoming` list of its target.
 */
#include "tcache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/hashmap.h"
#include "base/ranked_lock.h"
#include "base/vec.h"
#include "code_arena.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/store/store.h"
#include "coregrind/thread/thread.h"
#include "fork_hints.h"

enum { MAX_BLOCK_BYTES = 256 * 1024, CODE_ALIGN = 16, PAGE_SHIFT = 12 };
/** Programs that make code again and again must not fill code memory with what is dead. */
enum { MANY_DEAD_BYTES = 4 << 20 };
/** A small limit grows by this part of it each time, so that everything fits at last. */
enum { LIMIT_GROWTH = 8, PAGE_BYTES = 1 << PAGE_SHIFT };

/** An exit; while it is chained it is in the list of its target. */
typedef struct Exit {
    VexExitSite site; /**< index: which of its translation's exits it is */
    struct Exit *next_incoming;
} Exit;

/** A VexPoint as it is looked for. */
typedef struct Point {
    uint32_t host;  /**< offset in the main part, or IN_COLD and offset in the cold part; ascending */
    uint32_t guest; /**< offset of the guest instruction from the block's address, times 2, plus cc_in_host */
} Point;
#define IN_COLD 0x80000000u

/** Followed in memory by its exits, extents and packed points. */
struct Translation {
    GuestAddr pc;
    const uint8_t *code; /**< executable view */
    Exit *incoming;      /**< chained exits that lead here */
    uint32_t len;
    uint32_t cold_off, cold_len; /**< the cold part is at code + cold_off */
    uint16_t n_exits, n_extents, n_points, n_guest;
    uint8_t mode;
    bool no_redirect, dead;
};

static inline Exit *exits_of(const Translation *t) { return (Exit *)(t + 1); }
static inline VexRange *extents_of(const Translation *t)
{
    return (VexRange *)(exits_of(t) + t->n_exits);
}
static inline uint8_t *points_of(const Translation *t)
{
    return (uint8_t *)(extents_of(t) + t->n_extents);
}
static inline Translation *owner_of(const Exit *e) { return (Translation *)(e - e->site.index) - 1; }

typedef VEC(Translation *) TranslationList;

static struct {
    CodeArena arena;
    TcacheHooks hooks;
    struct Arena scratch;       /* for the translation in progress */
    struct Arena kept;          /* Translations: they all go at once */
    HashMap by_key;             /* (pc, mode, no_redirect) → Translation */
    HashMap by_page;            /* page number → TranslationList* */
    TranslationList by_host;
    TranslationList *last_list; /* that of last_page in by_page: most go to the same as the one before */
    GuestAddr last_page;
    size_t dead_bytes;          /* of code memory */
    uint64_t made;              /* translations */
    TcacheStats stats;
} tc;

enum { KEY_NOT_ZERO = 8 };

static uint64_t tcache_key(GuestAddr pc, unsigned mode, bool no_redirect)
{
    return (pc << 3 | mode << 1 | no_redirect) + KEY_NOT_ZERO;
}

int tcache_init(size_t code_bytes, size_t first_limit, const TcacheHooks *hooks)
{
    tc.hooks = *hooks;
    int err = code_arena_init(&tc.arena, code_bytes);
    if (err == 0)
        code_arena_clear(&tc.arena, first_limit);
    return err;
}

/** Under either lock. */
static Translation *tcache_find_locked(GuestAddr pc, unsigned mode, bool no_redirect)
{
    return hashmap_get_ptr(&tc.by_key, tcache_key(pc, mode, no_redirect));
}

/** *@p made: translations made so far. */
static Translation *tcache_find(GuestAddr pc, unsigned mode, bool no_redirect, uint64_t *made)
{
    lock_take(LOCK_tcache);
    Translation *t = tcache_find_locked(pc, mode, no_redirect);
    *made = tc.made;
    lock_release(LOCK_tcache);
    return t;
}

static TranslationList *tcache_list_of_page(GuestAddr page)
{
    if (tc.last_list && tc.last_page == page)
        return tc.last_list;
    TranslationList *list = hashmap_get_ptr(&tc.by_page, page + 1);
    if (!list) {
        list = calloc(1, sizeof *list);
        CHECK(list != NULL);
        hashmap_put(&tc.by_page, page + 1, (uintptr_t)list);
    }
    tc.last_list = list;
    tc.last_page = page;
    return list;
}

static void tcache_add_page(GuestAddr page, Translation *t)
{
    TranslationList *list = tcache_list_of_page(page);
    if (list->n == 0 || list->data[list->n - 1] != t)
        vec_push(list, t);
}

/** Throw everything away. No other thread is in translated code. */
static void tcache_flush(void)
{
    uint64_t v;
    lock_take(LOCK_translate);
    lock_take(LOCK_tcache);
    hashmap_clear(&tc.by_key);
    for (size_t it = 0; hashmap_next(&tc.by_page, &it, NULL, &v);) {
        TranslationList *list = (void *)(uintptr_t)v;
        vec_free(list);
        free(list);
    }
    hashmap_clear(&tc.by_page);
    tc.last_list = NULL;
    tc.by_host.n = 0;
    arena_free(&tc.kept);
    size_t limit = tc.arena.limit + tc.arena.limit / LIMIT_GROWTH;
    code_arena_clear(&tc.arena, limit & ~(size_t)(PAGE_BYTES - 1));
    tc.dead_bytes = 0;
    tc.stats.flushes++;
    lock_release(LOCK_tcache);
    tc.hooks.flush_jump_caches();
    lock_release(LOCK_translate);
}

/* ---- points ------------------------------------------------------------------------------------ */

/*
 * There are several for each guest instruction and hardly any is ever looked at: they are kept as the
 * differences from one to the next, in groups of seven bits, and looked for from the first on.
 */
enum { GROUP_BITS = 7, GROUP_MORE = 1 << GROUP_BITS, POINT_MOST = 10 };

/** Offset @p off from the main part as Point.host has it. */
static uint32_t part_offset(const Translation *t, uint32_t off)
{
    return t->cold_len && off >= t->cold_off ? (off - t->cold_off) | IN_COLD : off;
}

static uint8_t *pack_number(uint8_t *p, uint32_t v)
{
    for (; v >= GROUP_MORE; v >>= GROUP_BITS)
        *p++ = (uint8_t)(v | GROUP_MORE);
    *p++ = (uint8_t)v;
    return p;
}

static const uint8_t *unpack_number(const uint8_t *p, uint32_t *v)
{
    unsigned shift = 0;
    *v = 0;
    do
        *v |= (uint32_t)(*p & (GROUP_MORE - 1)) << shift;
    while (shift += GROUP_BITS, *p++ & GROUP_MORE);
    return p;
}

/** Small for differences of either sign. */
static inline uint32_t fold_sign(uint32_t d) { return d << 1 ^ (d >> 31 ? ~0u : 0); }
static inline uint32_t unfold_sign(uint32_t v) { return v >> 1 ^ (v & 1 ? ~0u : 0); }

/** The points of @p v, whose translation is @p t, at @p out (POINT_MOST bytes each); bytes. */
static size_t points_pack(const VexTranslation *v, const Translation *t, uint8_t *out)
{
    uint8_t *p = out;
    Point last = { 0, 0 };
    for (uint32_t i = 0; i < v->n_points; i++) {
        Point at = { part_offset(t, v->points[i].host_off),
                     v->points[i].guest_off * 2 + (v->points[i].cc_in_host != 0) };
        p = pack_number(p, at.host - last.host);
        p = pack_number(p, fold_sign(at.guest - last.guest));
        last = at;
    }
    return (size_t)(p - out);
}

/** The point that covers offset @p off: the last that is not above it; false before the first. */
static bool points_find(const Translation *t, uint32_t off, Point *found)
{
    uint32_t host = part_offset(t, off), step, guest, i;
    const uint8_t *p = points_of(t);
    Point at = { 0, 0 };
    for (i = 0; i < t->n_points; i++) {
        p = unpack_number(p, &step);
        p = unpack_number(p, &guest);
        if (at.host + step > host)
            break;
        at = (Point){ at.host + step, at.guest + unfold_sign(guest) };
    }
    *found = at;
    return i > 0;
}

/** One allocation for the translation and its tables. */
static Translation *tcache_keep(const VexTranslation *v, GuestAddr pc, unsigned mode,
                                bool no_redirect, const uint8_t *code)
{
    CHECK(v->n_exits <= UINT16_MAX && v->n_points <= UINT16_MAX, "block 0x%llx is too large",
          (unsigned long long)pc);
    Translation head = { .pc = pc, .code = code, .len = v->code_len, .cold_off = v->cold_off,
                         .cold_len = v->cold_len, .mode = (uint8_t)mode,
                         .no_redirect = no_redirect, .n_guest = v->n_guest,
                         .n_points = (uint16_t)v->n_points, .n_exits = (uint16_t)v->n_exits,
                         .n_extents = (uint16_t)v->n_extents };
    uint8_t *packed = arena_alloc_raw(&tc.scratch, v->n_points * POINT_MOST);
    size_t bytes = points_pack(v, &head, packed);
    Translation *t = arena_alloc_raw(&tc.kept, sizeof *t + v->n_exits * sizeof(Exit) +
                                     v->n_extents * sizeof(VexRange) + bytes);
    *t = head;
    for (uint32_t i = 0; i < v->n_exits; i++) {
        exits_of(t)[i] = (Exit){ .site = v->exits[i] };
        exits_of(t)[i].site.index = (uint16_t)i;
    }
    memcpy(extents_of(t), v->extent, v->n_extents * sizeof *v->extent);
    memcpy(points_of(t), packed, bytes);
    return t;
}

static void tcache_insert(Translation *t)
{
    lock_take(LOCK_tcache);
    hashmap_put(&tc.by_key, tcache_key(t->pc, t->mode, t->no_redirect), (uintptr_t)t);
    vec_push(&tc.by_host, t);
    tc.made++;
    for (uint32_t i = 0; i < t->n_extents; i++) {
        const VexRange *e = &extents_of(t)[i];
        GuestAddr last = e->addr + (e->len ? e->len - 1 : 0);
        for (GuestAddr p = e->addr >> PAGE_SHIFT; p <= last >> PAGE_SHIFT; p++)
            tcache_add_page(p, t);
    }
    lock_release(LOCK_tcache);
}

static void tcache_count(const VexTranslation *v, unsigned mode)
{
    tc.stats.translations++;
    tc.stats.per_mode[mode]++;
    tc.stats.guest_insns += v->n_guest;
    tc.stats.code_bytes += v->code_len;
    tc.stats.cold_bytes += v->cold_len;
    tc.stats.lift_ns += v->lift_ns;
    tc.stats.instrument_ns += v->instrument_ns;
    tc.stats.emit_ns += v->emit_ns;
}

typedef enum MakeResult { MADE, NO_CODE, FLUSH_FIRST } MakeResult;

/** Protect the code of @p v; true if some of it was not, so that it may have changed after it was read. */
static bool tcache_protect(const VexTranslation *v)
{
    bool any = false;
    for (uint32_t i = 0; i < v->n_extents; i++)
        any |= aspace_protect_code(v->extent[i].addr, v->extent[i].len);
    return any;
}

/** Translate the client's own code, or take it from the store. */
static VexStatus tcache_translate(GuestAddr pc, unsigned mode, bool no_redirect, uint8_t *rw, size_t room,
                                  const uint8_t *rx, VexTranslation *v)
{
    VexStatus st;
    bool stored;
    aspace_protect_code(pc, 1);
    do {
        arena_reset(&tc.scratch);
        stored = store_get(pc, mode, no_redirect, rw, room, rx, &tc.scratch, v);
        st = stored ? VEX_OK : vex_translate(pc, mode, rw, room, rx, &tc.scratch, v);
        if (st == VEX_NO_CODE || v->assumption_failed)
            return st;
    } while (tcache_protect(v));
    if (st == VEX_OK && !stored)
        store_put(pc, mode, no_redirect, v);
    return st;
}

/** With @p room bytes left: would it pay to begin anew? */
static bool tcache_is_mostly_dead(size_t room)
{
    return tc.dead_bytes > MANY_DEAD_BYTES && tc.dead_bytes > (tc.arena.limit - room) / 2;
}

/** Translate (pc, mode) into the arena; under LOCK_translate. */
static MakeResult tcache_make(GuestAddr pc, unsigned mode, bool no_redirect, Translation **made)
{
    size_t room = tc.arena.cold - tc.arena.used;
    if (room < MAX_BLOCK_BYTES || tcache_is_mostly_dead(room))
        return FLUSH_FIRST;
    code_arena_prepare(&tc.arena);
    uint8_t *rw = tc.arena.rw + tc.arena.used;
    const uint8_t *rx = code_arena_rx(&tc.arena, rw);
    VexTranslation v;
    VexStatus st;
    const IrCallee *callee;
    uint64_t arg;
    arena_reset(&tc.scratch);
    if (!no_redirect && tc.hooks.redirect(pc, &callee, &arg))
        st = vex_translate_call(pc, mode, callee, arg, rw, room, rx, &tc.scratch, &v);
    else
        st = tcache_translate(pc, mode, no_redirect, rw, room, rx, &v);
    if (st == VEX_NO_CODE)
        return NO_CODE;
    if (v.assumption_failed) /* earlier translations were made on it, this one was not */
        return FLUSH_FIRST;
    CHECK(st == VEX_OK, "block 0x%llx does not fit into code memory", (unsigned long long)pc);
    if (v.id_off)
        memcpy(rw + v.id_off, &(uint32_t){ (uint32_t)tc.by_host.n }, 4);
    if (v.cold_len)
        tc.arena.cold = tc.arena.used + v.cold_off;
    tc.arena.used += (v.code_len + CODE_ALIGN - 1) & ~(size_t)(CODE_ALIGN - 1);
    code_arena_settle(&tc.arena);
    Translation *t = tcache_keep(&v, pc, mode, no_redirect, rx);
    tcache_insert(t);
    tcache_count(&v, mode);
    fork_hints_tell(tcache_key(pc, mode, no_redirect));
    *made = t;
    return MADE;
}

/** What earlier children had to make is made before the next one comes, unless there is no room. */
void tcache_fork_prepare(void)
{
    uint64_t key;
    Translation *t;
    MakeResult r = MADE;
    fork_hints_prepare();
    lock_take(LOCK_translate);
    while (r != FLUSH_FIRST && fork_hints_take(&key)) {
        GuestAddr pc = (key - KEY_NOT_ZERO) >> 3;
        unsigned mode = (unsigned)(key - KEY_NOT_ZERO) >> 1 & 3;
        if (mode < vex_config()->n_modes && !tcache_find_locked(pc, mode, key & 1))
            r = tcache_make(pc, mode, key & 1, &t);
    }
    lock_release(LOCK_translate);
}

static const void *tcache_get_any(GuestAddr pc, unsigned mode, bool no_redirect)
{
    uint64_t made;
    Translation *t = tcache_find(pc, mode, no_redirect, &made);
    while (!t) {
        lock_take(LOCK_translate);
        if (made != tc.made) /* another thread may have been quicker */
            t = tcache_find_locked(pc, mode, no_redirect);
        MakeResult r = t ? MADE : tcache_make(pc, mode, no_redirect, &t);
        lock_release(LOCK_translate);
        if (r == NO_CODE)
            return NULL;
        if (r == FLUSH_FIRST) {
            thread_stop_world(); /* not under the lock: the others may be waiting for it */
            tcache_flush();
            thread_start_world();
        }
    }
    return t->code;
}

const void *tcache_get(GuestAddr pc, unsigned mode) { return tcache_get_any(pc, mode, false); }

const void *tcache_get_no_redirect(GuestAddr pc, unsigned mode)
{
    return tcache_get_any(pc, mode, true);
}

/** Was @p t made before the one whose cold or main part has @p host? Itself counts as before. */
static bool is_made_by(const Translation *t, const uint8_t *host, bool cold)
{
    return cold ? host < t->code + t->cold_off + t->cold_len : t->code <= host;
}

/** Translation whose code contains executable-view address @p host; under LOCK_tcache. */
static Translation *tcache_by_host(const uint8_t *host)
{
    size_t lo = 0, hi = tc.by_host.n;
    bool cold = host >= tc.arena.rx + tc.arena.cold;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (is_made_by(tc.by_host.data[mid], host, cold))
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0)
        return NULL;
    Translation *t = tc.by_host.data[lo - 1];
    bool inside = cold ? host >= t->code + t->cold_off : host < t->code + t->len;
    return inside ? t : NULL;
}

bool tcache_contains(const void *host) { return code_arena_contains(&tc.arena, host); }

bool tcache_guest_pc(const void *host, TcachePlace *place)
{
    if (!tcache_contains(host))
        return false;
    bool locked = !lock_held(LOCK_tcache);
    if (locked)
        lock_take(LOCK_tcache);
    Translation *t = tcache_by_host(host);
    if (t) {
        Point p;
        bool any = points_find(t, (uint32_t)((const uint8_t *)host - t->code), &p);
        /* Offsets are signed: a block may follow a jump backwards. */
        place->pc = t->pc + (uint64_t)(int64_t)(any ? (int32_t)p.guest >> 1 : 0);
        place->cc_in_host = any && (p.guest & 1);
        place->mode = t->mode;
    }
    if (locked)
        lock_release(LOCK_tcache);
    return t != NULL;
}

void tcache_take_exit(VexState *s)
{
    lock_take(LOCK_tcache);
    CHECK(s->exit_block < tc.by_host.n, "exit of translation %u", s->exit_block);
    const Translation *t = tc.by_host.data[s->exit_block];
    CHECK(s->exit_index < t->n_exits, "exit %u of block 0x%llx", s->exit_index,
          (unsigned long long)t->pc);
    vex_take_exit(s, &exits_of(t)[s->exit_index].site, t->mode);
    lock_release(LOCK_tcache);
}

void tcache_chain(const VexState *s, const void *code, GuestAddr target, unsigned mode)
{
    uint32_t k = s->exit_index;
    lock_take(LOCK_translate);
    /* All may have been thrown away since then; whatever has this number now is as good. */
    Translation *from = s->exit_block < tc.by_host.n ? tc.by_host.data[s->exit_block] : NULL;
    Translation *to = tcache_find_locked(target, mode, false);
    Exit *e = from && !from->dead && k < from->n_exits ? &exits_of(from)[k] : NULL;
    if (e && to && to->code == code && e->site.target == target && e->site.mode == mode &&
        !vex_is_chained(from->code, &e->site)) {
        vex_chain(code_arena_rw(&tc.arena, from->code), from->code, &e->site, code);
        e->next_incoming = to->incoming;
        to->incoming = e;
        tc.stats.chained++;
    }
    lock_release(LOCK_translate);
}

static bool translation_overlaps(const Translation *t, GuestAddr a, size_t len)
{
    for (uint32_t i = 0; i < t->n_extents; i++)
        if (extents_of(t)[i].addr < a + len && a < extents_of(t)[i].addr + extents_of(t)[i].len)
            return true;
    return false;
}

/** Make @p t unreachable: no table finds it and no code jumps to it. */
static void tcache_kill(Translation *t)
{
    t->dead = true;
    if (hashmap_get_ptr(&tc.by_key, tcache_key(t->pc, t->mode, t->no_redirect)) == t)
        hashmap_remove(&tc.by_key, tcache_key(t->pc, t->mode, t->no_redirect));
    for (Exit *e = t->incoming; e; e = e->next_incoming)
        vex_unchain(code_arena_rw(&tc.arena, owner_of(e)->code), owner_of(e)->code, &e->site);
    t->incoming = NULL;
    tc.dead_bytes += t->len + t->cold_len;
    tc.stats.discarded++;
}

/** Kill the translations of one page that overlap [a, a+len). */
static bool tcache_discard_page(GuestAddr page, GuestAddr a, size_t len)
{
    TranslationList *list = hashmap_get_ptr(&tc.by_page, page + 1);
    if (!list)
        return false;
    size_t kept = 0, n = list->n;
    for (size_t i = 0; i < n; i++) {
        Translation *t = list->data[i];
        if (!t->dead && translation_overlaps(t, a, len))
            tcache_kill(t);
        if (!t->dead)
            list->data[kept++] = t;
    }
    list->n = kept;
    return kept != n;
}

void tcache_discard(GuestAddr a, size_t len)
{
    bool any = false;
    if (len == 0)
        return;
    lock_take(LOCK_translate);
    lock_take(LOCK_tcache);
    GuestAddr first = a >> PAGE_SHIFT, last = (a + len - 1) >> PAGE_SHIFT;
    if (last - first < tc.by_page.n) {
        for (GuestAddr p = first; p <= last; p++)
            any |= tcache_discard_page(p, a, len);
    } else {
        uint64_t key;
        for (size_t it = 0; hashmap_next(&tc.by_page, &it, &key, NULL);)
            if (key - 1 >= first && key - 1 <= last)
                any |= tcache_discard_page(key - 1, a, len);
    }
    lock_release(LOCK_tcache);
    if (any) {
        tc.hooks.flush_jump_caches();
        tc.hooks.discarded(a, len);
    }
    lock_release(LOCK_translate);
}

bool tcache_has(GuestAddr a, size_t len)
{
    bool any = false;
    if (len == 0)
        return false;
    lock_take(LOCK_tcache);
    GuestAddr first = a >> PAGE_SHIFT, last = (a + len - 1) >> PAGE_SHIFT;
    if (last - first < tc.by_page.n) {
        for (GuestAddr p = first; p <= last && !any; p++) {
            TranslationList *list = hashmap_get_ptr(&tc.by_page, p + 1);
            any = list && list->n > 0;
        }
    } else {
        uint64_t key, v;
        for (size_t it = 0; !any && hashmap_next(&tc.by_page, &it, &key, &v);)
            any = key - 1 >= first && key - 1 <= last && ((TranslationList *)(uintptr_t)v)->n > 0;
    }
    lock_release(LOCK_tcache);
    return any;
}

void tcache_fork_child(void)
{
    int r = code_arena_unshare(&tc.arena);
    store_fork_child();
    fork_hints_child();
    CHECK(r == 0, "code memory of a forked child: %s", strerror(-r));
}

TcacheStats tcache_stats(void)
{
    StoreStats s = store_stats();
    tc.stats.from_store = s.used;
    tc.stats.to_store = s.added;
    return tc.stats;
}

void tcache_stop_keeping(void)
{
    lock_take(LOCK_translate);
    store_stop();
    lock_release(LOCK_translate);
}

void tcache_save(void)
{
    lock_take(LOCK_translate);
    store_save();
    lock_release(LOCK_translate);
}

void tcache_write_perf_map(void)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
    FILE *f = fopen(path, "wex");
    if (!f)
        return;
    for (size_t i = 0; i < tc.by_host.n; i++) {
        Translation *t = tc.by_host.data[i];
        fprintf(f, "%llx %x guest_%llx_m%u\n", (unsigned long long)(uintptr_t)t->code, t->len,
                (unsigned long long)t->pc, t->mode);
    }
    fclose(f);
}
