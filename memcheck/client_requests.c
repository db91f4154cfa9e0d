/* SPDX-License-Identifier: MIT */
/* What programs ask of memcheck through the macros of valgrind/memcheck.h. */
#include "client_requests.h"

#include <pthread.h>
#include <string.h>

#include "base/vec.h"
#include "errors.h"
#include "leak/leak.h"
#include "mempool.h"
#include "origin/origin.h"
#include "shadow/shadow.h"

/* ---- described blocks --------------------------------------------------------------- */

/** Slots are reused: their numbers are the client's handles. size 0: free. */
static VEC(McClientBlock) described;
/** A leaf; it is taken while errors are recorded. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool mc_client_block_at(GuestAddr a, McClientBlock *out)
{
    bool found = false;
    if (described.n == 0)
        return false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < described.n && !found; i++) {
        const McClientBlock *b = &described.data[i];
        found = b->size && a - b->start < b->size;
        if (found)
            *out = *b;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static uint64_t create_block(Thread *t, const uint64_t *a)
{
    char name[256];
    long len = gimle_guest_strlen(a[3], sizeof name - 1);
    if (len < 0 || gimle_read_guest(name, a[3], (size_t)len) != (size_t)len)
        len = 0;
    name[len] = '\0';
    McClientBlock b = { a[1], a[2], strdup(name), gimle_stack_trace(t) };
    if (a[2] == 0)
        return (uint64_t)-1;
    pthread_mutex_lock(&lock);
    size_t i = 0;
    while (i < described.n && described.data[i].size)
        i++;
    if (i == described.n)
        vec_push(&described, b);
    else
        described.data[i] = b;
    pthread_mutex_unlock(&lock);
    return i;
}

static uint64_t discard_block(Thread *t, const uint64_t *a)
{
    (void)t;
    uint64_t bad = 1;
    pthread_mutex_lock(&lock);
    if (a[2] < described.n && described.data[a[2]].size) {
        described.data[a[2]].size = 0; /* the name may be in an error already */
        bad = 0;
    }
    pthread_mutex_unlock(&lock);
    return bad;
}

/* ---- permissions -------------------------------------------------------------------- */

static uint64_t make_noaccess(Thread *t, const uint64_t *a)
{
    (void)t;
    shadow_set_noaccess(a[1], a[2]);
    return (uint64_t)-1;
}

static uint64_t make_undefined(Thread *t, const uint64_t *a)
{
    shadow_set_undefined(a[1], a[2]);
    if (mc_options.track_origins)
        origin_note_user(t, a[1], a[2]);
    return (uint64_t)-1;
}

static uint64_t make_defined(Thread *t, const uint64_t *a)
{
    (void)t;
    shadow_set_defined(a[1], a[2]);
    return (uint64_t)-1;
}

static uint64_t make_defined_if_addressable(Thread *t, const uint64_t *a)
{
    (void)t;
    shadow_set_defined_if_addressable(a[1], a[2]);
    return (uint64_t)-1;
}

static uint64_t check_addressable(Thread *t, const uint64_t *a)
{
    GuestAddr bad;
    if (mc_check_addressable(a[1], a[2], &bad))
        return 0;
    mc_error_user(t, bad, true);
    return bad;
}

static uint64_t check_defined(Thread *t, const uint64_t *a)
{
    GuestAddr undefined = 0, bad;
    bool is_undefined = false;
    for (uint64_t i = 0; i < a[2] && !is_undefined; i++) {
        if (i + 64 <= a[2] && shadow_all_defined(a[1] + i, 64)) {
            i += 63;
        } else if (shadow_vbits(a[1] + i)) {
            is_undefined = true;
            undefined = a[1] + i;
        }
    }
    bool unaddressable = !mc_check_addressable(a[1], a[2], &bad);
    is_undefined = is_undefined && (!unaddressable || undefined < bad);
    if (is_undefined)
        mc_error_user(t, undefined, false);
    if (unaddressable)
        mc_error_user(t, bad, true);
    return is_undefined ? undefined : unaddressable ? bad : 0;
}

/** 1: done; 3: something is not addressable. */
static uint64_t get_vbits(Thread *t, const uint64_t *a)
{
    (void)t;
    GuestAddr bad;
    if (shadow_check_addressable(a[1], a[3], &bad) != SHADOW_OK ||
        shadow_check_addressable(a[2], a[3], &bad) != SHADOW_OK)
        return 3;
    for (uint64_t i = 0; i < a[3]; i++) {
        uint8_t v = shadow_vbits(a[1] + i);
        if (gimle_write_guest(a[2] + i, &v, 1) != 1)
            return 3;
    }
    shadow_set_defined(a[2], a[3]);
    return 1;
}

static uint64_t set_vbits(Thread *t, const uint64_t *a)
{
    (void)t;
    GuestAddr bad;
    if (shadow_check_addressable(a[1], a[3], &bad) != SHADOW_OK ||
        shadow_check_addressable(a[2], a[3], &bad) != SHADOW_OK)
        return 3;
    for (uint64_t i = 0; i < a[3]; i++) {
        uint8_t v;
        if (gimle_read_guest(&v, a[2] + i, 1) != 1)
            return 3;
        shadow_set_vbits(a[1] + i, v);
    }
    return 1;
}

static uint64_t enable_reporting(Thread *t, const uint64_t *a)
{
    (void)t;
    mc_ignore_range(a[1], a[2], false);
    return 1;
}

static uint64_t disable_reporting(Thread *t, const uint64_t *a)
{
    (void)t;
    mc_ignore_range(a[1], a[2], true);
    return 1;
}

/* ---- leaks -------------------------------------------------------------------------- */

static uint64_t do_leak_check(Thread *t, const uint64_t *a)
{
    LeakRequest r = {
        .full = a[1] == 0,
        .tree = a[1] == 0 && mc_options.xtree_leak ? mc_options.xtree_leak_file : NULL,
        .delta = a[2] <= LEAK_DELTA_CHANGED ? (LeakDelta)a[2] : LEAK_DELTA_ANY,
        .show_kinds = mc_options.show_leak_kinds,
        .error_kinds = mc_options.error_leak_kinds,
        .heuristics = mc_options.leak_heuristics,
        .count_errors = true,
        .summary = gimle_core_option("quiet") <= gimle_core_option("verbose"),
        .xml = gimle_core_option("xml") > 0,
        .thread = t,
    };
    leak_check(&r);
    return 0;
}

static void put_count(GuestAddr a, uint64_t v)
{
    if (gimle_write_guest(a, &v, sizeof v) == sizeof v)
        shadow_set_defined(a, sizeof v);
}

static uint64_t count(const uint64_t *a, const uint64_t by_kind[LEAK_KINDS], uint64_t suppressed)
{
    put_count(a[1], by_kind[LEAK_DEFINITE] + by_kind[LEAK_INDIRECT]);
    put_count(a[2], by_kind[LEAK_POSSIBLE]);
    put_count(a[3], by_kind[LEAK_REACHABLE]);
    put_count(a[4], suppressed);
    return 0;
}

static uint64_t count_leaks(Thread *t, const uint64_t *a)
{
    (void)t;
    LeakTotals l = leak_last_totals();
    return count(a, l.bytes, l.suppressed_bytes);
}

static uint64_t count_leak_blocks(Thread *t, const uint64_t *a)
{
    (void)t;
    LeakTotals l = leak_last_totals();
    return count(a, l.blocks, l.suppressed_blocks);
}

/* ---- blocks of the client's own allocators ------------------------------------------ */

static uint64_t malloclike(Thread *t, const uint64_t *a)
{
    client_block_new(t, a[1], a[2], a[3], a[4] != 0);
    return 0;
}

static uint64_t freelike(Thread *t, const uint64_t *a)
{
    client_block_free(t, a[1], a[2]);
    return 0;
}

static uint64_t resize_in_place(Thread *t, const uint64_t *a)
{
    client_block_resize(t, a[1], a[2], a[3], a[4]);
    return 0;
}

/* ---- the table ---------------------------------------------------------------------- */

typedef uint64_t (*Request)(Thread *t, const uint64_t *a);

/** In the order of their numbers, from GIMLE_TOOL_REQUEST_BASE('M', 'C'). */
static const Request requests[] = {
    make_noaccess, make_undefined, make_defined, discard_block, check_addressable, check_defined,
    do_leak_check, count_leaks, get_vbits, set_vbits, create_block, make_defined_if_addressable,
    count_leak_blocks, enable_reporting, disable_reporting,
};

bool mc_client_request(Thread *t, const uint64_t args[6], uint64_t *result)
{
    uint64_t n = args[0] - GIMLE_TOOL_REQUEST_BASE('M', 'C');
    Request f = NULL;
    if (n < sizeof requests / sizeof requests[0])
        f = requests[n];
    else if (args[0] == 0x1301)
        f = malloclike;
    else if (args[0] == 0x1302)
        f = freelike;
    else if (args[0] == 0x130b)
        f = resize_in_place;
    if (!f)
        return mempool_request(t, args, result);
    *result = f(t, args);
    return true;
}
