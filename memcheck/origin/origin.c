/* SPDX-License-Identifier: MIT */
/*
 * From the address an undefined value was loaded from to the place that made it undefined.
 * Values that are copied before they are used leave a note at each copy; a note on the stack
 * counts only while the function that made it is still active, since frames come and go
 * without our being told.
 */
#include "origin.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"

enum {
    MAX_USER_NOTES = 1 << 14, MAX_COPIES = 32, MAX_STORE = 64, MAX_FUNCTION = 1 << 20, NAME = 512
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /**< a leaf */

void origin_init(void)
{
    size_t size = ORIGIN_TABLE_SIZE + sizeof(uint64_t);
    void *p = mmap((void *)ORIGIN_TABLE, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED, "out of memory");
}

/** The note on @p a, with the origin of that very byte. @p b: the heap block that it is in now. */
static bool find_note(GuestAddr a, const HeapBlock *b, OriginNote *out)
{
    for (unsigned k = 0; k < MAX_STORE && k < a; k++) {
        OriginNote n = *origin_note_at(a - k);
        if (n.to != a - k || n.pc >> ORIGIN_SIZE_AT <= k || n.from == 0 || (b && n.age < b->user))
            continue;
        n.from += k;
        n.pc &= (1ULL << ORIGIN_SIZE_AT) - 1;
        *out = n;
        return true;
    }
    /* Bytes that were stored one by one share a note, which is about the last of them. */
    OriginNote n = *origin_note_at(a);
    bool beside = n.to > a && n.to >> 2 == a >> 2 && n.from != 0 && !(b && n.age < b->user);
    n.pc &= (1ULL << ORIGIN_SIZE_AT) - 1;
    if (beside)
        *out = n;
    return beside;
}

static void copy_name(char *buf, GuestAddr pc)
{
    strncpy(buf, gimle_function_name(pc), NAME - 1);
    buf[NAME - 1] = '\0';
}

/** Which of @p now is the frame of the function of @p pc; -1 if it has returned. */
static int active_frame(GuestAddr pc, const StackTrace *now)
{
    char name[NAME];
    copy_name(name, pc);
    for (uint32_t i = 0; now && i < now->n && name[0]; i++)
        if (strcmp(name, gimle_function_name(i ? now->pc[i] - 1 : now->pc[i])) == 0)
            return (int)i;
    return -1;
}

/**
 * Is the function of @p pc one of those in @p now?  The dynamic linker's trampoline, which puts
 * the arguments of a first call on the stack and takes them back, counts as one: it has just run.
 */
static bool is_active(GuestAddr pc, const StackTrace *now)
{
    static const char trampoline[] = "_dl_runtime_resolve";
    return strncmp(gimle_function_name(pc), trampoline, sizeof trampoline - 1) == 0 ||
           active_frame(pc, now) >= 0;
}

/** First address of the function of @p pc. */
static GuestAddr function_start(GuestAddr pc)
{
    char name[NAME];
    copy_name(name, pc);
    GuestAddr in = pc, out = pc > MAX_FUNCTION ? pc - MAX_FUNCTION : 0;
    for (GuestAddr step = 16; step < MAX_FUNCTION && pc > step; step *= 2) {
        if (strcmp(name, gimle_function_name(pc - step)) != 0) {
            out = pc - step;
            break;
        }
        in = pc - step;
    }
    while (in - out > 1) {
        GuestAddr mid = out + (in - out) / 2;
        if (strcmp(name, gimle_function_name(mid)) == 0)
            in = mid;
        else
            out = mid;
    }
    return in;
}

/** The function that was called shortly before @p pc, where its result is used; 0. */
static GuestAddr called_before(GuestAddr pc)
{
    enum { REACH = 64, CALL = 0xe8, CALL_BYTES = 5 };
    uint8_t code[REACH];
    int32_t distance;
    if (pc < REACH || gimle_read_guest(code, pc - REACH, REACH) != REACH)
        return 0;
    GuestAddr start = function_start(pc);
    int first = pc - start < REACH ? (int)(REACH - (pc - start)) : 0;
    for (int i = REACH - CALL_BYTES; i >= first; i--) {
        memcpy(&distance, &code[i + 1], sizeof distance);
        GuestAddr to = pc - REACH + (GuestAddr)(i + CALL_BYTES) + (GuestAddr)(int64_t)distance;
        if (code[i] == CALL && gimle_function_name(to)[0] && function_start(to) == to)
            return to;
    }
    return 0;
}

/** Is what @p d describes below frame @p f, where functions were that have returned to it? */
static bool is_below(const AddrDesc *d, int f)
{
    return f >= 0 && (d->kind == ADDR_BELOW_SP || (d->kind == ADDR_STACK && d->frame >= 0 && d->frame < f));
}

static Origin of_stack(const AddrDesc *d, const StackTrace *now)
{
    if (!now || now->n == 0)
        return (Origin){ ORIGIN_UNKNOWN, NULL };
    uint32_t frame = d->frame > 0 && (uint32_t)d->frame < now->n ? (uint32_t)d->frame : 0;
    GuestAddr pc = function_start(frame ? now->pc[frame] - 1 : now->pc[frame]);
    return (Origin){ ORIGIN_STACK, gimle_stack_trace_intern(&pc, 1) };
}

/* ---- what the client made undefined ------------------------------------------------- */

typedef struct UserNote {
    GuestAddr start, end;
    const StackTrace *where;
    HeapBlock *block;           /**< that it was in, and that block's stack; NULL: not in the heap */
    const StackTrace *alloc;
} UserNote;

static UserNote *user_note;     /**< a ring of the newest; under lock */
static size_t n_user_notes;     /**< made in all */

void origin_note_user(Thread *t, GuestAddr a, size_t len)
{
    UserNote n = { .start = a, .end = a + len, .where = gimle_stack_trace(t),
                   .block = gimle_heap_find_live(a) };
    n.alloc = n.block ? n.block->alloc : NULL;
    pthread_mutex_lock(&lock);
    if (!user_note) {
        user_note = malloc(MAX_USER_NOTES * sizeof *user_note);
        CHECK(user_note != NULL, "out of memory");
    }
    user_note[n_user_notes++ % MAX_USER_NOTES] = n;
    pthread_mutex_unlock(&lock);
}

/** The newest note about @p a, unless its block or its function is gone. */
static const StackTrace *find_user_note(GuestAddr a, const StackTrace *now)
{
    UserNote n = { 0 };
    size_t have = n_user_notes < MAX_USER_NOTES ? n_user_notes : MAX_USER_NOTES;
    pthread_mutex_lock(&lock);
    for (size_t i = 1; i <= have && !n.where; i++) {
        const UserNote *u = &user_note[(n_user_notes - i) % MAX_USER_NOTES];
        if (a >= u->start && a < u->end)
            n = *u;
    }
    pthread_mutex_unlock(&lock);
    if (!n.where)
        return NULL;
    HeapBlock *b = gimle_heap_find_live(a);
    GuestMapping m;
    if (b != n.block || (b && b->alloc != n.alloc))
        return NULL;
    bool on_stack = !b && gimle_mapping_at(a, &m) && m.is_stack;
    if (on_stack) /* whoever called the request, or made the frame, has to be active still */
        for (uint32_t i = 0; i < n.where->n; i++)
            if (is_active(i ? n.where->pc[i] - 1 : n.where->pc[i], now))
                return n.where;
    return on_stack ? NULL : n.where;
}

/*
 * Values from frames that are gone were returned by the function that was just called.  A note counts there
 * if that function has made it; otherwise it is of an older frame, and the value the function's own.
 */
Origin origin_find(Thread *t, GuestAddr a, const StackTrace *now)
{
    GuestAddr at = now && now->n ? now->pc[0] : 0; /* what code used the value */
    int frame = -1;                                /* below it are frames that are gone */
    if (a == 0)
        return (Origin){ ORIGIN_NONE, NULL };
    for (int i = 0; i < MAX_COPIES; i++) {
        OriginNote n = { 0 };
        AddrDesc d;
        const StackTrace *user = n_user_notes ? find_user_note(a, now) : NULL;
        if (user)
            return (Origin){ ORIGIN_USER, user };
        HeapBlock *b = gimle_heap_find_near(a);
        bool noted = find_note(a, b, &n);
        if (!noted || (!b && !is_active(n.pc, now))) {
            if (b && b->alloc)
                return (Origin){ ORIGIN_HEAP, b->alloc };
            gimle_describe_addr(t, a, &d);
            frame = frame < 0 ? active_frame(at, now) : frame;
            GuestAddr callee = is_below(&d, frame) ? called_before(at) : 0;
            bool by_callee = noted && callee && function_start(n.pc) == callee;
            if (callee && !by_callee)
                return (Origin){ ORIGIN_STACK, gimle_stack_trace_intern(&callee, 1) };
            if (!by_callee) {
                /* A leaf function has its variables in the red zone. */
                bool stack = d.kind == ADDR_STACK || d.kind == ADDR_BELOW_SP;
                return stack ? of_stack(&d, now) : (Origin){ ORIGIN_UNKNOWN, NULL };
            }
        }
        a = n.from;
        at = n.pc;
    }
    return (Origin){ ORIGIN_UNKNOWN, NULL };
}
