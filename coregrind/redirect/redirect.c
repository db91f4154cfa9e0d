/* SPDX-License-Identifier: MIT */
/*
 * The table of intercepted addresses, and entering host functions from translated code.  A planted
 * return address (wrappers, calls of client functions by the host) is a stand-in address of ours; what
 * to do there is on the thread's list of return hooks, matched by the stack pointer so that frames
 * abandoned by longjmp are dropped.
 */
#include "redirect.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "VEX/vex.h"
#include "base/check.h"
#include "client_redirect.h"
#include "base/hashmap.h"
#include "base/ranked_lock.h"
#include "base/vec.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/events.h"
#include "coregrind/core/options.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/redirect/required_symbols.h"
#include "coregrind/redirect/trace_malloc.h"
#include "coregrind/tcache/tcache.h"
#include "coregrind/thread/thread.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11 };
enum { STAND_IN_STEP = 16, STAND_IN_BYTES = 64 * 1024, MAX_DEFINITIONS = 8 };

typedef enum EntryKind {
    ENTRY_FUNCTION, ENTRY_RESOLVER, ENTRY_STAND_IN, ENTRY_RETURN,
    ENTRY_CLIENT /**< a function of the client's takes the place */
} EntryKind;

typedef struct Entry {
    VexQuick quick;      /**< first: what the translated call reads */
    EntryKind kind;
    const Intercept *what;
    GuestAddr at;        /**< the intercepted address */
    GuestAddr addr;      /**< address of the symbol (a resolver's for ENTRY_STAND_IN) */
    GuestAddr stand_in;  /**< ENTRY_RESOLVER: what it answers; ENTRY_CLIENT: where to go */
} Entry;

/** Something to do when a stand-in return address is reached. */
typedef struct ReturnHook {
    struct ReturnHook *next;
    GuestAddr sp;        /**< stack pointer after the return */
    GuestAddr resume;    /**< where to go on */
    GuestCall call;
    bool is_wrapper, keep_result;
    uint64_t result;
    void (*done)(Thread *t, uint64_t result);
    GuestAmd64 *saved;   /**< with done: the registers of the code that knows of no call */
} ReturnHook;

static const Intercept *table;
static const char *executable = "";
static HashMap entries;               /* address → Entry; LOCK_redirect */
static GuestAddr stand_in_next, stand_in_end, return_stand_in;

static uint64_t redirect_enter(VexState *s, uint64_t arg);
static const IrCallee enter_callee = { "redirect_enter", (void *)redirect_enter, CALLEE_FULL, TY_NONE, 1 };
/** For entries with a quick form. */
static const IrCallee quick_callee = { "redirect_enter", (void *)redirect_enter, CALLEE_QUICK, TY_NONE, 1 };

void redirect_set_executable(const char *path) { executable = path; }

/* ---- stand-in addresses ---------------------------------------------------------------------- */

static GuestAddr stand_in_new(void)
{
    if (stand_in_next == stand_in_end) {
        int64_t a = aspace_mmap(0, STAND_IN_BYTES, PROT_READ | PROT_EXEC,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(a > 0, "no memory for stand-in addresses");
        stand_in_next = (GuestAddr)a;
        stand_in_end = stand_in_next + STAND_IN_BYTES;
    }
    GuestAddr a = stand_in_next;
    stand_in_next += STAND_IN_STEP;
    return a;
}

/** In the place of a quick form whose calls are to be shown. */
static GuestQuick decline(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, VexState *s, const Intercept *what)
{
    (void)a0, (void)a1, (void)a2, (void)a3, (void)s, (void)what;
    return guest_quick_declined();
}

static Entry *entry_add(EntryKind kind, GuestAddr at, const Intercept *what, GuestAddr symbol)
{
    Entry *e = calloc(1, sizeof *e);
    CHECK(e != NULL);
    *e = (Entry){ .kind = kind, .what = what, .at = at, .addr = symbol };
    if (what && what->quick && (kind == ENTRY_FUNCTION || kind == ENTRY_STAND_IN))
        e->quick = (VexQuick){ core_options->trace_malloc ? (const void *)decline : (const void *)what->quick, what };
    lock_take(LOCK_redirect);
    Entry *old = hashmap_get_ptr(&entries, at);
    if (!old)
        hashmap_put(&entries, at, (uintptr_t)e);
    lock_release(LOCK_redirect);
    if (old) {
        free(e);
        return old;
    }
    return e;
}

void redirect_add(GuestAddr addr, const Intercept *what)
{
    entry_add(ENTRY_FUNCTION, addr, what, addr);
}

/* ---- finding functions in objects ------------------------------------------------------------- */

static bool object_matches(const Intercept *row, Module *m)
{
    if (row->flags & IC_ANY_OBJECT)
        return true;
    bool is_exe = strcmp(module_path(m), executable) == 0;
    if (strcmp(row->soname, "NONE") == 0)
        return is_exe;
    return fnmatch(row->soname, module_soname(m), 0) == 0;
}

static void redirect_symbol(const Intercept *row, const SymbolInfo *sym)
{
    if (sym->kind == SYM_OBJECT)
        return;
    Entry *e = entry_add(sym->kind == SYM_IFUNC ? ENTRY_RESOLVER : ENTRY_FUNCTION, sym->addr, row,
                         sym->addr);
    if (sym->kind == SYM_IFUNC && !e->stand_in) {
        e->stand_in = stand_in_new();
        entry_add(ENTRY_STAND_IN, e->stand_in, row, sym->addr);
    }
    gimle_discard_translations(sym->addr, 1);
}

static void redirect_module(Module *m)
{
    SymbolInfo sym[MAX_DEFINITIONS];
    for (const Intercept *row = table; row && row->symbol; row++) {
        if (!object_matches(row, m))
            continue;
        unsigned n = debuginfo_find_symbols(m, row->symbol, false, sym, MAX_DEFINITIONS);
        for (unsigned i = 0; i < n; i++)
            redirect_symbol(row, &sym[i]);
    }
}

/* ---- replacements that the client brings along ------------------------------------------------- */

typedef struct ClientSpec {
    ClientRedirect what;
    GuestAddr addr;      /**< of the replacement */
} ClientSpec;

typedef VEC(ClientSpec) ClientSpecs;

static ClientSpecs client_specs;
static pthread_mutex_t client_mutex = PTHREAD_MUTEX_INITIALIZER;

static void client_apply(const ClientSpec *spec, Module *m)
{
    SymbolInfo sym[MAX_DEFINITIONS];
    Intercept row = { .soname = spec->what.soname };
    if (!object_matches(&row, m))
        return;
    bool all = strcmp(module_path(m), executable) == 0;
    unsigned n = debuginfo_find_symbols(m, spec->what.function, all, sym, MAX_DEFINITIONS);
    for (unsigned i = 0; i < n; i++) {
        if (sym[i].kind != SYM_FUNC || sym[i].addr == spec->addr)
            continue;
        Entry *e = entry_add(ENTRY_CLIENT, sym[i].addr, NULL, sym[i].addr);
        e->stand_in = spec->addr;
        gimle_discard_translations(sym[i].addr, 1);
    }
}

/** A symbol _vgr… or _vgw… (debuginfo_each_symbol; its lock is held). */
static bool client_collect(void *arg, const char *name, const SymbolInfo *s)
{
    ClientSpecs *fresh = arg;
    ClientSpec spec = { .addr = s->addr };
    if (client_redirect_parse(name, &spec.what))
        vec_push(fresh, spec);
    return true;
}

/** The replacements that @p m brings, for all objects; and those of the others, for @p m. */
static void client_module(Module *m)
{
    ClientSpecs fresh = { 0 };
    bool all = strcmp(module_path(m), executable) == 0;
    debuginfo_each_symbol(m, "_vg", all, client_collect, &fresh);
    pthread_mutex_lock(&client_mutex);
    for (size_t i = 0; i < client_specs.n; i++)
        client_apply(&client_specs.data[i], m);
    for (size_t i = 0; i < fresh.n; i++) {
        vec_push(&client_specs, fresh.data[i]);
        for (Module *o = NULL; (o = debuginfo_next_module(o));)
            client_apply(&fresh.data[i], o);
    }
    pthread_mutex_unlock(&client_mutex);
    vec_free(&fresh);
}

static void redirect_forget(Module *m)
{
    GuestAddr lo, hi;
    VEC(uint64_t) gone = { 0 };
    uint64_t key, value;
    module_text(m, &lo, &hi);
    lock_take(LOCK_redirect);
    for (size_t it = 0; hashmap_next(&entries, &it, &key, &value);)
        if (((Entry *)(uintptr_t)value)->addr >= lo && ((Entry *)(uintptr_t)value)->addr < hi)
            vec_push(&gone, key);
    for (size_t i = 0; i < gone.n; i++)
        hashmap_remove(&entries, gone.data[i]); /* translations may still hold the Entry */
    lock_release(LOCK_redirect);
    vec_free(&gone);
}

static void redirect_observe(Module *m, bool loaded)
{
    if (loaded) {
        required_symbols_check(m);
        redirect_module(m);
        client_module(m);
    } else {
        redirect_forget(m);
    }
}

void redirect_init(const Intercept *rows)
{
    table = rows;
    required_symbols_init();
    return_stand_in = stand_in_new();
    entry_add(ENTRY_RETURN, return_stand_in, NULL, return_stand_in);
    debuginfo_observe(redirect_observe);
}

bool redirect_lookup(GuestAddr pc, const IrCallee **callee, uint64_t *arg)
{
    lock_take(LOCK_redirect);
    Entry *e = hashmap_get_ptr(&entries, pc);
    lock_release(LOCK_redirect);
    *callee = e && e->quick.fn ? &quick_callee : &enter_callee;
    *arg = (uintptr_t)e;
    return e != NULL;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static const uint8_t argument_reg[6] = { RDI, RSI, RDX, RCX, R8, R9 };

void guest_call_set_arg(GuestCall *c, unsigned i, uint64_t v)
{
    CHECK(i < 6);
    c->thread->state->guest.gpr[argument_reg[i]] = v;
    EVENT(reg_write, c->thread, argument_reg[i]);
}

uint64_t guest_call_arg(const GuestCall *c, unsigned i)
{
    const GuestAmd64 *g = &c->thread->state->guest;
    if (i < 6)
        return g->gpr[argument_reg[i]];
    uint64_t v = 0;
    gimle_read_guest(&v, g->gpr[RSP] + 8 * (uint64_t)(i - 5), sizeof v);
    return v;
}

void guest_call_return(GuestCall *c, uint64_t v)
{
    c->thread->state->guest.gpr[RAX] = v;
    EVENT(reg_write, c->thread, RAX);
}

uint64_t guest_call_result(const GuestCall *c) { return c->thread->state->guest.gpr[RAX]; }

void guest_call_original(GuestCall *c)
{
    Thread *t = c->thread;
    t->no_redirect_pc = c->function;
    t->state->guest.pc = c->function;
    t->state->pending = 1; /* back to the run loop, which looks at no_redirect_pc */
}

static void hook_push(Thread *t, ReturnHook hook)
{
    ReturnHook *h = malloc(sizeof *h);
    CHECK(h != NULL);
    *h = hook;
    h->next = t->return_hooks;
    t->return_hooks = h;
}

/** Put @p ret on the client's stack as CALL does. */
static bool push_return(Thread *t, GuestAddr ret)
{
    GuestAmd64 *g = &t->state->guest;
    EVENT(stack_new, t, g->gpr[RSP] - 8, 8);
    if (gimle_write_guest(g->gpr[RSP] - 8, &ret, 8) != 8)
        return false;
    g->gpr[RSP] -= 8;
    EVENT(sys_post_write, t, g->gpr[RSP], 8);
    return true;
}

/** Start a call of @p fn that comes back to the return stand-in. The stack becomes aligned for it. */
static void start_client_call(Thread *t, GuestAddr fn, const uint64_t *args, unsigned n,
                              ReturnHook hook)
{
    static const uint8_t reg[6] = { RDI, RSI, RDX, RCX, R8, R9 };
    GuestAmd64 *g = &t->state->guest;
    CHECK(n <= 6);
    for (unsigned i = 0; i < n; i++) {
        g->gpr[reg[i]] = args[i];
        EVENT(reg_write, t, reg[i]);
    }
    g->gpr[RAX] = 0;
    EVENT(reg_write, t, RAX);
    hook.sp = g->gpr[RSP];
    /* Leave the red zone of the interrupted code alone, and align. */
    GuestAddr sp = (g->gpr[RSP] - 256) & ~15ULL;
    EVENT(stack_new, t, sp, g->gpr[RSP] - sp);
    g->gpr[RSP] = sp;
    if (push_return(t, return_stand_in)) {
        hook_push(t, hook);
        g->pc = fn;
    }
}

void guest_call_client(GuestCall *c, GuestAddr fn, const uint64_t *args, unsigned n,
                       bool keep_result)
{
    Thread *t = c->thread;
    GuestAmd64 *g = &t->state->guest;
    ReturnHook hook = { .resume = c->ret_addr, .call = *c, .keep_result = keep_result,
                        .result = g->gpr[RAX] };
    g->gpr[RSP] += 8; /* the replaced function's own return address is consumed */
    start_client_call(t, fn, args, n, hook);
}

void redirect_client_call(Thread *t, GuestAddr fn, const uint64_t *args, unsigned n,
                          void (*done)(Thread *t, uint64_t result))
{
    ReturnHook hook = { .resume = t->state->guest.pc, .done = done };
    hook.saved = malloc(sizeof *hook.saved);
    CHECK(hook.saved != NULL);
    *hook.saved = t->state->guest;
    start_client_call(t, fn, args, n, hook);
}

/** The code that was interrupted finds its registers as they were, but for the x87's, which a call leaves alone. */
static void restore_registers(Thread *t, GuestAmd64 *saved)
{
    static const uint8_t changed[] = { RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11 };
    GuestAmd64 *g = &t->state->guest;
    for (size_t i = 0; i < sizeof changed; i++) {
        g->gpr[changed[i]] = saved->gpr[changed[i]];
        EVENT(reg_write, t, changed[i]);
    }
    g->cc = saved->cc;
    memcpy(g->v, saved->v, sizeof g->v);
    memcpy(g->k, saved->k, sizeof g->k);
    free(saved);
}

/** The innermost hook for the present stack pointer; outer frames' hooks stay, abandoned ones go. */
static ReturnHook hook_pop(Thread *t)
{
    GuestAddr sp = t->state->guest.gpr[RSP];
    for (;;) {
        ReturnHook *h = t->return_hooks;
        CHECK(h != NULL, "return to a stand-in address that was not planted");
        ReturnHook copy = *h;
        t->return_hooks = h->next;
        free(h);
        /* A hook whose frame lies below the stack pointer was left by longjmp. */
        if (copy.sp >= sp || !t->return_hooks)
            return copy;
        free(copy.saved);
    }
}

static void enter_return(Thread *t)
{
    GuestAmd64 *g = &t->state->guest;
    ReturnHook h = hook_pop(t);
    uint64_t result = g->gpr[RAX];
    g->gpr[RSP] = h.sp;
    g->pc = h.resume;
    if (h.is_wrapper) {
        h.call.what->after(&h.call);
    } else if (h.done) {
        restore_registers(t, h.saved);
        h.done(t, result);
    } else if (!h.keep_result) {
        g->gpr[RAX] = h.result;
        EVENT(reg_write, t, RAX);
    }
}

/** before() of a wrapper, then the original with a planted return address. */
static void enter_wrapper(Thread *t, GuestCall *call)
{
    GuestAmd64 *g = &t->state->guest;
    call->what->before(call);
    ReturnHook hook = { .sp = g->gpr[RSP] + 8, .resume = call->ret_addr, .is_wrapper = true,
                        .call = *call };
    if (gimle_write_guest(g->gpr[RSP], &return_stand_in, 8) == 8)
        hook_push(t, hook);
    guest_call_original(call);
}

/** CALLEE_FULL helper of the translation of an intercepted address. */
static uint64_t redirect_enter(VexState *s, uint64_t arg)
{
    const Entry *e = (const Entry *)(uintptr_t)arg;
    Thread *t = s->thread;
    GuestAmd64 *g = &s->guest;
    if (e->kind == ENTRY_RETURN) {
        enter_return(t);
        return 0;
    }
    if (e->kind == ENTRY_CLIENT) {
        t->nraddr = e->addr;
        g->pc = e->stand_in;
        return 0;
    }
    GuestCall call = { .thread = t, .function = e->addr, .what = e->what };
    GuestAddr entry_sp = g->gpr[RSP];
    t->host_calls++;
    t->host_entry = e;
    /* A stand-in has no symbol and no unwind information; the resolver it replaces has both. */
    g->pc = e->addr;
    call.ret_addr = *(const uint64_t *)entry_sp;
    if (e->kind == ENTRY_RESOLVER) {
        guest_call_return(&call, e->stand_in);
    } else if (e->what->flags & IC_WRAP) {
        enter_wrapper(t, &call);
        t->host_calls--;
        t->host_entry = NULL;
        return 0;
    } else if (core_options->trace_malloc) {
        trace_malloc_call(&call);
    } else {
        e->what->before(&call);
    }
    t->host_calls--;
    t->host_entry = NULL;
    /* Return to the caller, unless the handler has arranged something else. */
    if (g->pc == e->addr && !t->no_redirect_pc) {
        g->gpr[RSP] = entry_sp + 8;
        g->pc = call.ret_addr;
    }
    return 0;
}

void redirect_leave_quick(Thread *t)
{
    const Entry *e = (const Entry *)(uintptr_t)t->state->scratch[0];
    t->state->guest.pc = e->addr;
    t->host_entry = e;
}

bool redirect_in_host_call(const Thread *t) { return t->host_calls > 0; }

GuestAddr redirect_abandon_host_call(Thread *t)
{
    const Entry *e = t->host_entry;
    t->host_calls = 0;
    t->host_entry = NULL;
    return e ? e->at : 0;
}
