/* SPDX-License-Identifier: MIT */
/*
 * What the report of a failure of ours says of the guest: thread, registers, stack.  By dprintf, not
 * through the log, whose state may be what is broken; fatal.c sees to it that failures in here do no harm.
 */
#include "guest_report.h"

#include <stdio.h>

#include "base/arena.h"
#include "coregrind/core/fatal.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/thread/thread.h"

enum { ERR = 2, MAX_INLINED = 16 };

static void print_registers(const GuestAmd64 *g)
{
    static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
    enum { IN_A_LINE = 4 };
    for (unsigned i = 0; i < 16; i++)
        dprintf(ERR, "%s %-3s %016llx%s", i % IN_A_LINE ? "" : "gimle:", names[i],
                (unsigned long long)g->gpr[i], (i + 1) % IN_A_LINE ? "" : "\n");
}

static void print_stack(Thread *t)
{
    Arena arena = { 0 };
    FrameInfo *f = arena_array(&arena, FrameInfo, MAX_INLINED);
    const StackTrace *trace = gimle_stack_trace(t);
    for (unsigned i = 0; i < trace->n; i++) {
        unsigned n = debuginfo_describe_pc(trace->pc[i] - (i > 0), f, MAX_INLINED, &arena);
        for (unsigned k = 0; k < n; k++)
            dprintf(ERR, "gimle:    %s %s\n", i + k ? "by" : "at", debuginfo_format_frame(&f[k], &arena));
    }
    arena_free(&arena);
}

static void print_guest(void)
{
    Thread *t = thread_self();
    if (!t) {
        dprintf(ERR, "gimle: no guest thread\n");
        return;
    }
    const GuestAmd64 *g = &t->state->guest;
    dprintf(ERR, "gimle: guest thread %u of %u, mode %u, pc 0x%llx", t->id, gimle_thread_count(),
            (unsigned)t->state->cur_mode, (unsigned long long)g->pc);
    if (t->in_syscall)
        dprintf(ERR, ", in system call %llu", (unsigned long long)t->sys_no);
    dprintf(ERR, "\n");
    print_registers(g);
    dprintf(ERR, "gimle: backtrace of the guest:\n");
    print_stack(t);
}

void guest_report_init(void) { fatal_print_guest = print_guest; }
