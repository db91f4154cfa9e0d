/* SPDX-License-Identifier: MIT */
/*
 * New threads and processes for the client.  A thread of the client becomes a host thread that runs
 * exec_run_thread() on its own state; a process is a fork of the whole core, or, where the client
 * shares its memory with a vfork child, a child that runs on a stack of its own in our memory while
 * the calling thread waits in the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/ranked_lock.h"
#include "clone.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/events.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/os/host_mask.h"
#include "coregrind/os/kernel_abi.h"
#include "host_thread.h"
#include "thread.h"
#include "thread_internal.h"

static CloneHooks hooks;

void clone_set_hooks(const CloneHooks *h)
{
    hooks = *h;
    host_thread_on_first = h->first_host_thread;
}

enum { GPR_RAX = 0, GPR_RSP = 4 };

/** Flags of clone3() only; the first has the place of an exit signal in clone(). */
#define CLONE_NEWTIME_ 0x80ULL
#define CLONE_CLEAR_SIGHAND_ 0x100000000ULL
#define CLONE_INTO_CGROUP_ 0x200000000ULL

/** The new thread's registers are its parent's but for the result, stack and TLS. */
static void clone_copy_state(Thread *child, const Thread *parent, const CloneArgs *a)
{
    VexState *c = child->state, *p = parent->state;
    c->guest = p->guest;
    c->shadow = p->shadow;
    memcpy(c->tool, p->tool, sizeof c->tool);
    c->cur_mode = p->cur_mode;
    c->exit_mode = p->exit_mode;
    c->guest.gpr[GPR_RAX] = 0;
    if (a->stack)
        c->guest.gpr[GPR_RSP] = a->stack + a->stack_size;
    if (a->flags & CLONE_SETTLS)
        c->guest.fs_base = a->tls;
    EVENT(reg_write, child, GPR_RAX);
    EVENT(reg_write, child, GPR_RSP);
    child->blocked = parent->blocked;
    child->seccomp = parent->seccomp;
    child->seccomp_bound = parent->seccomp_bound;
    child->seccomp_strict = parent->seccomp_strict;
    if (a->flags & CLONE_CHILD_CLEARTID)
        child->clear_child_tid = a->child_tid;
}

/** What the parent and the new host thread tell each other. */
typedef struct ThreadStart {
    Thread *child;
    const CloneArgs *args;
    pthread_mutex_t mutex;
    pthread_cond_t started;
    bool has_started;
    pid_t tid; /* once it has started: the child may have ended before its parent looks */
} ThreadStart;

static void *clone_thread_main(void *arg)
{
    ThreadStart *start = arg;
    Thread *t = start->child;
    thread_bind(t);
    uint64_t own = (CLONE_FS | CLONE_FILES) & ~start->args->flags;
    if (own) /* the C library shares both with every thread */
        unshare((int)own);
    if (start->args->flags & CLONE_PARENT_SETTID)
        gimle_write_guest(start->args->parent_tid, &t->tid, sizeof t->tid);
    if (start->args->flags & CLONE_CHILD_SETTID)
        gimle_write_guest(start->args->child_tid, &t->tid, sizeof t->tid);
    pthread_mutex_lock(&start->mutex);
    start->has_started = true;
    start->tid = t->tid;
    pthread_cond_signal(&start->started);
    pthread_mutex_unlock(&start->mutex); /* start belongs to the parent's stack: gone from here on */

    thread_leave_blocking(t);
    hooks.thread_main(t);
    return NULL;
}

static int64_t clone_thread(Thread *t, const CloneArgs *a)
{
    Thread *child = thread_new(t);
    if (!child)
        return -EAGAIN;
    clone_copy_state(child, t, a);
    ThreadStart start = { .child = child, .args = a, .mutex = PTHREAD_MUTEX_INITIALIZER,
                          .started = PTHREAD_COND_INITIALIZER };
    EVENT(thread_create, t, child);

    int err = host_thread_start(clone_thread_main, &start);
    if (err) {
        Thread *me = thread_self();
        thread_delete(child);
        thread_bind(me);
        return -err;
    }
    pthread_mutex_lock(&start.mutex);
    while (!start.has_started)
        pthread_cond_wait(&start.started, &start.mutex);
    pthread_mutex_unlock(&start.mutex);
    return start.tid;
}

/** In a forked child: the core's own state becomes that of a process with one thread. */
static void clone_after_fork(Thread *t, const CloneArgs *a, const int ready[2])
{
    bool own_fds = !(a->flags & CLONE_FILES); /* else the parent closes them */
    thread_only_one_left(t);
    hooks.fork_child(t);
    char done = 1;
    ssize_t ignored = write(ready[1], &done, 1);
    (void)ignored;
    if (own_fds) {
        close(ready[0]);
        close(ready[1]);
    }
    EVENT(reg_write, t, GPR_RSP);
    t->clear_child_tid = a->flags & CLONE_CHILD_CLEARTID ? a->child_tid : 0;
    t->robust_list = 0;
    t->held = 0;
    t->dispatch.on = false;
    if (a->flags & CLONE_CLEAR_SIGHAND_)
        hooks.clear_handlers();
    if (a->flags & CLONE_CHILD_SETTID)
        gimle_write_guest(a->child_tid, &t->tid, sizeof t->tid);
    if (a->stack)
        t->state->guest.gpr[GPR_RSP] = a->stack + a->stack_size;
    if (a->flags & CLONE_SETTLS)
        t->state->guest.fs_base = a->tls;
    EVENT(fork_child, t);
}

/**
 * fork() of the C library keeps its own locks consistent in the child, but knows no flags; those
 * that matter to a client (exit signal, new namespaces, pidfd) go through the system call, which
 * leaves the C library believing in the parent's thread id, and nothing we use depends on that.
 * Its locks are free: other threads are at safe points or in the kernel, or have ended.
 */
static long clone_fork(const CloneArgs *a)
{
    uint64_t extra = a->flags & ~(uint64_t)(CLONE_VM | CLONE_VFORK | CLONE_CHILD_SETTID |
                                            CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID |
                                            CLONE_SETTLS | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND_);
    if (extra == 0 && a->exit_signal == SIGCHLD && !a->set_tid_size) {
        pid_t pid = fork();
        return pid < 0 ? -errno : pid;
    }
    int pidfd = -1;
    long r;
    if (extra & (CLONE_NEWTIME_ | CLONE_INTO_CGROUP_) || a->set_tid_size) {
        KernelCloneArgs k = { .flags = extra, .pidfd = (uintptr_t)&pidfd, .cgroup = a->cgroup,
                              .exit_signal = a->exit_signal, .set_tid = a->set_tid,
                              .set_tid_size = a->set_tid_size };
        r = syscall(SYS_clone3, &k, sizeof k);
    } else {
        r = syscall(SYS_clone, extra | a->exit_signal, 0, &pidfd, 0, 0);
    }
    if (r > 0 && (extra & CLONE_PIDFD))
        gimle_write_guest(a->pidfd, &pidfd, sizeof pidfd);
    return r < 0 ? -errno : r;
}

/** Wait until the child has made the core its own, or is dead; closes @p ready. */
static void clone_wait_ready(const int ready[2], pid_t pid, bool shared_fds)
{
    enum { LOOK_MS = 20, MOST_LOOKS = 500 }; /* a limit for children that are somebody else's */
    char c;
    siginfo_t dead = { 0 };
    struct pollfd p = { .fd = ready[0], .events = POLLIN };
    if (!shared_fds)
        close(ready[1]); /* so that the child's end is the pipe's */
    for (int i = 0; shared_fds && i < MOST_LOOKS && poll(&p, 1, LOOK_MS) <= 0; i++)
        if (waitid(P_PID, (id_t)pid, &dead, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
            dead.si_pid == pid)
            break;
    while ((!shared_fds || poll(&p, 1, 0) > 0) && read(ready[0], &c, 1) < 0 && errno == EINTR)
        ;
    close(ready[0]);
    if (shared_fds)
        close(ready[1]);
}

static int64_t clone_process(Thread *t, const CloneArgs *a)
{
    bool shared_fds = a->flags & CLONE_FILES;
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0)
        return -errno;
    /* Nobody may hold a lock or change code memory at the moment of the fork. */
    thread_stop_world();
    host_thread_wait_ended();
    hooks.fork_prepare();
    if (shared_fds)
        host_fd_share();
    uint64_t mask = host_mask_set(HOST_MASK_ALL);
    long pid = clone_fork(a);
    if (pid == 0) {
        clone_after_fork(t, a, ready);
        host_mask_set(mask);
        return 0;
    }
    hooks.fork_parent();
    if (pid > 0) {
        clone_wait_ready(ready, (pid_t)pid, shared_fds);
    } else {
        close(ready[0]);
        close(ready[1]);
    }
    host_mask_set(mask);
    thread_start_world();
    if (pid > 0 && (a->flags & CLONE_PARENT_SETTID)) {
        int p = (int)pid;
        gimle_write_guest(a->parent_tid, &p, sizeof p);
    }
    return pid;
}

/* ---- vfork with shared memory --------------------------------------------------------------- */

/** What the waiting parent restores when the child has left our memory. */
typedef struct VforkSave {
    Thread *t;
    VexState *state;   /* registers, shadows, tool words: everything up to the spill area */
    Thread fields;
    const CloneArgs *args;
} VforkSave;

enum { SAVED_BYTES = offsetof(VexState, spill), VFORK_STACK = 1 << 20 };

/** Flags of a child that shares our memory which the host's clone() is to see. */
static uint64_t clone_host_flags(const CloneArgs *a)
{
    return a->flags & ~(uint64_t)(CLONE_VFORK | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
                                  CLONE_PARENT_SETTID | CLONE_SETTLS | CLONE_CLEAR_SIGHAND_);
}

static void clone_tell_parent(const CloneArgs *a, int64_t pid, int pidfd)
{
    int id = (int)pid;
    if (pid > 0 && a->flags & CLONE_PARENT_SETTID)
        gimle_write_guest(a->parent_tid, &id, sizeof id);
    if (pid > 0 && a->flags & CLONE_PIDFD)
        gimle_write_guest(a->pidfd, &pidfd, sizeof pidfd);
}

static int clone_vfork_main(void *arg)
{
    VforkSave *save = arg;
    Thread *t = save->t;
    const CloneArgs *a = save->args;
    t->tid = (pid_t)syscall(SYS_gettid);
    t->state->guest.gpr[GPR_RAX] = 0;
    if (a->stack)
        t->state->guest.gpr[GPR_RSP] = a->stack + a->stack_size;
    if (a->flags & CLONE_SETTLS)
        t->state->guest.fs_base = a->tls;
    if (a->flags & CLONE_CHILD_SETTID)
        gimle_write_guest(a->child_tid, &t->tid, sizeof t->tid);
    t->clear_child_tid = 0;
    t->in_vfork_child = true;
    hooks.vfork_child(t);
    if (a->flags & CLONE_CLEAR_SIGHAND_)
        hooks.clear_handlers();
    hooks.thread_main(t);
    _exit(t->exit_code);
}

static int64_t clone_vfork(Thread *t, const CloneArgs *a)
{
    VforkSave save = { .t = t, .fields = *t, .args = a };
    save.state = aligned_alloc(64, (SAVED_BYTES + 63) & ~63u);
    char *stack = mmap(NULL, VFORK_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (!save.state || stack == MAP_FAILED) {
        free(save.state);
        return -ENOMEM;
    }
    memcpy(save.state, t->state, SAVED_BYTES);
    uint64_t mask = host_mask_set(HOST_MASK_ALL);
    /* The child counts in our stead as the running thread; the parent's thread is in the kernel. */
    int pidfd = -1;
    int pid = clone(clone_vfork_main, stack + VFORK_STACK,
                    CLONE_VFORK | (int)(clone_host_flags(a) | a->exit_signal), &save, &pidfd);
    int64_t r = pid < 0 ? -errno : pid;
    aspace_bind_thread();
    memcpy(t->state, save.state, SAVED_BYTES);
    *t = save.fields;
    free(save.state);
    munmap(stack, VFORK_STACK);
    hooks.vfork_parent(t);
    host_mask_set(mask);
    clone_tell_parent(a, pid, pidfd);
    return r;
}

/* ---- processes that share memory and run on -------------------------------------------------- */

/*
 * The child needs host thread-local storage of its own.  So a host thread is made for it, which
 * makes the child in its turn, waits for its end as the parent of a vfork does, and cleans up.
 */
typedef struct ShareStart {
    Thread *child;
    const CloneArgs *args;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int64_t result; /* 0: not known yet; the child's id, or -errno */
} ShareStart;

static void share_answer(ShareStart *s, int64_t result)
{
    pthread_mutex_lock(&s->mutex);
    s->result = result;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->mutex); /* it was on the parent's stack: gone from here on */
}

static int share_child_main(void *arg)
{
    ShareStart *s = arg;
    Thread *t = s->child;
    t->tid = (pid_t)syscall(SYS_gettid);
    if (s->args->flags & CLONE_CHILD_SETTID)
        gimle_write_guest(s->args->child_tid, &t->tid, sizeof t->tid);
    share_answer(s, t->tid);
    thread_leave_blocking(t);
    hooks.share_child(t);
    hooks.thread_main(t);
    _exit(t->exit_code);
}

static void *share_main(void *arg)
{
    ShareStart *s = arg;
    Thread *t = s->child;
    thread_bind(t);
    char *stack = mmap(NULL, VFORK_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    int pid = -1, pidfd = -1;
    if (stack != MAP_FAILED)
        pid = clone(share_child_main, stack + VFORK_STACK,
                    CLONE_VFORK | (int)(clone_host_flags(s->args) | s->args->exit_signal), s, &pidfd);
    if (pid < 0)
        share_answer(s, -errno);
    if (t->blocked_in_kernel) /* it never was, or it ended or began another program */
        thread_leave_blocking(t);
    if (pid > 0)
        thread_clear_child_tid(t);
    if (stack != MAP_FAILED)
        munmap(stack, VFORK_STACK);
    hooks.share_end(t);
    thread_end(t);
    return NULL;
}

static int64_t clone_shared(Thread *t, const CloneArgs *a)
{
    if (a->flags & CLONE_PIDFD) /* the helper would have to wait with the answer for the child's end */
        return -EINVAL;
    Thread *child = thread_new(t);
    if (!child)
        return -EAGAIN;
    clone_copy_state(child, t, a);
    child->in_vfork_child = true;
    child->runs_on = true;
    child->blocked_in_kernel = true;
    ShareStart start = { .child = child, .args = a, .mutex = PTHREAD_MUTEX_INITIALIZER,
                         .changed = PTHREAD_COND_INITIALIZER };
    int err = host_thread_start(share_main, &start);
    if (err) {
        thread_delete(child);
        thread_bind(t);
        return -err;
    }
    pthread_mutex_lock(&start.mutex);
    while (start.result == 0)
        pthread_cond_wait(&start.changed, &start.mutex);
    pthread_mutex_unlock(&start.mutex);
    clone_tell_parent(a, start.result, -1);
    return start.result;
}

/** Combinations that mean nothing: as in clone(2), ERRORS. */
static bool clone_flags_ok(uint64_t flags)
{
    static const struct { uint64_t one, other; } excluded[] = {
        { CLONE_FS, CLONE_NEWNS },         { CLONE_FS, CLONE_NEWUSER },
        { CLONE_THREAD, CLONE_NEWUSER },   { CLONE_THREAD, CLONE_NEWPID },
        { CLONE_PARENT, CLONE_NEWUSER },   { CLONE_PARENT, CLONE_NEWPID },
        { CLONE_PIDFD, CLONE_DETACHED },   { CLONE_SYSVSEM, CLONE_NEWIPC },
        { CLONE_SIGHAND, CLONE_CLEAR_SIGHAND_ },
    };
    for (size_t i = 0; i < sizeof excluded / sizeof excluded[0]; i++)
        if (flags & excluded[i].one && flags & excluded[i].other)
            return false;
    return (!(flags & CLONE_THREAD) || flags & CLONE_SIGHAND) &&
           (!(flags & CLONE_SIGHAND) || flags & CLONE_VM);
}

int64_t thread_clone(Thread *t, const CloneArgs *a)
{
    if (!clone_flags_ok(a->flags))
        return -EINVAL;
    if ((a->flags & (CLONE_PARENT_SETTID)) && !aspace_is_client_range(a->parent_tid, 4))
        return -EFAULT;
    const bool shares = a->flags & CLONE_VM;
    if (shares && (a->set_tid_size || a->flags & (CLONE_NEWTIME_ | CLONE_INTO_CGROUP_)))
        return -EINVAL; /* the host's clone() cannot */
    if (a->flags & CLONE_THREAD)
        return clone_thread(t, a);
    if ((a->flags & (CLONE_VM | CLONE_VFORK)) == (CLONE_VM | CLONE_VFORK))
        return clone_vfork(t, a);
    if (a->flags & CLONE_VM)
        return clone_shared(t, a);
    return clone_process(t, a);
}
