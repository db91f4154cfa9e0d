/* SPDX-License-Identifier: MIT */
/*
 * The composition root: the only file that sees everything.  Starts the modules in order, connects
 * those that may not know each other, loads the client, and ends the process with its reports.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "VEX/vex.h"
#include "base/check.h"
#include "base/ranked_lock.h"
#include "client_env.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/clreq/clreq.h"
#include "coregrind/core/events.h"
#include "coregrind/core/fatal.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/core/options.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/exec/exec.h"
#include "guest_report.h"
#include "coregrind/image/image.h"
#include "coregrind/os/guest_access.h"
#include "coregrind/redirect/redirect.h"
#include "coregrind/redirect/vdso.h"
#include "coregrind/report/report.h"
#include "coregrind/signal/host_handler.h"
#include "coregrind/signal/signal.h"
#include "coregrind/signal/tracee.h"
#include "coregrind/syscall/syscall.h"
#include "coregrind/tcache/tcache.h"
#include "coregrind/thread/clone.h"
#include "coregrind/thread/stacks.h"
#include "coregrind/thread/thread.h"
#include "coregrind/store_setup.h"
#include "coregrind/tool/tool_loader.h"
#include "launcher/launcher.h"
#include "process_end.h"

/* Code memory; with --chaos=tcache so little at first that programs live through many flushes. */
enum { CODE_BYTES = 256 << 20, CHAOS_CODE_BYTES = 1 << 20 };

/* ---- connections between modules --------------------------------------------------------------- */

static void hook_code_discarded(GuestAddr a, size_t len) { EVENT(code_discard, a, len); }
static unsigned hook_code_readable(void *ctx, GuestAddr a, unsigned want)
{
    (void)ctx;
    return aspace_code_readable(a, want);
}

static bool traced_code; /* a tracer writes to the client's code */

static bool hook_code_unstable(void *ctx, GuestAddr a, unsigned len)
{
    (void)ctx;
    return core_options->smc_check == SMC_ALL || traced_code || aspace_code_unstable(a, len);
}

/** A tracer puts breakpoints into the code: no translation may stay that would not notice. */
static void hook_traced_code(void)
{
    if (traced_code)
        return;
    tcache_stop_keeping();
    traced_code = true;
    gimle_discard_translations(0, GIMLE_CLIENT_END);
}

static void hook_trace_out(void *ctx, const char *text)
{
    (void)ctx;
    fputs(text, stderr);
}

static unsigned hook_stack_owner(GuestAddr a)
{
    unsigned id = 0;
    lock_take(LOCK_threads);
    for (Thread *t = NULL; !id && (t = thread_next(t));)
        if (a >= t->stack_lo && a < t->stack_hi)
            id = t->id;
    lock_release(LOCK_threads);
    GuestMapping m;
    Thread *t = thread_self();
    if (!id && t && gimle_mapping_at(a, &m)) { /* the caller's own stack may not have been looked at yet */
        GuestAddr sp = gimle_thread_get_reg(t, gimle_guest->sp);
        id = sp >= m.start && sp < m.end ? t->id : 0;
    }
    return id;
}

static void hook_fork_prepare(void)
{
    tcache_fork_prepare();
    lock_take(LOCK_translate);
    lock_take(LOCK_aspace);
}

static void hook_fork_parent(void)
{
    lock_release(LOCK_aspace);
    lock_release(LOCK_translate);
}

static void hook_fork_child(Thread *t)
{
    tcache_fork_child();
    signal_thread_init(t);
    tracee_fork_child(t);
    report_fork_child();
}

static void hook_vfork_child(Thread *t)
{
    aspace_bind_thread();
    signal_vfork_child();
    signal_thread_init(t); /* the parent's alternate stack is not to be shared */
    tracee_start(t);
}

static void hook_vfork_parent(Thread *t)
{
    signal_vfork_parent();
    tracee_vfork_done(t);
}

static void hook_share_child(Thread *t)
{
    aspace_bind_thread();
    signal_thread_init(t);
    tracee_start(t);
}

static void hook_share_end(Thread *t)
{
    tracee_end(t);
    signal_thread_fini(t);
}

static void hook_thread_main(Thread *t)
{
    if (!t->in_vfork_child && !t->is_main) {
        signal_thread_init(t);
        tracee_start(t);
    }
    process_run_thread(t);
}

enum { RESULT_REG = 2 }; /* client requests answer in RDX */

static void client_call_done(Thread *t, uint64_t result)
{
    gimle_thread_set_reg(t, RESULT_REG, result);
    EVENT(reg_write, t, RESULT_REG);
}

/** Suppressions are read while nobody can look something up in them. */
static void hook_change_option(const char *text)
{
    StrBuf said = { 0 };
    thread_stop_world();
    options_change(text, &said);
    if (said.len)
        gimle_umsg("%s", strbuf_text(&said));
    suppress_load_more();
    thread_start_world();
    strbuf_free(&said);
}

static void hook_client_call(Thread *t, GuestAddr fn, const uint64_t *args, unsigned n)
{
    redirect_client_call(t, fn, args, n, client_call_done);
}

static void connect_modules(const GimleTool *tool)
{
    static const CloneHooks clone_hooks = {
        hook_thread_main, hook_fork_prepare, hook_fork_parent, hook_fork_child,
        hook_vfork_child, hook_vfork_parent, hook_share_child, hook_share_end,
        signal_clear_handlers, signal_host_take_back,
    };
    static const ClreqHooks clreq_hooks = { .discard = gimle_discard_translations,
                                            .client_call = hook_client_call,
                                            .stack_register = stacks_register,
                                            .stack_deregister = stacks_deregister,
                                            .stack_change = stacks_change,
                                            .change_option = hook_change_option,
                                            .print_stats = process_print_stats };
    clone_set_hooks(&clone_hooks);
    clreq_set_hooks(&clreq_hooks);
    clreq_set_tool(tool->client_request, tool->monitor);
    signal_set_fault_handler(exec_handle_fault);
    tracee_set_code_hook(hook_traced_code);
    signal_set_asked_hook(clreq_answer);
    signal_set_fatal_hook(process_fatal_signal);
    guest_report_init();
    report_stack_owner = hook_stack_owner;
    if (tool->events)
        core_events = *tool->events;
}

/* ---- start ---------------------------------------------------------------------------------------- */

/**
 * --cpu can hide features, not add them.  By those of a level's features that every compiler can ask for
 * (clang before 17 does not know the levels' names); no processor has these and lacks the others.
 */
static void check_cpu_level(unsigned level)
{
    bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
              __builtin_cpu_supports("fma");
    bool v4 = v3 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const bool has[] = { true, true, v2, v3, v4 };
    if (level < sizeof has / sizeof has[0] && !has[level])
        gimle_user_error("--cpu=x86-64-v%u: this processor has not all of it", level);
}

static void start_vex(const GimleTool *tool)
{
    check_cpu_level((unsigned)core_options->cpu);
    VexConfig cfg = {
        .n_modes = tool->n_modes,
        .max_guest_insns = (unsigned)core_options->max_guest_insns,
        .trace = core_options->trace_flags,
        .trace_from = core_options->trace_at,
        .trace_to = core_options->trace_at,
        .trace_out = hook_trace_out,
        .sanity = (unsigned)core_options->sanity_level > 1 ? 2 : 0,
        .chaos_regalloc = core_options->chaos & CHAOS_REGALLOC,
        .shadow_offset = GIMLE_SHADOW_DELTA,
        .code_readable = hook_code_readable,
        .code_unstable = hook_code_unstable,
        .cpu_level = (unsigned)core_options->cpu,
        .timing = core_options->stats,
    };
    for (unsigned i = 0; i < tool->n_modes; i++) {
        cfg.modes[i] = tool->modes[i];
        if (core_options->engine == ENGINE_INTERP) /* the interpreter knows no pinned registers */
            cfg.modes[i].flags &= ~(unsigned)(VM_PINNED | VM_PIN_TOOL0);
    }
    vex_init(&cfg);

    static const TcacheHooks tcache_hooks = { redirect_lookup, hook_code_discarded,
                                              exec_flush_jump_caches };
    size_t limit = core_options->chaos & CHAOS_TCACHE ? CHAOS_CODE_BYTES : CODE_BYTES;
    int err = tcache_init(CODE_BYTES, limit, &tcache_hooks);
    if (err < 0)
        gimle_user_error("cannot map memory for translated code: %s", strerror(-err));
}

/** Tell debug info and tool of one object that the loader mapped. */
static void announce_object(const ImageObject *o)
{
    struct stat st = { 0 };
    char path[PATH_MAX];
    if (stat(o->path, &st) != 0 || !realpath(o->path, path))
        snprintf(path, sizeof path, "%s", o->path);
    for (unsigned i = 0; i < o->n_seg; i++) {
        const ImageSegment *s = &o->seg[i];
        EVENT(mem_map, MEM_STARTUP, s->start, s->end - s->start, s->prot);
        debuginfo_map(s->start, s->end - s->start, s->prot, s->file_offset, path, st.st_dev,
                      st.st_ino);
    }
}

static void announce_image(Thread *t, const Image *img)
{
    static char exe_path[PATH_MAX];
    if (!realpath(img->exe.path, exe_path))
        snprintf(exe_path, sizeof exe_path, "%s", img->exe.path);
    redirect_set_executable(exe_path);
    syscall_set_client(t, &(SyscallClient){ .exe = exe_path, .start_sp = img->start_sp,
                                         .stack_limit = client_env_stack_limit() });
    announce_object(&img->exe);
    if (img->has_interp)
        announce_object(&img->interp);
    aspace_mark_stack(img->stack_lo, img->stack_hi - img->stack_lo);
    EVENT(mem_map, MEM_STARTUP, img->stack_lo, img->stack_hi - img->stack_lo, 0);
    GuestAddr unused_end = img->start_sp - gimle_guest->red_zone;
    EVENT(stack_die, t, img->stack_lo, unused_end - img->stack_lo);
    t->stack_lo = img->stack_lo;
    t->stack_hi = img->stack_hi;
}

/** Find and map @p program; @p argv is what it is to see. */
static void load_client(Image *img, const char *program, char **argv, char **envp)
{
    char path[PATH_MAX];
    ImageRequest req = { .path = path, .name = getenv(LAUNCHER_NAME_VAR), .argv = argv, .envp = envp,
                         .vdso = vdso_map(tool_current()->flags & TOOL_SHADOW),
                         .stack_limit = client_env_stack_limit() };
    if (core_options->main_stacksize > 0)
        req.stack_limit = (uint64_t)core_options->main_stacksize;
    if (!image_find(img, program, client_env_get(envp, "PATH"), path) || !image_load(img, &req))
        fatal_exec_error(img->error, img->not_found);
}

static Thread *start_client(const GimleTool *tool, char **argv, char **envp)
{
    static Image img;
    Thread *t = thread_new_main(!core_options->parallel || !(tool->flags & TOOL_PARALLEL));
    redirect_init(tool->intercepts);
    char *program = argv[0], *argv0 = getenv(LAUNCHER_ARGV0_VAR);
    if (argv0) /* a traced execve whose argv[0] is not the path */
        argv[0] = argv0;
    load_client(&img, program, argv, envp);
    argv[0] = program; /* as it is shown */
    suppress_load(client_env_lib_dir());
    report_banner((const char *const *)argv);
    signal_init(t);
    guest_access_set_guarded();
    announce_image(t, &img);
    t->state->guest.pc = img.start_pc;
    gimle_thread_set_reg(t, gimle_guest->sp, img.start_sp);
    return t;
}

/**
 * Tables that grow have mappings of their own, however large such blocks were before: by default the C library
 * would put them on its heap, among what stays, and what they leave behind would not go back.
 */
static void set_up_malloc(void)
{
    enum { OWN_MAPPING = 256 << 10 };
    mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
}

int main(int argc, char **argv)
{
    set_up_malloc();
    host_fd_init();
    fatal_init();
    int program = options_collect(argc, argv);
    const GimleTool *tool = tool_load(options_tool_name(), client_env_lib_dir());
    options_parse(tool_short_name(), tool->options, tool->name, tool->help_footer);

    ReportTool rt = { tool->name, tool_short_name(), tool->description, tool->copyright,
                      tool->errors };
    report_init(&rt);
    int err = aspace_init(tool->flags & TOOL_SHADOW);
    if (err < 0)
        gimle_user_error("cannot reserve 32 TiB of address space for shadow memory: %s "
                         "(is ulimit -v set?)", strerror(-err));
    if (tool->init)
        tool->init();
    connect_modules(tool);
    start_vex(tool);
    store_setup(tool);
    syscall_init();
    Thread *t = start_client(tool, argv + program, client_env_build());
    const char *traced = getenv(LAUNCHER_TRACED_VAR);
    if (traced)
        tracee_exec(t, traced);
    process_run_thread(t);
    syscall(SYS_exit, 0); /* of this thread; returning would end the others too */
    __builtin_unreachable();
}
