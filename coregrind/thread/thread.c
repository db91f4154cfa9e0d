/* SPDX-License-Identifier: MIT */
/*
 * The table of guest threads and stopping them.  A thread is "running" from thread_leave_blocking()
 * to thread_enter_blocking(); the world is stopped when no other thread is running.  Invariant: a
 * running thread never waits for one that has stopped the world except in thread_safe_point().
 */
#include "thread.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "VEX/vex.h"
#include "base/check.h"
#include "base/ranked_lock.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/events.h"
#include "host_thread.h"
#include "serialise.h"
#include "stacks.h"
#include "thread_internal.h"

enum { MAX_THREADS = 20000 };

static Thread *thread_table[MAX_THREADS];
static unsigned thread_high, thread_live; /* LOCK_threads */
static _Thread_local Thread *self;

/* Stopping the world; its own mutex because threads wait here. */
static pthread_mutex_t world_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t world_changed = PTHREAD_COND_INITIALIZER;
static Thread *world_owner;
static unsigned world_depth, world_running;
static volatile bool world_stopping;

Thread *thread_self(void) { return self; }
Thread *gimle_thread_self(void) { return self; }
unsigned gimle_thread_id(const Thread *t) { return t->id; }
VexState *gimle_thread_state(Thread *t) { return t->state; }
Thread *gimle_thread_of_state(VexState *s) { return s->thread; }
unsigned gimle_thread_count(void) { return thread_live; }

uint64_t gimle_thread_get_reg(const Thread *t, RegId r)
{
    uint64_t v = 0;
    unsigned n = gimle_reg_size(r);
    memcpy(&v, (const char *)t->state + gimle_reg_offset(r), n < 8 ? n : 8);
    return v;
}

void gimle_thread_set_reg(Thread *t, RegId r, uint64_t v)
{
    unsigned n = gimle_reg_size(r);
    memcpy((char *)t->state + gimle_reg_offset(r), &v, n < 8 ? n : 8);
}

bool gimle_thread_stack(const Thread *t, GuestAddr *lo, GuestAddr *hi)
{
    Thread *w = (Thread *)t; /* the cached range is no part of the thread's meaning */
    GuestAddr sp = gimle_thread_get_reg(t, gimle_guest->sp);
    if (sp < t->stack_lo || sp >= t->stack_hi) {
        GuestMapping m;
        if (stacks_find(sp, &w->stack_lo, &w->stack_hi)) {
            /* as the client said */
        } else if (gimle_mapping_at(sp, &m)) {
            w->stack_lo = m.start;
            w->stack_hi = m.end;
        } else {
            return false;
        }
    }
    *lo = t->stack_lo;
    *hi = t->stack_hi;
    return true;
}

Thread *thread_new(Thread *parent)
{
    Thread *t = calloc(1, sizeof *t);
    VexState *s = vex_state_new(THREAD_STACK_BYTES);
    if (!t || !s) {
        free(t);
        return NULL;
    }
    t->state = s;
    t->parent = parent;
    s->thread = t;
    vex_state_prepare(s);
    lock_take(LOCK_threads);
    unsigned i = 0;
    while (i < MAX_THREADS && thread_table[i])
        i++;
    if (i < MAX_THREADS) {
        thread_table[i] = t;
        t->id = i + 1;
        thread_live++;
        if (i >= thread_high)
            thread_high = i + 1;
    }
    lock_release(LOCK_threads);
    if (!t->id) {
        vex_state_free(s);
        free(t);
        return NULL;
    }
    return t;
}

void thread_free_number(Thread *t)
{
    lock_take(LOCK_threads);
    if (thread_table[t->id - 1] == t)
        thread_table[t->id - 1] = NULL;
    lock_release(LOCK_threads);
}

void thread_delete(Thread *t)
{
    thread_free_number(t);
    lock_take(LOCK_threads);
    thread_live--;
    lock_release(LOCK_threads);
    self = NULL;
    vex_state_free(t->state);
    free(t);
}

void thread_bind(Thread *t)
{
    self = t;
    t->tid = (pid_t)syscall(SYS_gettid);
    t->host = pthread_self();
    aspace_bind_thread();
}

Thread *thread_new_main(bool serial)
{
    Thread *t = thread_new(NULL);
    CHECK(t != NULL, "out of memory for the first thread");
    t->is_main = true;
    thread_bind(t);
    serialise_init(serial);
    thread_leave_blocking(t);
    return t;
}

void thread_only_one_left(Thread *t)
{
    lock_reset_after_fork();
    pthread_mutex_init(&world_mutex, NULL);
    pthread_cond_init(&world_changed, NULL);
    for (unsigned i = 0; i < thread_high; i++) {
        Thread *other = thread_table[i];
        if (other && other != t) {
            vex_state_free(other->state);
            free(other);
            thread_table[i] = NULL;
        }
    }
    thread_live = 1;
    world_owner = NULL;
    world_depth = 0;
    world_stopping = false;
    world_running = 1;
    t->parent = NULL;
    t->is_main = true;
    t->blocked_in_kernel = false;
    thread_bind(t);
    serialise_fork_child();
}

Thread *thread_by_tid(pid_t tid)
{
    lock_take(LOCK_threads);
    Thread *t = NULL;
    while ((t = thread_next(t)) && t->tid != tid)
        ;
    lock_release(LOCK_threads);
    return t;
}

Thread *thread_next(Thread *t)
{
    for (unsigned i = t ? t->id : 0; i < thread_high; i++)
        if (thread_table[i])
            return thread_table[i];
    return NULL;
}

void thread_kick(Thread *t) { __atomic_store_n(&t->state->pending, 1, __ATOMIC_SEQ_CST); }

/** Wait until nobody else has the world stopped, then count as running. */
static void world_join(void)
{
    pthread_mutex_lock(&world_mutex);
    while (world_owner && world_owner != self)
        pthread_cond_wait(&world_changed, &world_mutex);
    world_running++;
    pthread_mutex_unlock(&world_mutex);
}

static void world_part(void)
{
    pthread_mutex_lock(&world_mutex);
    world_running--;
    pthread_cond_broadcast(&world_changed);
    pthread_mutex_unlock(&world_mutex);
}

void thread_leave_blocking(Thread *t)
{
    serialise_acquire();
    world_join();
    t->blocked_in_kernel = false;
    EVENT(thread_turn, t);
}

void thread_enter_blocking(Thread *t)
{
    t->blocked_in_kernel = true;
    world_part();
    serialise_release();
}

void thread_end(Thread *t)
{
    bool is_host_main = t->is_main; /* it was not started by us, and makes the system call at once */
    serialise_release();
    if (!is_host_main)
        host_thread_ends();
    thread_delete(t);
    world_part();
}

void thread_safe_point(Thread *t)
{
    if (serialise_wanted() || (world_stopping && world_owner != t)) {
        thread_enter_blocking(t);
        thread_leave_blocking(t);
    }
}

void thread_stop_world(void)
{
    pthread_mutex_lock(&world_mutex);
    if (world_owner == self) {
        world_depth++;
        pthread_mutex_unlock(&world_mutex);
        return;
    }
    world_running--; /* while we wait for another owner we are stopped ourselves */
    pthread_cond_broadcast(&world_changed);
    while (world_owner)
        pthread_cond_wait(&world_changed, &world_mutex);
    world_running++;
    world_owner = self;
    world_depth = 1;
    world_stopping = true;
    pthread_mutex_unlock(&world_mutex);

    lock_take(LOCK_threads);
    for (Thread *t = NULL; (t = thread_next(t));)
        if (t != self)
            thread_kick(t);
    lock_release(LOCK_threads);

    pthread_mutex_lock(&world_mutex);
    while (world_running > 1)
        pthread_cond_wait(&world_changed, &world_mutex);
    pthread_mutex_unlock(&world_mutex);
}

void thread_start_world(void)
{
    pthread_mutex_lock(&world_mutex);
    CHECK(world_owner == self && world_depth > 0);
    if (--world_depth == 0) {
        world_owner = NULL;
        world_stopping = false;
        pthread_cond_broadcast(&world_changed);
    }
    pthread_mutex_unlock(&world_mutex);
}

void gimle_thread_for_each_stopped(void (*f)(void *ctx, Thread *t), void *ctx)
{
    thread_stop_world();
    for (Thread *t = NULL; (t = thread_next(t));)
        f(ctx, t);
    thread_start_world();
}

void thread_clear_child_tid(Thread *t)
{
    GuestAddr a = t->clear_child_tid;
    if (!a || !aspace_is_client_range(a, 4))
        return;
    int zero = 0;
    if (gimle_write_guest(a, &zero, sizeof zero) == sizeof zero)
        syscall(SYS_futex, a, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void thread_exit(Thread *t, int code)
{
    t->exit_code = code;
    t->exit_state = THREAD_EXITED;
    t->state->pending = 1;
}

void thread_exit_group(Thread *t, int code)
{
    t->exit_code = code;
    t->exit_state = PROCESS_EXITS;
    t->state->pending = 1;
}
