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
    return false;
}

static void copy_name(char *buf, GuestAddr pc)
{
    strncpy(buf, gimle_function_name(pc), NAME - 1);
    buf[NAME - 1] = '\0';
}

/**
 * Is the function of @p pc one of those in @p now?  The dynamic linker's trampoline, which puts
 * the arguments of a first call on the stack and takes them back, counts as one: it has just run.
 */
static bool is_active(GuestAddr pc, const StackTrace *now)
{
    static const char trampoline[] = "_dl_runtime_resolve";
    char name[NAME];
    copy_name(name, pc);
    if (strncmp(name, trampoline, sizeof trampoline - 1) == 0)
        return true;
    for (uint32_t i = 0; now && i < now->n && name[0]; i++)
        if (strcmp(name, gimle_function_name(i ? now->pc[i] - 1 : now->pc[i])) == 0)
            return true;
    return false;
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

Origin origin_find(Thread *t, GuestAddr a, const StackTrace *now)
{
    if (a == 0)
        return (Origin){ ORIGIN_NONE, NULL };
    for (int i = 0; i < MAX_COPIES; i++) {
        OriginNote n;
        const StackTrace *user = n_user_notes ? find_user_note(a, now) : NULL;
        if (user)
            return (Origin){ ORIGIN_USER, user };
        HeapBlock *b = gimle_heap_find_near(a);
        if (!find_note(a, b, &n) || (!b && !is_active(n.pc, now))) {
            AddrDesc d;
            if (b && b->alloc)
                return (Origin){ ORIGIN_HEAP, b->alloc };
            gimle_describe_addr(t, a, &d);
            /* A leaf function has its variables in the red zone. */
            bool stack = d.kind == ADDR_STACK || d.kind == ADDR_BELOW_SP;
            return stack ? of_stack(&d, now) : (Origin){ ORIGIN_UNKNOWN, NULL };
        }
        a = n.from;
    }
    return (Origin){ ORIGIN_UNKNOWN, NULL };
}
