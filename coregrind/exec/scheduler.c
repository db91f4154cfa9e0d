/* SPDX-License-Identifier: MIT */
/*
 * The run loop of a guest thread: find or make the translation of its pc, run it, see why it came
 * back.  Everything that may stop other threads, deliver signals or end the thread happens here,
 * between translations, where the whole guest state is in the VexState.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "VEX/vex.h"
#include "base/arena.h"
#include "base/check.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/aspace/layout.h"
#include "coregrind/clreq/clreq.h"
#include "coregrind/core/events.h"
#include "coregrind/core/options.h"
#include "coregrind/redirect/redirect.h"
#include "coregrind/signal/host_handler.h"
#include "coregrind/signal/signal.h"
#include "coregrind/signal/tracee.h"
#include "coregrind/syscall/syscall.h"
#include "coregrind/tcache/tcache.h"
#include "exec_internal.h"

enum { SYSCALL_BYTES = 2, TRAP_DEBUG = 1 };

/** Where the code for (pc, mode) is put for inline lookup by indirect jumps. */
static VexJumpEntry *jump_entry(VexState *s, unsigned mode, GuestAddr pc)
{
    return &s->jump_cache[mode][vex_jump_index(pc)];
}

static const void *exec_find_code(VexState *s, GuestAddr pc, unsigned mode)
{
    VexJumpEntry *e = jump_entry(s, mode, pc);
    if (e->pc == pc && e->code)
        return e->code;
    const void *code = tcache_get(pc, mode);
    if (code && !exec_chaos()) {
        e->code = code;
        e->pc = pc;
    }
    return code;
}

void exec_flush_jump_caches(void)
{
    for (Thread *t = NULL; (t = thread_next(t));)
        vex_jump_cache_clear(t->state);
}

void gimle_discard_translations(GuestAddr a, size_t len)
{
    if (!tcache_has(a, len))
        return;
    thread_stop_world();
    tcache_discard(a, len);
    thread_start_world();
}

/**
 * While the others stand still: once the page is writable they write to it without a fault, and what
 * they write must not be run as it was.
 */
void exec_code_written(GuestAddr page)
{
    thread_stop_world();
    if (aspace_code_unprotect(page))
        tcache_discard(page, PAGE_SIZE_);
    thread_start_world();
}

void exec_note_code_write(Thread *t, GuestAddr page)
{
    size_t len = PAGE_SIZE_;
    if (t->code_written_len && t->code_written != page) {
        /* Two pages since the last safe point: widen the range to cover both. */
        GuestAddr end = t->code_written + t->code_written_len;
        if (page + len > end)
            end = page + len;
        if (page < t->code_written)
            t->code_written = page;
        t->code_written_len = end - t->code_written;
    } else {
        t->code_written = page;
        t->code_written_len = len;
    }
    t->state->pending = 1;
}

/* ---- service of exits that are no plain jumps ------------------------------------------------- */

static void service_syscall(Thread *t)
{
    if (signal_deliverable(t)) {
        t->state->guest.pc -= SYSCALL_BYTES; /* what came before the call is delivered before it */
        return;
    }
    exec_chaos_syscall(t);
    syscall_run(t);
    exec_chaos_end(t);
}

/** Which of the request instructions was it? Its last byte stands before the pc. */
static void service_client_request(Thread *t)
{
    enum { XCHG_RBX = 0xdb, XCHG_RCX = 0xc9, RAX = 0 };
    uint8_t last = 0;
    gimle_read_guest(&last, t->state->guest.pc - 1, 1);
    if (last == XCHG_RBX) {
        clreq_handle(t);
    } else if (last == XCHG_RCX) { /* the address of the wrapped function */
        gimle_thread_set_reg(t, RAX, t->nraddr);
        EVENT(reg_write, t, RAX);
    }
}
static void service_sigill(Thread *t) { signal_raise_sync(t, SIGILL, ILL_ILLOPN, t->state->guest.pc); }
static void service_sigtrap(Thread *t) { signal_raise_sync(t, SIGTRAP, SI_KERNEL, 0); }
static void service_sigfpe(Thread *t) { signal_raise_sync(t, SIGFPE, FPE_INTDIV, t->state->guest.pc); }

static void service_sigsegv(Thread *t)
{
    signal_set_fault_info(0, 13, 0);
    signal_raise_sync(t, SIGSEGV, SI_KERNEL, 0);
}

static void service_code_changed(Thread *t) { gimle_discard_translations(t->state->guest.pc, 1); }

static void service_yield(Thread *t)
{
    thread_enter_blocking(t);
    sched_yield();
    thread_leave_blocking(t);
}

static void service_nodecode(Thread *t)
{
    uint8_t bytes[16];
    char text[16 * 5 + 1] = "";
    size_t n = gimle_read_guest(bytes, t->state->guest.pc, sizeof bytes);
    if (core_options->sigill_diagnostics) {
        for (size_t i = 0; i < n; i++)
            snprintf(text + i * 5, 6, " 0x%02X", bytes[i]);
        gimle_umsg("Unrecognised instruction at address 0x%llx:%s\n",
                   (unsigned long long)t->state->guest.pc, text);
    }
    signal_raise_sync(t, SIGILL, ILL_ILLOPN, t->state->guest.pc);
}

static void (*const service[JK_COUNT])(Thread *t) = {
    [JK_SYSCALL] = service_syscall,   [JK_CLIENT_REQ] = service_client_request,
    [JK_SIGILL] = service_sigill,     [JK_SIGTRAP] = service_sigtrap,
    [JK_SIGSEGV] = service_sigsegv,   [JK_SIGFPE_DIV] = service_sigfpe,
    [JK_CODE_CHANGED] = service_code_changed,
    [JK_YIELD] = service_yield,       [JK_NODECODE] = service_nodecode,
};

/** The client jumped to where there is no code. */
static void exec_fetch_fault(Thread *t)
{
    GuestAddr pc = t->state->guest.pc;
    GuestMapping m;
    if (syscall_vsyscall(t))
        return;
    bool mapped = pc < GIMLE_CLIENT_END && gimle_mapping_at(pc, &m);
    EVENT(fault, t, pc, 1, false, true);
    signal_set_fault_info(mapped ? 0x15 : 0x14, 14, pc);
    signal_raise_sync(t, SIGSEGV, mapped ? SEGV_ACCERR : SEGV_MAPERR, pc);
}

/** Between translations: stop, signals, end. True if the thread goes on. */
static bool exec_safe_point(Thread *t)
{
    VexState *s = t->state;
    while (__atomic_exchange_n(&s->pending, 0, __ATOMIC_SEQ_CST)) {
        if (t->exit_state != THREAD_RUNS) {
            s->pending = 1; /* it may run on, for __libc_freeres, and then a signal may be waiting */
            return false;
        }
        thread_safe_point(t);
        if (t->code_written_len) {
            size_t len = t->code_written_len;
            t->code_written_len = 0;
            gimle_discard_translations(t->code_written, len);
        }
        tracee_answer(t, false);
        signal_deliver_pending(t);
        signal_answer(t);
    }
    return t->exit_state == THREAD_RUNS;
}

/** Is the code at guest.pc itself wanted, whatever replaces it? */
static bool exec_wants_original(Thread *t)
{
    const VexState *s = t->state;
    bool original = s->exit_reason == VEX_EXIT_KIND && s->exit_kind == JK_NO_REDIR;
    if (t->no_redirect_pc) {
        original |= t->no_redirect_pc == s->guest.pc;
        t->no_redirect_pc = 0;
    }
    return original;
}

/** Run code at guest.pc until it comes back and chain the way it left. */
static void exec_run_compiled(Thread *t, unsigned mode)
{
    VexState *s = t->state;
    bool no_redirect = exec_wants_original(t);
    GuestAddr pc = s->guest.pc;
    bool chain = s->exit_reason == VEX_EXIT_CHAIN && !exec_chaos();
    const void *code = no_redirect ? tcache_get_no_redirect(pc, mode)
                       : chain     ? tcache_get(pc, mode)
                                   : exec_find_code(s, pc, mode);
    s->exit_reason = VEX_EXIT_PENDING;
    if (!code) {
        exec_fetch_fault(t);
        return;
    }
    if (chain)
        tcache_chain(s, code, pc, mode);
    s->cur_mode = mode;
    vex_enter(s, code, vex_config()->modes[mode].flags & VM_PINNED);
    if (s->exit_reason == VEX_EXIT_CHAIN)
        tcache_take_exit(s);
    if (no_redirect && s->guest.pc == pc) /* its first instruction is to run in another mode */
        t->no_redirect_pc = pc;
}

static void exec_run_interpreted(Thread *t, unsigned mode, struct Arena *arena)
{
    VexState *s = t->state;
    const IrCallee *callee;
    uint64_t arg;
    bool original = exec_wants_original(t);
    arena_reset(arena);
    s->cur_mode = mode;
    s->exit_reason = VEX_EXIT_PENDING;
    if (!original && redirect_lookup(s->guest.pc, &callee, &arg)) {
        vex_interpret_call(s, s->guest.pc, mode, callee, arg, arena);
        return;
    }
    if (vex_interpret(s, s->guest.pc, mode, arena) == VEX_NO_CODE)
        exec_fetch_fault(t);
}

/**
 * Run one instruction; by the interpreter, so that no translation of a single one is left.  False: there
 * is none.
 */
static bool exec_run_step(Thread *t, struct Arena *arena)
{
    VexState *s = t->state;
    GuestAddr pc = s->guest.pc;
    unsigned mode;
    const IrCallee *callee;
    uint64_t arg;
    bool original = exec_wants_original(t);
    do { /* it may have to begin anew in another mode */
        mode = s->exit_mode;
        arena_reset(arena);
        s->cur_mode = mode;
        s->exit_reason = VEX_EXIT_PENDING;
        if (!original && redirect_lookup(pc, &callee, &arg))
            vex_interpret_call(s, pc, mode, callee, arg, arena);
        else if (vex_step(s, pc, mode, arena) == VEX_NO_CODE) {
            exec_fetch_fault(t);
            return false;
        }
    } while (s->guest.pc == pc && s->exit_reason != VEX_EXIT_KIND && s->exit_mode != mode);
    return true;
}

/** Is the instruction over after the service of @p kind, or was it a fault? */
static bool exec_kind_completes(unsigned kind)
{
    return kind == JK_SYSCALL || kind == JK_CLIENT_REQ || kind == JK_YIELD;
}

/** An instruction has been run by itself, for a tracer or as the trap flag wants it. */
static void exec_stepped(Thread *t, bool traps)
{
    if (t->trace_steps)
        tracee_stepped(t);
    else if (traps && t->sys_result != SIGNAL_RESTART) { /* then the call is still to be made */
        signal_set_fault_info(0, TRAP_DEBUG, 0);
        signal_raise_sync(t, SIGTRAP, TRAP_TRACE, t->state->guest.pc);
    }
}

void exec_run_thread(Thread *t)
{
    VexState *s = t->state;
    struct Arena arena = { 0 };
    Escape *e = exec_escape();
    s->exit_reason = VEX_EXIT_PENDING;
    if (sigsetjmp(e->env, 1) != 0)
        exec_after_escape(t, e);
    while (exec_safe_point(t)) {
        unsigned mode = s->exit_mode;
        exec_chaos_boundary(t);
        bool traps = s->guest.ac_flag & VEX_TRAP_FLAG, steps = traps || t->trace_steps;
        GuestAddr before = s->guest.pc;
        e->armed = true;
        if (steps)
            steps = exec_run_step(t, &arena);
        else if (core_options->engine == ENGINE_INTERP)
            exec_run_interpreted(t, mode, &arena);
        else
            exec_run_compiled(t, mode);
        e->armed = false;
        if (e->kind != ESCAPE_NONE) {
            exec_after_escape(t, e);
            steps = false;
        }
        if (s->exit_reason == VEX_EXIT_KIND && service[s->exit_kind]) {
            steps &= exec_kind_completes(s->exit_kind);
            s->exit_reason = VEX_EXIT_PENDING;
            service[s->exit_kind](t);
            steps &= s->guest.pc != before; /* else it is to be made once more */
        }
        if (steps && t->exit_state == THREAD_RUNS)
            exec_stepped(t, traps);
    }
    arena_free(&arena);
}
