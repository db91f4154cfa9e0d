/* SPDX-License-Identifier: MIT */
/*
 * The page of old at 0xffffffffff600000 whose three entries programs of before 2012 call for the time and
 * the processor.  It lies in the kernel's half: where the host has it, a call of one is done here.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/core/events.h"
#include "coregrind/signal/signal.h"
#include "syscall.h"

enum { RAX, RCX, RSP = 4, R11 = 11 };
#define VSYSCALL_PAGE 0xffffffffff600000ULL

bool syscall_vsyscall(Thread *t)
{
    enum { APART = 0x400, COUNT = 3 };
    static const uint16_t numbers[COUNT] = { SYS_gettimeofday, SYS_time, SYS_getcpu };
    GuestAmd64 *g = &t->state->guest;
    uint64_t at = g->pc - VSYSCALL_PAGE, back;
    if (at % APART || at / APART >= COUNT ||
        !aspace_has_vsyscall() || gimle_read_guest(&back, g->gpr[RSP], sizeof back) != sizeof back)
        return false;
    uint64_t rcx = g->gpr[RCX], r11 = g->gpr[R11];
    g->gpr[RAX] = numbers[at / APART];
    syscall_run(t);
    g->gpr[RCX] = rcx;
    g->gpr[R11] = r11;
    if (g->gpr[RAX] == (uint64_t)-EFAULT) { /* where a call would fail the emulation faults */
        signal_raise_sync(t, SIGSEGV, SEGV_MAPERR, 0);
        return true;
    }
    g->pc = back;
    g->gpr[RSP] += sizeof back;
    return true;
}
