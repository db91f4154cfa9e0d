/* SPDX-License-Identifier: MIT */
/* getrlimit, setrlimit, prlimit64 on ourselves; see limits.h. */
#include "limits.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ranked_lock.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/os/kernel_abi.h"
#include "coregrind/os/raw_syscall.h"
#include "fd_table.h"
#include "gimle/memory.h"
#include "special.h"

/* Limits that are the client's belief only; of the size of files the hard one is. */
static struct {
    const int resource;
    bool differs;          /* from the host's */
    KernelRlimit client, host;
} kept[] = { /* LOCK_fds */
    { .resource = RLIMIT_NOFILE }, { .resource = RLIMIT_STACK }, { .resource = RLIMIT_AS },
    { .resource = RLIMIT_DATA },     { .resource = RLIMIT_FSIZE },
};
enum { N_KEPT = sizeof kept / sizeof kept[0], KEPT_NOFILE = 0, KEPT_STACK = 1, KEPT_AS = 2, KEPT_FSIZE = 4 };

static int64_t host_prlimit(int resource, const KernelRlimit *new, KernelRlimit *old)
{
    return raw_syscall4(SYS_prlimit64, 0, (uint64_t)resource, (uintptr_t)new, (uintptr_t)old);
}

void limits_init(void)
{
    for (unsigned i = 0; i < N_KEPT; i++) {
        host_prlimit(kept[i].resource, NULL, &kept[i].host);
        kept[i].client = kept[i].host;
    }
    aspace_set_limit(kept[KEPT_AS].client.cur);
    kept[KEPT_NOFILE].client.cur = host_fd_client_limit();
    kept[KEPT_NOFILE].differs = kept[KEPT_NOFILE].client.cur != kept[KEPT_NOFILE].host.cur;
}

uint64_t limits_stack(void) { return kept[KEPT_STACK].client.cur; }

void limits_set_stack(uint64_t soft)
{
    kept[KEPT_STACK].client.cur = soft;
    kept[KEPT_STACK].differs = soft != kept[KEPT_STACK].host.cur;
}

void limits_apply_for_exec(void)
{
    for (unsigned i = 0; i < N_KEPT; i++)
        if (kept[i].differs)
            host_prlimit(kept[i].resource, &kept[i].client, NULL);
}

void limits_undo_apply(void)
{
    for (unsigned i = 0; i < N_KEPT; i++)
        if (kept[i].differs) { /* the hard limit may not be raised again: keep what there is */
            KernelRlimit now, back = kept[i].host;
            if (host_prlimit(kept[i].resource, NULL, &now) == 0 && back.max > now.max)
                back.max = now.max;
            if (back.cur > back.max)
                back.cur = back.max;
            host_prlimit(kept[i].resource, &back, NULL);
        }
}

static int kept_index(uint64_t resource)
{
    for (int i = 0; i < N_KEPT; i++)
        if (kept[i].resource == (int)resource)
            return i;
    return -1;
}

/* The kernel enforces the soft limit; the hard one stays, so that the core can write its log (sink.c). */
static void limit_files(KernelRlimit *host, const KernelRlimit *new)
{
    host->cur = new->cur;
    if (host->max < new->max)
        host->max = new->max;
    host_prlimit(RLIMIT_FSIZE, host, NULL);
}

/* Get and set one of the kept limits; @p new and @p old may be NULL. */
static int64_t kept_limit(int i, const KernelRlimit *new, KernelRlimit *old)
{
    int64_t r = 0;
    lock_take(LOCK_fds);
    if (old)
        *old = kept[i].client;
    if (new) {
        if (new->cur > new->max)
            r = -EINVAL;
        else if (new->max > kept[i].client.max && geteuid() != 0)
            r = -EPERM;
        else {
            kept[i].client = *new;
            kept[i].differs = true;
            if (i == KEPT_NOFILE) {
                host_fd_raise_limit(new->cur);
                fd_table_set_limit(new->cur);
            }
            else if (i == KEPT_AS)
                aspace_set_limit(new->cur);
            else if (i == KEPT_FSIZE)
                limit_files(&kept[i].host, new);
        }
    }
    lock_release(LOCK_fds);
    return r;
}

void sys_getrlimit(SysCall *c)
{
    int i = kept_index((uint32_t)c->arg[0]);
    KernelRlimit old;
    if (i < 0)
        sys_do(c);
    else if ((c->result = kept_limit(i, NULL, &old)) == 0 &&
             gimle_write_guest(c->arg[1], &old, sizeof old) != sizeof old)
        c->result = -EFAULT;
}

void sys_setrlimit(SysCall *c)
{
    int i = kept_index((uint32_t)c->arg[0]);
    KernelRlimit new;
    if (i < 0)
        sys_do(c);
    else if (sys_fetch(c, &new, c->arg[1], sizeof new))
        c->result = kept_limit(i, &new, NULL);
}

void sys_prlimit64(SysCall *c)
{
    int i = kept_index((uint32_t)c->arg[1]);
    pid_t pid = (pid_t)c->arg[0];
    if (i < 0 || (pid != 0 && pid != getpid())) {
        sys_do(c);
        return;
    }
    KernelRlimit new, old;
    if (c->arg[2] && !sys_fetch(c, &new, c->arg[2], sizeof new))
        return;
    c->result = kept_limit(i, c->arg[2] ? &new : NULL, &old);
    if (c->result == 0 && c->arg[3] && gimle_write_guest(c->arg[3], &old, sizeof old) != sizeof old)
        c->result = -EFAULT;
}
