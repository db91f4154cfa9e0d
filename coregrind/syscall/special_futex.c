/* SPDX-License-Identifier: MIT */
/* futex and sleeping: which of the arguments count depends on the operation. */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/os/kernel_abi.h"
#include "special.h"

enum { USES_VAL = 1, USES_TIMEOUT = 2, USES_VAL2 = 4, USES_ADDR2 = 8, USES_VAL3 = 16, WAITS = 32,
       RESTARTS = 64 /* the kernel makes it again after any handler (ERESTARTNOINTR) */ };

/* By operation number; operations that are not here take only the address. */
static const uint8_t operations[] = {
    [FUTEX_WAIT] = USES_VAL | USES_TIMEOUT | WAITS,
    [FUTEX_WAKE] = USES_VAL,
    [FUTEX_REQUEUE] = USES_VAL | USES_VAL2 | USES_ADDR2,
    [FUTEX_CMP_REQUEUE] = USES_VAL | USES_VAL2 | USES_ADDR2 | USES_VAL3,
    [FUTEX_WAKE_OP] = USES_VAL | USES_VAL2 | USES_ADDR2 | USES_VAL3,
    [FUTEX_FD] = USES_VAL,
    [FUTEX_LOCK_PI] = USES_VAL | USES_TIMEOUT | WAITS | RESTARTS,
    [FUTEX_WAIT_BITSET] = USES_VAL | USES_TIMEOUT | USES_VAL3 | WAITS,
    [FUTEX_WAKE_BITSET] = USES_VAL | USES_VAL3,
    [FUTEX_WAIT_REQUEUE_PI] = USES_VAL | USES_TIMEOUT | USES_ADDR2 | WAITS | RESTARTS,
    [FUTEX_CMP_REQUEUE_PI] = USES_VAL | USES_VAL2 | USES_ADDR2 | USES_VAL3,
    [FUTEX_LOCK_PI2] = USES_TIMEOUT | WAITS | RESTARTS,
};

void sys_futex(SysCall *c)
{
    unsigned op = (unsigned)c->arg[1] & FUTEX_CMD_MASK;
    unsigned uses = op < sizeof operations ? operations[op] : 0;
    if (uses & USES_VAL)
        sys_reg(c, 2, "val", 4);
    if (uses & (USES_TIMEOUT | USES_VAL2))
        sys_reg(c, 3, "utime", uses & USES_TIMEOUT ? 8 : 4);
    if (uses & USES_ADDR2)
        sys_reg(c, 4, "uaddr2", 8);
    if (uses & USES_VAL3)
        sys_reg(c, 5, "val3", 4);
    c->t->sys_restarts = uses & RESTARTS;
    bool ok = sys_reads(c, "futex", c->arg[0], 4);
    if (uses & USES_ADDR2)
        ok &= sys_reads(c, "futex2", c->arg[4], 4);
    if (uses & USES_TIMEOUT && c->arg[3])
        ok &= sys_reads(c, "timeout", c->arg[3], KSIZE_TIMESPEC);
    if (!ok)
        c->result = -EFAULT;
    else if (uses & WAITS)
        sys_do(c);
    else
        sys_do_now(c);
}

/* struct futex_waitv: value, address, flags. */
void sys_futex_waitv(SysCall *c)
{
    if (c->arg[0] == 0 || (uint32_t)c->arg[1] > FUTEX_WAITV_MAX) {
        sys_do_now(c); /* EINVAL before anything is read */
        return;
    }
    for (uint32_t i = 0; i < (uint32_t)c->arg[1]; i++) {
        uint64_t address;
        if (!sys_fetch(c, &address, c->arg[0] + i * KSIZE_FUTEX_WAITV + 8, sizeof address))
            return;
        if (!sys_reads(c, "waiters->uaddr", address, 4)) {
            c->result = -EFAULT;
            return;
        }
    }
    sys_do(c);
}

void sys_futex_requeue(SysCall *c)
{
    if (c->arg[0] == 0) {
        sys_do(c);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t address;
        if (!sys_fetch(c, &address, c->arg[0] + i * KSIZE_FUTEX_WAITV + 8, sizeof address))
            return;
        if (!sys_reads(c, "waiters->uaddr", address, 4)) {
            c->result = -EFAULT;
            return;
        }
    }
    sys_do(c);
}

/* ---- interval timers: two times each, which reports name ------------------------------------- */

static bool itimer_memory(SysCall *c, GuestAddr a, bool out, const char *interval,
                          const char *value)
{
    bool (*effect)(SysCall *, const char *, GuestAddr, size_t) = out ? sys_will_write : sys_reads;
    bool ok = effect(c, interval, a, KSIZE_TIMEVAL);
    return effect(c, value, a + KSIZE_TIMEVAL, KSIZE_TIMEVAL) && ok;
}

void sys_getitimer(SysCall *c)
{
    if (!itimer_memory(c, c->arg[1], true, "&value->it_interval", "&value->it_value"))
        c->result = -EFAULT;
    else if (sys_do(c) == 0)
        sys_wrote(c, c->arg[1], KSIZE_ITIMERVAL);
}

void sys_setitimer(SysCall *c)
{
    bool ok = true;
    if (c->arg[1])
        ok &= itimer_memory(c, c->arg[1], false, "&value->it_interval", "&value->it_value");
    if (c->arg[2])
        ok &= itimer_memory(c, c->arg[2], true, "&ovalue->it_interval", "&ovalue->it_value");
    if (!ok)
        c->result = -EFAULT;
    else if (sys_do(c) == 0 && c->arg[2])
        sys_wrote(c, c->arg[2], KSIZE_ITIMERVAL);
}

/* Which fields are read depends on modes; all are written. */
void sys_adjtimex(SysCall *c)
{
    static const struct { uint32_t mode; uint8_t offset, bytes; } fields[] = {
        { 0x1, 8, 8 }, { 0x2, 16, 8 }, { 0x4, 24, 8 }, { 0x8, 32, 8 }, { 0x10, 40, 4 },
        { 0x20, 48, 8 }, { 0x80, 48, 8 }, { 0x100, 72, 16 }, { 0x4000, 88, 8 },
    };
    GuestAddr a = c->arg[c->row->n_args - 1];
    uint32_t modes = 0;
    bool there = gimle_read_guest(&modes, a, sizeof modes) == sizeof modes;
    if (there || c->no == SYS_clock_adjtime)
        sys_reads(c, "timex->modes", a, sizeof modes);
    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (modes & fields[i].mode)
            sys_reads(c, "timex->field", a + fields[i].offset, fields[i].bytes);
    if (!sys_will_write(c, "adjtimex(timex)", a, KSIZE_TIMEX))
        c->result = -EFAULT;
    else if (sys_do(c) >= 0)
        sys_wrote(c, a, KSIZE_TIMEX);
}

/* The rest of the time is written only when a signal ends the sleep (and it is not absolute). */
void sys_nanosleep(SysCall *c)
{
    bool clock = c->no == SYS_clock_nanosleep;
    unsigned at = clock ? 3 : 1;
    GuestAddr rest = c->arg[at];
    if (clock && (int)c->arg[1] & TIMER_ABSTIME)
        rest = 0;
    if (rest && !sys_will_write(c, clock ? "rmtp" : "rem", rest, KSIZE_TIMESPEC)) {
        c->result = -EFAULT;
        return;
    }
    if (sys_do(c) == -EINTR && rest)
        sys_wrote(c, rest, KSIZE_TIMESPEC);
}
