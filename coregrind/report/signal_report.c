/* SPDX-License-Identifier: MIT */
/* How a signal that the client does not handle ended it: text or XML. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "coregrind/report/report_internal.h"
#include "gimle/memory.h"

/** Texts for codes of faults; `no_addr` where the address says nothing. */
static const struct {
    int sig, code;
    const char *text;
    bool no_addr;
} events[] = {
    { SIGSEGV, SEGV_MAPERR, "Access not within mapped region", false },
    { SIGSEGV, SEGV_ACCERR, "Bad permissions for mapped region", false },
    { SIGSEGV, SI_KERNEL, "General Protection Fault", true },
    { SIGBUS, BUS_ADRALN, "Invalid address alignment", false },
    { SIGBUS, BUS_ADRERR, "Non-existent physical address", false },
    { SIGBUS, BUS_OBJERR, "Hardware error", false },
    { SIGILL, ILL_ILLOPC, "Illegal opcode", false },
    { SIGILL, ILL_ILLOPN, "Illegal operand", false },
    { SIGILL, ILL_ILLADR, "Illegal addressing mode", false },
    { SIGILL, ILL_ILLTRP, "Illegal trap", false },
    { SIGILL, ILL_PRVOPC, "Privileged opcode", false },
    { SIGILL, ILL_PRVREG, "Privileged register", false },
    { SIGILL, ILL_COPROC, "Coprocessor error", false },
    { SIGILL, ILL_BADSTK, "Internal stack error", false },
    { SIGFPE, FPE_INTDIV, "Integer divide by zero", false },
    { SIGFPE, FPE_INTOVF, "Integer overflow", false },
    { SIGFPE, FPE_FLTDIV, "FP divide by zero", false },
    { SIGFPE, FPE_FLTOVF, "FP overflow", false },
    { SIGFPE, FPE_FLTUND, "FP underflow", false },
    { SIGFPE, FPE_FLTRES, "FP inexact", false },
    { SIGFPE, FPE_FLTINV, "FP invalid operation", false },
    { SIGFPE, FPE_FLTSUB, "FP subscript out of range", false },
};

/** What is known of one death. */
typedef struct Death {
    unsigned tid;
    int sig, code;
    const char *name;
    const char *event;    /**< or NULL */
    bool has_addr, dumps_core;
    GuestAddr addr;
    const StackTrace *trace;
} Death;

static void find_event(Death *d)
{
    for (size_t i = 0; !d->event && i < sizeof events / sizeof *events; i++) {
        if (events[i].sig == d->sig && events[i].code == d->code) {
            d->event = events[i].text;
            d->has_addr = !events[i].no_addr;
        }
    }
}

static void print_xml(const Death *d)
{
    StrBuf b = { 0 };
    char thread[32];
    strbuf_printf(&b, "<fatal_signal>\n  <tid>%u</tid>\n", d->tid);
    if (*report_thread_name(d->tid, thread)) {
        strbuf_adds(&b, "  <threadname>");
        xml_escape(&b, thread);
        strbuf_adds(&b, "</threadname>\n");
    }
    strbuf_printf(&b, "  <signo>%d</signo>\n  <signame>%s</signame>\n  <sicode>%d</sicode>\n", d->sig,
                  d->name, d->code);
    if (d->event)
        strbuf_printf(&b, "  <event>%s</event>\n", d->event);
    if (d->event && d->has_addr)
        strbuf_printf(&b, "  <siaddr>0x%lx</siaddr>\n", (unsigned long)d->addr);
    if (d->trace)
        xml_stack(&b, d->trace, 2);
    strbuf_adds(&b, "</fatal_signal>\n\n");
    sink_write(SINK_XML, strbuf_text(&b), b.len);
    strbuf_free(&b);
}

/** Did the stack of the main thread end where it wanted to go on? */
static bool is_stack_overflow(const Death *d)
{
    enum { FRAME = 1 << 20 }; /* not a frame any more */
    GuestMapping m;
    return d->sig == SIGSEGV && d->code == SEGV_MAPERR && d->tid == 1 &&
           gimle_mapping_next(d->addr, &m) && m.is_stack && d->addr < m.start &&
           m.start - d->addr < FRAME;
}

static void print_stack_overflow(const Death *d)
{
    gimle_umsg("Stack overflow in thread #%u: can't grow stack to 0x%lx\n", d->tid,
               (unsigned long)d->addr & ~4095UL);
}

void report_stack_overflow(const Thread *t, int si_code, GuestAddr addr)
{
    const Death d = { .tid = gimle_thread_id(t), .sig = SIGSEGV, .code = si_code, .addr = addr };
    if (is_stack_overflow(&d))
        print_stack_overflow(&d);
}

static void print_text(const Death *d)
{
    gimle_umsg("\n");
    gimle_umsg("Process terminating with default action of signal %d (%s)%s\n", d->sig, d->name,
               d->dumps_core ? ": dumping core" : "");
    if (d->event && d->has_addr)
        gimle_umsg(" %s at address 0x%lX\n", d->event, (unsigned long)d->addr);
    else if (d->event)
        gimle_umsg(" %s\n", d->event);
    if (is_stack_overflow(d))
        print_stack_overflow(d);
    if (d->trace)
        report_stack(d->trace);
}

/** What helps when the main thread ran out of stack, which looks like any other bad access. */
static void print_stack_hint(void)
{
    struct rlimit r;
    unsigned long long size = (unsigned long long)core_options->main_stacksize;
    if (size == 0 && getrlimit(RLIMIT_STACK, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
        size = r.rlim_cur;
    gimle_umsg(" If you believe this happened as a result of a stack\n");
    gimle_umsg(" overflow in your program's main thread (unlikely but\n");
    gimle_umsg(" possible), you can try to increase the size of the\n");
    gimle_umsg(" main thread stack using the --main-stacksize= flag.\n");
    gimle_umsg(" The main thread stack size used in this run was %llu.\n", size);
}

void report_fatal_signal(Thread *t, int sig, const char *sig_name, int si_code, GuestAddr addr,
                         const char *event, bool dumps_core)
{
    char name[24];
    const char *abbrev = sigabbrev_np(sig);
    bool from_kernel = si_code > 0;
    if (!report_talkative() && !from_kernel)
        return;
    if (abbrev)
        snprintf(name, sizeof name, "SIG%s", abbrev);
    else
        snprintf(name, sizeof name, "SIGRT%d", sig - 32);
    Death d = { .tid = t ? gimle_thread_id(t) : 1, .sig = sig, .code = si_code, .addr = addr,
                .name = sig_name ? sig_name : name, .event = event, .has_addr = event != NULL, .dumps_core = dumps_core,
                .trace = t ? gimle_stack_trace(t) : NULL };
    find_event(&d);
    message_flush();
    if (core_options->xml)
        print_xml(&d);
    else
        print_text(&d);
    if (sig == SIGSEGV && si_code == SEGV_MAPERR && d.tid == 1)
        print_stack_hint();
}
