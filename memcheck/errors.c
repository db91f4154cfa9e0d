/* SPDX-License-Identifier: MIT */
/*
 * Memcheck's errors: what makes two of them the same, what they look like in text and XML, and
 * how suppressions name them.
 *
 * Until the core asks to complete an error, its `extra` is a small number (the Key: what two
 * equal errors must have in common); afterwards it is a Detail with everything that is printed.
 * So an error that occurs a million times allocates nothing.
 */
#include "errors.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "origin/origin.h"

/** Size of the access, and flags; always below KEY_LIMIT. */
enum { KEY_SIZE = 0x3ff, KEY_WRITE = 0x400, KEY_UNADDRESSABLE = 0x800, KEY_REGISTER = 0x1000,
       KEY_LIMIT = 0x2000 };

typedef enum Where { WHERE_NONE, WHERE_HEAP, WHERE_CLIENT_BLOCK, WHERE_CORE } Where;

/** What is printed of an error besides what GimleError has. */
typedef struct Detail {
    unsigned key;
    uint64_t arg[3];        /**< overlap: dst, src, n; fishy: value */
    const char *function;   /**< overlap */
    Where where;
    HeapBlock block;        /**< WHERE_HEAP: as it was */
    bool reused;            /**< in memory of a block that was freed not long ago */
    McClientBlock client;   /**< WHERE_CLIENT_BLOCK */
    AddrDesc core;          /**< WHERE_CORE */
    const McLoss *loss;     /**< ME_LEAK */
    GuestAddr origin_addr;  /**< what the undefined value was loaded from */
    Origin origin;
} Detail;

static _Thread_local Detail pending; /**< of the error being recorded */
static atomic_bool saw_undefined;

bool mc_saw_undefined(void) { return atomic_load(&saw_undefined); }

static unsigned key_of(const GimleError *e)
{
    uintptr_t v = (uintptr_t)e->extra;
    return v < KEY_LIMIT ? (unsigned)v : ((const Detail *)e->extra)->key;
}

const char *mc_commas(char *buf, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), out = 0;
    for (int i = 0; i < len; i++) {
        buf[out++] = digits[i];
        if ((len - 1 - i) % 3 == 0 && i + 1 < len)
            buf[out++] = ',';
    }
    buf[out] = '\0';
    return buf;
}

/* ---- recording ---------------------------------------------------------------------- */

static void record(Thread *t, McErrorKind kind, GuestAddr a, const char *string, unsigned key)
{
    pending.key = key;
    gimle_error(t, kind, a, string, (void *)(uintptr_t)key, NULL);
}

void mc_error_value(Thread *t, unsigned size, GuestAddr origin)
{
    pending.origin_addr = origin;
    if (mc_options.undef_value_errors)
        record(t, ME_VALUE, 0, NULL, size & KEY_SIZE);
}

void mc_error_cond(Thread *t, GuestAddr origin)
{
    pending.origin_addr = origin;
    if (mc_options.undef_value_errors)
        record(t, ME_COND, 0, NULL, 0);
}

/** Is @p a in the part below the stack pointer that the user asked to ignore? */
static bool is_ignored_below_sp(Thread *t, GuestAddr a)
{
    if (mc_options.ignore_below_sp_hi == 0)
        return false;
    GuestAddr sp = gimle_thread_get_reg(t, gimle_guest->sp);
    int64_t below = (int64_t)(sp - a);
    return below >= mc_options.ignore_below_sp_lo && below <= mc_options.ignore_below_sp_hi;
}

/** The last access reported on this thread: its instruction and address. */
static _Thread_local struct { GuestAddr pc, addr; } last_access;

bool mc_error_just_reported(Thread *t, GuestAddr a)
{
    return last_access.pc == gimle_thread_get_reg(t, gimle_guest->pc) && last_access.addr &&
           a - last_access.addr < 64;
}

void mc_error_access(Thread *t, GuestAddr a, unsigned size, bool write)
{
    last_access.pc = gimle_thread_get_reg(t, gimle_guest->pc);
    last_access.addr = a;
    if (mc_is_ignored_address(a) || is_ignored_below_sp(t, a))
        return;
    record(t, ME_ADDR, a, NULL, (size & KEY_SIZE) | (write ? KEY_WRITE : 0));
}

void mc_error_jump(Thread *t, GuestAddr a) { record(t, ME_JUMP, a, NULL, 0); }

void mc_error_param(Thread *t, const char *what, GuestAddr a, bool unaddressable)
{
    if (!unaddressable && !mc_options.undef_value_errors)
        return;
    pending.origin_addr = a;
    record(t, ME_PARAM, a, what, unaddressable ? KEY_UNADDRESSABLE : 0);
}

void mc_error_param_register(Thread *t, const char *what, GuestAddr origin)
{
    pending.origin_addr = origin;
    if (mc_options.undef_value_errors)
        record(t, ME_PARAM, 0, what, KEY_REGISTER);
}

void mc_error_user(Thread *t, GuestAddr a, bool unaddressable)
{
    pending.origin_addr = a;
    record(t, ME_USER, a, NULL, unaddressable ? KEY_UNADDRESSABLE : 0);
}

void mc_error_free(Thread *t, GuestAddr a) { record(t, ME_FREE, a, NULL, 0); }
void mc_error_mismatch(Thread *t, GuestAddr a) { record(t, ME_MISMATCH, a, NULL, 0); }
void mc_error_mempool(Thread *t, GuestAddr pool) { record(t, ME_MEMPOOL, pool, NULL, 0); }

void mc_error_overlap(Thread *t, const char *function, GuestAddr dst, GuestAddr src, size_t n)
{
    pending.function = function;
    pending.arg[0] = dst;
    pending.arg[1] = src;
    pending.arg[2] = n;
    record(t, ME_OVERLAP, 0, function, 0);
}

void mc_error_fishy(Thread *t, const char *what, int64_t value)
{
    pending.arg[0] = (uint64_t)value;
    record(t, ME_FISHY, 0, what, 0);
}

bool mc_error_leak(Thread *t, McLoss *loss, bool print, bool count)
{
    Detail d = { .loss = loss };
    return gimle_error_unique(t, ME_LEAK, 0, NULL, &d, loss->where, print, count);
}

/* ---- comparing and completing ------------------------------------------------------- */

static bool errors_equal(const GimleError *a, const GimleError *b)
{
    if (a->kind == ME_PARAM || a->kind == ME_FISHY || a->kind == ME_OVERLAP)
        if (a->string != b->string && strcmp(a->string, b->string) != 0)
            return false;
    if (a->kind == ME_LEAK)
        return false;
    return key_of(a) == key_of(b);
}

/** A block within reach of @p a, which is in no block's slot; the nearest ones first. */
static HeapBlock *block_beside(GuestAddr a)
{
    enum { STEP = 16, REACH = 64 };
    HeapBlock *b = NULL;
    for (GuestAddr d = STEP; d <= REACH && !b && a > REACH; d += STEP) {
        b = gimle_heap_find_near(a + d);
        if (!b)
            b = gimle_heap_find_near(a - d);
    }
    return b;
}

/** Blocks of pools come first, then the live block that @p a is in, then what is near. */
static HeapBlock *block_to_show(GuestAddr a)
{
    HeapBlock *near = gimle_heap_find_near(a);
    if (!near)
        return block_beside(a);
    if (near->kind >= HEAP_POOL && !near->freed)
        return near;
    HeapBlock *live = gimle_heap_find_live(a);
    return live ? live : near;
}

static void describe(Thread *t, GuestAddr a, Detail *d)
{
    HeapBlock *h = block_to_show(a);
    if (mc_client_block_at(a, &d->client)) {
        d->where = WHERE_CLIENT_BLOCK;
    } else if (h) {
        d->where = WHERE_HEAP;
        d->block = *h;
        d->reused = !h->freed && h->kind < HEAP_POOL && gimle_heap_is_reused(a);
    } else {
        d->where = WHERE_CORE;
        gimle_describe_addr(t, a, &d->core);
    }
}

static void errors_complete(GimleError *e)
{
    static const bool has_address[ME_KINDS] = {
        [ME_ADDR] = true, [ME_JUMP] = true, [ME_PARAM] = true, [ME_USER] = true,
        [ME_FREE] = true, [ME_MISMATCH] = true, [ME_MEMPOOL] = true,
    };
    if (e->kind == ME_LEAK)
        return;
    Detail *d = malloc(sizeof *d);
    CHECK(d != NULL, "out of memory");
    *d = pending;
    d->key = key_of(e);
    d->where = WHERE_NONE;
    d->reused = false;
    if (has_address[e->kind] && !(d->key & KEY_REGISTER))
        describe(e->thread, e->addr, d);
    if (e->kind == ME_MISMATCH) /* it is about this block only */
        d->reused = false;
    bool about_values = e->kind == ME_VALUE || e->kind == ME_COND ||
                        ((e->kind == ME_PARAM || e->kind == ME_USER) &&
                         !(d->key & KEY_UNADDRESSABLE));
    d->origin = (Origin){ ORIGIN_NONE, NULL };
    if (about_values) {
        atomic_store(&saw_undefined, true);
        if (mc_options.track_origins)
            d->origin = origin_find(e->thread, d->origin_addr, e->where);
    }
    e->extra = d;
}

/* ---- printing ----------------------------------------------------------------------- */

static void print_range(ErrorPrinter *p, GuestAddr a, GuestAddr start, size_t size,
                        const char *what, const char *state)
{
    char delta[32], total[32];
    const char *relation = "inside";
    uint64_t off = a - start;
    if (a < start) {
        relation = "before";
        off = start - a;
    } else if (off >= size) {
        relation = "after";
        off -= size;
    }
    gimle_print_aux(p, "Address 0x%lx is %s bytes %s a %s of size %s %s", (unsigned long)a,
                    mc_commas(delta, off), relation, what, mc_commas(total, size), state);
}

static void print_heap_block(ErrorPrinter *p, GuestAddr a, const Detail *d)
{
    const HeapBlock *b = &d->block;
    print_range(p, a, b->addr, b->size, d->reused ? "recently re-allocated block" : "block",
                b->freed ? "free'd" : b->kind >= HEAP_POOL ? "client-defined" : "alloc'd");
    const StackTrace *where = b->freed ? b->free : b->alloc;
    gimle_print_stack(p, where ? where : gimle_stack_trace_intern(&(GuestAddr){ 0 }, 1));
    if (b->freed && b->alloc) {
        gimle_print_aux(p, "Block was alloc'd at");
        gimle_print_stack(p, b->alloc);
    }
}

static void print_where(const GimleError *e, const Detail *d, ErrorPrinter *p)
{
    switch (d->where) {
    case WHERE_NONE:
        break;
    case WHERE_HEAP:
        print_heap_block(p, e->addr, d);
        break;
    case WHERE_CLIENT_BLOCK:
        print_range(p, e->addr, d->client.start, d->client.size, d->client.name, "client-defined");
        if (d->client.where)
            gimle_print_stack(p, d->client.where);
        break;
    case WHERE_CORE:
        gimle_print_addr(p, e->addr, &d->core);
        break;
    }
}

static void print_origin(const Detail *d, ErrorPrinter *p)
{
    if (!d->origin.where)
        return;
    gimle_print_aux(p, "Uninitialised value was created by a %s",
                    d->origin.kind == ORIGIN_HEAP ? "heap allocation"
                    : d->origin.kind == ORIGIN_USER ? "client request" : "stack allocation");
    gimle_print_stack(p, d->origin.where);
}

static void print_param(const GimleError *e, const Detail *d, ErrorPrinter *p)
{
    if (d->key & KEY_REGISTER)
        gimle_print_what(p, "SyscallParam", "Syscall param %s contains uninitialised byte(s)",
                         e->string);
    else
        gimle_print_what(p, "SyscallParam", "Syscall param %s points to %s byte(s)", e->string,
                         d->key & KEY_UNADDRESSABLE ? "unaddressable" : "uninitialised");
}

/** e->string is "malloc(size)". */
static void print_fishy(const GimleError *e, const Detail *d, ErrorPrinter *p)
{
    int function = (int)strcspn(e->string, "(");
    const char *arg = e->string + function + 1;
    gimle_print_what(p, "FishyValue",
                     "Argument '%.*s' of function %.*s has a fishy (possibly negative) value: %ld",
                     (int)strcspn(arg, ")"), arg, function, e->string, (long)d->arg[0]);
}

static void print_overlap(const Detail *d, ErrorPrinter *p)
{
    if (d->arg[2] == (uint64_t)-1)
        gimle_print_what(p, "Overlap", "Source and destination overlap in %s(0x%lx, 0x%lx)",
                         d->function, (unsigned long)d->arg[0], (unsigned long)d->arg[1]);
    else
        gimle_print_what(p, "Overlap", "Source and destination overlap in %s(0x%lx, 0x%lx, %lu)",
                         d->function, (unsigned long)d->arg[0], (unsigned long)d->arg[1],
                         (unsigned long)d->arg[2]);
}

const char *mc_with_delta(char *buf, bool delta, uint64_t now, uint64_t before)
{
    char a[32], d[32];
    mc_commas(a, now);
    if (!delta)
        snprintf(buf, MC_DELTA_TEXT, "%s", a);
    else if (now >= before)
        snprintf(buf, MC_DELTA_TEXT, "%s (+%s)", a, mc_commas(d, now - before));
    else
        snprintf(buf, MC_DELTA_TEXT, "%s (-%s)", a, mc_commas(d, before - now));
    return buf;
}

static void print_leak(const McLoss *l, ErrorPrinter *p)
{
    static const char *const xml_kind[LEAK_KINDS] = {
        [LEAK_REACHABLE] = "Leak_StillReachable", [LEAK_POSSIBLE] = "Leak_PossiblyLost",
        [LEAK_INDIRECT] = "Leak_IndirectlyLost", [LEAK_DEFINITE] = "Leak_DefinitelyLost",
    };
    static const char *const text[LEAK_KINDS] = {
        [LEAK_REACHABLE] = "still reachable", [LEAK_POSSIBLE] = "possibly lost",
        [LEAK_INDIRECT] = "indirectly lost", [LEAK_DEFINITE] = "definitely lost",
    };
    char all[MC_DELTA_TEXT], direct[MC_DELTA_TEXT], indirect[MC_DELTA_TEXT], blocks[MC_DELTA_TEXT];
    char number[32], of[32];
    uint64_t total = l->bytes + l->indirect_bytes;
    mc_with_delta(all, l->delta, total, l->old_bytes + l->old_indirect_bytes);
    mc_with_delta(direct, l->delta, l->bytes, l->old_bytes);
    mc_with_delta(indirect, l->delta, l->indirect_bytes, l->old_indirect_bytes);
    mc_with_delta(blocks, l->delta, l->blocks, l->old_blocks);
    mc_commas(number, l->number);
    mc_commas(of, l->of);
    if (l->indirect_bytes > 0)
        gimle_print_xwhat_leak(p, xml_kind[l->kind], total, l->blocks,
                               "%s (%s direct, %s indirect) bytes in %s blocks"
                               " are %s in loss record %s of %s",
                               all, direct, indirect, blocks, text[l->kind], number, of);
    else
        gimle_print_xwhat_leak(p, xml_kind[l->kind], total, l->blocks,
                               "%s bytes in %s blocks are %s in loss record %s of %s", all, blocks,
                               text[l->kind], number, of);
}

void mc_print_loss(const McLoss *loss)
{
    McLoss l = *loss;
    l.delta = false;
    ErrorPrinter *p = gimle_print_begin_apart();
    print_leak(&l, p);
    gimle_print_stack(p, l.where);
    gimle_print_end_apart(p);
}

void mc_print_address(Thread *t, GuestAddr a)
{
    const GimleError e = { .thread = t, .addr = a };
    Detail d = { 0 };
    describe(t, a, &d);
    ErrorPrinter *p = gimle_print_begin_apart();
    print_where(&e, &d, p);
    gimle_print_end_apart(p);
}

static void print_simple(const GimleError *e, const Detail *d, ErrorPrinter *p)
{
    unsigned size = d->key & KEY_SIZE;
    bool write = d->key & KEY_WRITE;
    switch ((McErrorKind)e->kind) {
    case ME_VALUE:
        gimle_print_what(p, "UninitValue", "Use of uninitialised value of size %u", size);
        break;
    case ME_COND:
        gimle_print_what(p, "UninitCondition",
                         "Conditional jump or move depends on uninitialised value(s)");
        break;
    case ME_ADDR:
        gimle_print_what(p, write ? "InvalidWrite" : "InvalidRead", "Invalid %s of size %u",
                         write ? "write" : "read", size);
        break;
    case ME_JUMP:
        gimle_print_what(p, "InvalidJump", "Jump to the invalid address stated on the next line");
        break;
    case ME_USER:
        gimle_print_what(p, "ClientCheck", "%s byte(s) found during client check request",
                         d->key & KEY_UNADDRESSABLE ? "Unaddressable" : "Uninitialised");
        break;
    case ME_FREE:
        gimle_print_what(p, "InvalidFree", "Invalid free() / delete / delete[] / realloc()");
        break;
    case ME_MISMATCH:
        gimle_print_what(p, "MismatchedFree", "Mismatched free() / delete / delete []");
        break;
    case ME_MEMPOOL:
        gimle_print_what(p, "InvalidMemPool", "Illegal memory pool address");
        break;
    default:
        UNREACHABLE("error kind %d", e->kind);
    }
}

static void errors_print(const GimleError *e, ErrorPrinter *p)
{
    const Detail *d = e->extra;
    if (e->kind == ME_LEAK)
        print_leak(d->loss, p);
    else if (e->kind == ME_PARAM)
        print_param(e, d, p);
    else if (e->kind == ME_OVERLAP)
        print_overlap(d, p);
    else if (e->kind == ME_FISHY)
        print_fishy(e, d, p);
    else
        print_simple(e, d, p);
    if (e->where)
        gimle_print_stack(p, e->where);
    if (e->kind == ME_LEAK)
        return;
    print_where(e, d, p);
    print_origin(d, p);
}

/* ---- suppressions ------------------------------------------------------------------- */

/** Names in suppressions; sized ones stand for one size each. */
static const struct SuppName {
    const char *name;
    McErrorKind kind;
    unsigned size;
} supp_names[] = {
    { "Addr1", ME_ADDR, 1 },   { "Addr2", ME_ADDR, 2 },   { "Addr4", ME_ADDR, 4 },
    { "Addr8", ME_ADDR, 8 },   { "Addr16", ME_ADDR, 16 }, { "Addr32", ME_ADDR, 32 },
    { "Addr64", ME_ADDR, 64 },
    { "Value1", ME_VALUE, 1 }, { "Value2", ME_VALUE, 2 }, { "Value4", ME_VALUE, 4 },
    { "Value8", ME_VALUE, 8 }, { "Value16", ME_VALUE, 16 }, { "Value32", ME_VALUE, 32 },
    { "Value64", ME_VALUE, 64 },
    { "Cond", ME_COND, 0 },    { "Value0", ME_COND, 0 },  { "Jump", ME_JUMP, 0 },
    { "Param", ME_PARAM, 0 },  { "User", ME_USER, 0 },    { "Free", ME_FREE, 0 },
    { "Overlap", ME_OVERLAP, 0 }, { "FishyValue", ME_FISHY, 0 }, { "Mempool", ME_MEMPOOL, 0 },
    { "Leak", ME_LEAK, 0 },
};
enum { N_SUPP_NAMES = sizeof supp_names / sizeof supp_names[0] };

/** GimleSupp.extra of leaks: bits of LeakKind. */
static void *leak_kind_bits(unsigned bits) { return (void *)(uintptr_t)bits; }

static McErrorKind supp_kind(const GimleError *e)
{
    return e->kind == ME_MISMATCH ? ME_FREE : (McErrorKind)e->kind;
}

static bool name_fits(const struct SuppName *n, const GimleError *e)
{
    if (n->kind != supp_kind(e))
        return false;
    bool sized = n->kind == ME_ADDR || n->kind == ME_VALUE;
    return !sized || n->size == (key_of(e) & KEY_SIZE);
}

static const char *supp_name(const GimleError *e)
{
    for (unsigned k = 0; k < N_SUPP_NAMES; k++)
        if (name_fits(&supp_names[k], e))
            return supp_names[k].name;
    return NULL;
}

static bool supp_recognise(const char *name, GimleSupp *s)
{
    for (unsigned k = 0; k < N_SUPP_NAMES; k++) {
        if (strcmp(name, supp_names[k].name) != 0)
            continue;
        /* The row number: sized kinds differ in more than their kind. */
        s->kind = (int)k;
        s->string = NULL;
        s->extra = supp_names[k].kind == ME_LEAK ? leak_kind_bits((1u << LEAK_KINDS) - 1) : NULL;
        return true;
    }
    return false;
}

/** "definite,possible", "all", "none" as bits; -1 if malformed. */
static int parse_leak_kinds(const char *text)
{
    static const char *const names[LEAK_KINDS] = {
        [LEAK_REACHABLE] = "reachable", [LEAK_POSSIBLE] = "possible",
        [LEAK_INDIRECT] = "indirect", [LEAK_DEFINITE] = "definite",
    };
    int bits = 0;
    while (*text) {
        while (*text == ' ' || *text == ',')
            text++;
        size_t n = strcspn(text, ", ");
        int bit = -1;
        for (int k = 0; k < LEAK_KINDS; k++)
            if (strlen(names[k]) == n && strncmp(text, names[k], n) == 0)
                bit = 1 << k;
        if (n == 3 && strncmp(text, "all", 3) == 0)
            bit = (1 << LEAK_KINDS) - 1;
        if (n == 4 && strncmp(text, "none", 4) == 0)
            bit = 0;
        if (n && bit < 0)
            return -1;
        bits |= n ? bit : 0;
        text += n;
    }
    return bits;
}

static bool is_frame_line(const char *line)
{
    return strncmp(line, "fun:", 4) == 0 || strncmp(line, "obj:", 4) == 0 ||
           strncmp(line, "src:", 4) == 0 || strcmp(line, "...") == 0;
}

static int supp_line(GimleSupp *s, const char *line)
{
    static const char leak_kinds[] = "match-leak-kinds:";
    McErrorKind kind = supp_names[s->kind].kind;
    if (kind == ME_LEAK && strncmp(line, leak_kinds, sizeof leak_kinds - 1) == 0) {
        int bits = parse_leak_kinds(line + sizeof leak_kinds - 1);
        s->extra = leak_kind_bits((unsigned)bits);
        return bits < 0 ? -1 : 1;
    }
    if ((kind == ME_PARAM || kind == ME_FISHY) && !s->string && !is_frame_line(line)) {
        s->string = strdup(line);
        return s->string ? 1 : -1;
    }
    return 0;
}

static bool supp_match(const GimleError *e, const GimleSupp *s)
{
    if (!name_fits(&supp_names[s->kind], e))
        return false;
    if (e->kind == ME_LEAK)
        return (uintptr_t)s->extra >> ((const Detail *)e->extra)->loss->kind & 1;
    if (s->string)
        return e->string && strcmp(s->string, e->string) == 0;
    return true;
}

static const char *supp_extra(const GimleError *e)
{
    static const char *const leaks[LEAK_KINDS] = {
        [LEAK_REACHABLE] = "match-leak-kinds: reachable",
        [LEAK_POSSIBLE] = "match-leak-kinds: possible",
        [LEAK_INDIRECT] = "match-leak-kinds: indirect",
        [LEAK_DEFINITE] = "match-leak-kinds: definite",
    };
    if (e->kind == ME_LEAK)
        return leaks[((const Detail *)e->extra)->loss->kind];
    return e->kind == ME_PARAM || e->kind == ME_FISHY ? e->string : NULL;
}

const GimleErrorOps mc_error_ops = {
    .equal = errors_equal,
    .complete = errors_complete,
    .print = errors_print,
    .supp_name = supp_name,
    .supp_recognise = supp_recognise,
    .supp_line = supp_line,
    .supp_match = supp_match,
    .supp_extra = supp_extra,
};
