/* SPDX-License-Identifier: MIT */
/*
 * The end.  A thread that ends leaves the table before its host thread goes; the last one, or one
 * that called exit_group, ends the process: the world is stopped, the C library of the client gets
 * the chance to free what it keeps (--run-libc-freeres), the tool finishes, the summary is printed.
 */
#include "process_end.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "VEX/vex.h"
#include "base/ranked_lock.h"
#include "coregrind/core/events.h"
#include "coregrind/core/options.h"
#include "coregrind/exec/exec.h"
#include "coregrind/redirect/redirect.h"
#include "coregrind/report/report.h"
#include "coregrind/signal/core_file.h"
#include "coregrind/signal/signal.h"
#include "coregrind/signal/tracee.h"
#include "coregrind/syscall/proc_view.h"
#include "coregrind/syscall/syscall.h"
#include "coregrind/tcache/tcache.h"
#include "coregrind/tool/tool_loader.h"
#include "thread/robust_list.h"
#include "thread/thread_internal.h"

static bool freeres_done;

void process_print_stats(void)
{
    TcacheStats s = tcache_stats();
    gimle_msg(MSG_DEBUG, "translations: %llu blocks, %llu guest instructions, "
              "%llu bytes of main code, %llu of cold code\n",
              (unsigned long long)s.translations, (unsigned long long)s.guest_insns,
              (unsigned long long)s.code_bytes, (unsigned long long)s.cold_bytes);
    for (unsigned m = 0; m < tool_current()->n_modes; m++)
        gimle_msg(MSG_DEBUG, "translations: mode %s: %llu blocks\n", tool_current()->modes[m].name,
                  (unsigned long long)s.per_mode[m]);
    gimle_msg(MSG_DEBUG, "translations: %llu from files, %llu to be kept\n",
              (unsigned long long)s.from_store, (unsigned long long)s.to_store);
    gimle_msg(MSG_DEBUG, "translations: %llu chained, %llu discarded, %llu flushes\n",
              (unsigned long long)s.chained, (unsigned long long)s.discarded,
              (unsigned long long)s.flushes);
    uint64_t n = s.guest_insns ? s.guest_insns : 1;
    gimle_msg(MSG_DEBUG, "translations: lift %llu, instrument %llu, emit %llu ns per instruction\n",
              (unsigned long long)(s.lift_ns / n), (unsigned long long)(s.instrument_ns / n),
              (unsigned long long)(s.emit_ns / n));
    if (tool_current()->print_stats)
        tool_current()->print_stats();
}

static void thread_ended(void *ctx, Thread *t)
{
    (void)ctx;
    report_thread_ended(gimle_thread_id(t));
}

/** Everything that is printed at the end. */
static void process_finish(int code)
{
    thread_stop_world();
    sigset_t quiet; /* what a full or closed output would raise; the client runs no more */
    sigemptyset(&quiet);
    sigaddset(&quiet, SIGPIPE);
    sigaddset(&quiet, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &quiet, NULL);
    gimle_thread_for_each_stopped(thread_ended, NULL);
    report_client_ended();
    syscall_fini();
    if (tool_current()->fini)
        tool_current()->fini(code);
    if (core_options->stats)
        process_print_stats();
    report_summary();
    report_close();
    tcache_save();
}

void process_fatal_signal(Thread *t, const siginfo_t *info)
{
    bool dumps = !t->in_vfork_child && core_file_wanted(info->si_signo);
    if (t->in_vfork_child) {
        core_file_forbid_host(true);
        return;
    }
    if (dumps)
        thread_stop_world();
    report_fatal_signal(t, info->si_signo, NULL, info->si_code,
                        (GuestAddr)(uintptr_t)info->si_addr, NULL, dumps);
    if (dumps) {
        GuestAddr auxv, end;
        proc_view_auxv(&auxv, &end);
        core_file_write(t, info, auxv, end - auxv);
    }
    core_file_forbid_host(false);
    process_finish(128 + info->si_signo);
}

static void freeres_finished(Thread *t, uint64_t result)
{
    (void)result;
    thread_exit_group(t, t->exit_code);
}

/** Let the client's C library free its caches first; true if that has been started. */
static bool process_start_freeres(Thread *t)
{
    static const struct { const char *soname, *symbol; } frees[] = {
        { "libstdc++*", "_ZN9__gnu_cxx9__freeresEv" },
        { "libc.so*", "__libc_freeres" },
    };
    static size_t next;
    if (!(tool_current()->flags & TOOL_FREERES) || freeres_done)
        return false;
    while (next < sizeof frees / sizeof frees[0]) {
        bool wanted = next == 0 ? core_options->run_cxx_freeres : core_options->run_libc_freeres;
        GuestAddr fn = wanted ? gimle_find_symbol(frees[next].soname, frees[next].symbol) : 0;
        next++;
        if (fn) {
            t->exit_state = THREAD_RUNS;
            t->frees_caches = true;
            redirect_client_call(t, fn, NULL, 0, freeres_finished);
            return true;
        }
    }
    freeres_done = true;
    return false;
}

/** The calling thread ends and others go on. */
static void process_end_thread(Thread *t)
{
    EVENT(thread_exit, t);
    report_thread_ended(gimle_thread_id(t));
    signal_thread_fini(t);
    robust_list_thread_ends(t);
    tracee_end(t);
    thread_free_number(t);
    thread_clear_child_tid(t);
    thread_end(t);
}

/** Is there a child process that shares our memory?  It needs a world that goes on. */
static bool any_runs_on(void)
{
    bool any = false;
    lock_take(LOCK_threads);
    for (Thread *t = NULL; !any && (t = thread_next(t));)
        any = t->runs_on;
    lock_release(LOCK_threads);
    return any;
}

void process_run_thread(Thread *t)
{
    for (;;) {
        exec_run_thread(t);
        bool last = gimle_thread_count() == 1;
        if (t->in_vfork_child) {
            if (t->runs_on) {
                signal_thread_fini(t);
                thread_enter_blocking(t);
            }
            _exit(t->exit_code);
        }
        if (t->exit_state == THREAD_EXITED && !last) {
            process_end_thread(t);
            return;
        }
        if (!process_start_freeres(t))
            break;
    }
    int code = t->exit_code;
    process_finish(code);
    fflush(NULL);
    if (any_runs_on())
        thread_start_world();
    _exit(report_exit_code(code));
}
