/* SPDX-License-Identifier: MIT */
/*
 * Faults of translated code.  The host pc tells the guest instruction (tcache_guest_pc), the host
 * registers its state; then the handler jumps back into the run loop, which turns the fault into the
 * tool's report and the client's signal, or discards code that was written to.  What is no fault
 * of the client's is left to the core's own crash report.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "VEX/vex.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/aspace/layout.h"
#include "coregrind/core/events.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/os/guest_access.h"
#include "coregrind/redirect/redirect.h"
#include "coregrind/report/report.h"
#include "coregrind/signal/signal.h"
#include "coregrind/syscall/limits.h"
#include "coregrind/tcache/tcache.h"
#include "exec_internal.h"

static _Thread_local Escape escape;

Escape *exec_escape(void) { return &escape; }

enum { ERR_WRITE = 2, TRAP_PAGE_FAULT = 14 };

/** The client's address that a fault at host address @p a was about. */
static GuestAddr fault_guest_addr(uint64_t a)
{
    /* An access to the shadow of an address outside the client's range. */
    return a >= GIMLE_SHADOW_DELTA && a < GIMLE_SHADOW2_END ? a - GIMLE_SHADOW_DELTA : a;
}

static void escape_fill(Escape *e, EscapeKind kind, const siginfo_t *info, const ucontext_t *uc)
{
    e->kind = kind;
    e->info = *info;
    e->err = (uint64_t)uc->uc_mcontext.gregs[REG_ERR];
    e->trapno = (uint64_t)uc->uc_mcontext.gregs[REG_TRAPNO];
    e->cr2 = (uint64_t)uc->uc_mcontext.gregs[REG_CR2];
    e->access_exec = false;
    e->access_write = e->err & ERR_WRITE;
}

/** A fault in translated code: the guest's state as of the instruction's start goes to @p t. */
static bool fault_in_code(Thread *t, const void *host_pc, const ucontext_t *uc)
{
    TcachePlace at;
    if (!tcache_guest_pc(host_pc, &at))
        return false;
    vex_state_from_context(t->state, uc, at.mode, at.pc);
    if (at.cc_in_host)
        vex_cc_from_context(t->state, uc);
    t->state->exit_mode = at.mode;
    t->state->exit_reason = VEX_EXIT_PENDING;
    EVENT(block_broken, t, at.mode);
    return true;
}

/**
 * Writes to protected code pages come first, since they are no faults of anybody's; then the core's
 * own guarded accesses to client memory; what is left is the client's, or a bug of ours.
 */
bool exec_handle_fault(Thread *t, int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    Escape *e = &escape;
    const void *host_pc = (void *)uc->uc_mcontext.gregs[REG_RIP];
    uint64_t addr = (uint64_t)(uintptr_t)info->si_addr;
    bool write = (uc->uc_mcontext.gregs[REG_ERR] & ERR_WRITE) && sig == SIGSEGV &&
                 info->si_code == SEGV_ACCERR;

    if (sig == SIGSEGV && aspace_shadow_fault(addr))
        return true;
    if (sig == SIGBUS && debuginfo_recover_fault(info->si_addr))
        return true;
    bool in_code = tcache_contains(host_pc);
    CodeWrite code_write = write ? aspace_code_write_fault(addr) : CODE_WRITE_NOT_OURS;
    if (code_write == CODE_WRITE_AGAIN)
        return true;
    if (code_write == CODE_WRITE_PROTECTED) {
        if (!in_code) { /* the core writes for the client: let it, translations go at the next safe point */
            aspace_code_unprotect(addr);
            exec_note_code_write(t, PAGE_DOWN(addr));
            return true;
        }
        escape_fill(e, ESCAPE_CODE_WRITE, info, uc);
    } else {
        if ((sig == SIGSEGV || sig == SIGBUS) && guest_access_fixup(context))
            return true;
        escape_fill(e, ESCAPE_SIGNAL, info, uc);
        e->info.si_addr = (void *)fault_guest_addr(addr);
    }
    if (!e->armed)
        return false;
    if (in_code) {
        if (!fault_in_code(t, host_pc, uc))
            return false;
        vex_context_leave(t->state, uc); /* vex_enter() returns to the run loop */
        return true;
    }
    if (t->state->quick && addr < GIMLE_SHADOW2_END) {
        vex_state_from_quick(t->state, uc);
        redirect_leave_quick(t);
        t->state->exit_reason = VEX_EXIT_PENDING;
        vex_context_leave(t->state, uc);
        return true;
    }
    if (t->state->interp_access != VEX_INTERP_NONE) {
        t->state->exit_reason = VEX_EXIT_PENDING;
        EVENT(block_broken, t, t->state->exit_mode); /* the interpreter sets it at exits only */
        if (vex_interp_fault(t->state, uc))
            return true;
        e->armed = false;
        siglongjmp(e->env, 1);
    }
    if (!redirect_in_host_call(t) || addr >= GIMLE_CLIENT_END)
        return false;
    /* In a host function that stands for a client's: the state is that of its entry. */
    e->armed = false;
    siglongjmp(e->env, 1);
}

void exec_after_escape(Thread *t, Escape *e)
{
    EscapeKind kind = e->kind;
    e->kind = ESCAPE_NONE;
    GuestAddr replaced = redirect_abandon_host_call(t);
    if (kind == ESCAPE_CODE_WRITE) {
        exec_code_written(PAGE_DOWN((GuestAddr)(uintptr_t)e->info.si_addr));
        return;
    }
    int sig = e->info.si_signo;
    GuestAddr a = (GuestAddr)(uintptr_t)e->info.si_addr;
    if (sig == SIGSEGV && e->info.si_code == SEGV_MAPERR && a < GIMLE_CLIENT_END &&
        aspace_grow_down(a, limits_stack())) {
        if (replaced)
            t->state->guest.pc = replaced;
        return; /* the instruction, or the replaced function, once more */
    }
    if (sig == SIGSEGV || sig == SIGBUS) {
        /* In a replaced function the report names the function, and its loops go by bytes. */
        unsigned size = replaced ? 1 : vex_access_size(t->state->guest.pc);
        EVENT(fault, t, a, size, e->access_write, e->access_exec);
    }
    if (replaced)
        t->state->guest.pc = replaced;
    if (sig == SIGSEGV)
        report_stack_overflow(t, e->info.si_code, a);
    signal_set_fault_info(e->err, e->trapno, e->trapno == TRAP_PAGE_FAULT ? a : e->cr2);
    signal_raise_sync(t, sig, e->info.si_code, a);
}
