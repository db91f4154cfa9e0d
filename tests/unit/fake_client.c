/* SPDX-License-Identifier: MIT */
/* See fake_client.h. */
#include "fake_client.h"

#include <string.h>

#include "VEX/state.h"
#include "coregrind/unwind/unwind.h"

const FakeFunction *fake_functions;
GuestAddr fake_pcs[64], fake_sps[64];
unsigned fake_depth;
GuestMapping fake_mapping;

struct Thread {
    unsigned id;
};

enum { THREADS = 8, GPR_RSP = 4 };
static struct Thread threads[THREADS];
static VexState state;
static GuestAddr stack_lo, stack_hi;

Thread *fake_thread(unsigned id)
{
    threads[id].id = id;
    return &threads[id];
}

void fake_stack(GuestAddr sp, GuestAddr lo, GuestAddr hi)
{
    state.guest.gpr[GPR_RSP] = sp;
    stack_lo = lo;
    stack_hi = hi;
}

unsigned gimle_thread_id(const Thread *t) { return t->id; }

struct VexState *gimle_thread_state(Thread *t)
{
    (void)t;
    return &state;
}

bool gimle_thread_stack(const Thread *t, GuestAddr *lo, GuestAddr *hi)
{
    (void)t;
    *lo = stack_lo;
    *hi = stack_hi;
    return stack_hi != 0;
}

bool gimle_mapping_next(GuestAddr a, GuestMapping *out)
{
    (void)a, (void)out;
    return false;
}

bool gimle_mapping_at(GuestAddr a, GuestMapping *out)
{
    if (a < fake_mapping.start || a >= fake_mapping.end)
        return false;
    *out = fake_mapping;
    return true;
}

unsigned unwind_stack(const UnwindRegs *regs, GuestAddr *pcs, unsigned max, GuestAddr *sps,
                      GuestAddr lo, GuestAddr hi)
{
    (void)regs, (void)lo, (void)hi;
    unsigned n = fake_depth < max ? fake_depth : max;
    memcpy(pcs, fake_pcs, n * sizeof *pcs);
    if (sps)
        memcpy(sps, fake_sps, n * sizeof *sps);
    return n;
}

unsigned unwind_stack_logged(const UnwindRegs *regs, GuestAddr *pcs, unsigned max, GuestAddr lo,
                             GuestAddr hi, UnwindLog *log)
{
    *log = (UnwindLog){ .incomplete = true };
    return unwind_stack(regs, pcs, max, NULL, lo, hi);
}

uint32_t unwind_modules_generation;

DebuginfoOptions debuginfo_options;

/* ---- debug info --------------------------------------------------------------------------- */

static const FakeFunction *function_at(GuestAddr pc)
{
    for (const FakeFunction *f = fake_functions; f && f->hi; f++)
        if (pc >= f->lo && pc < f->hi)
            return f;
    return NULL;
}

unsigned debuginfo_describe_pc(GuestAddr pc, FrameInfo *frames, unsigned max, Arena *a)
{
    const FakeFunction *f = function_at(pc);
    unsigned n = 0;
    (void)a;
    if (f && f->inlined_fn && max > 1)
        frames[n++] = (FrameInfo){ .pc = pc, .fn = f->inlined_fn, .fn_raw = f->inlined_fn,
                                   .file = f->file, .dir = f->dir, .line = f->line + 100,
                                   .obj = f->obj, .inlined = true };
    frames[n] = (FrameInfo){ .pc = pc };
    if (f)
        frames[n] = (FrameInfo){ .pc = pc, .fn = f->fn, .fn_raw = f->fn_raw ? f->fn_raw : f->fn,
                                 .fn_offset = pc - f->lo, .file = f->file, .dir = f->dir,
                                 .line = f->line, .obj = f->obj };
    return n + 1;
}

void debuginfo_describe_line(GuestAddr pc, FrameInfo *f, GuestAddr *end, Arena *a)
{
    FrameInfo frames[2];
    unsigned n = debuginfo_describe_pc(pc, frames, 2, a);
    *f = frames[n - 1];
    *end = pc + 1;
}

bool debuginfo_is_main(const char *fn) { return strcmp(fn, "main") == 0; }
bool debuginfo_is_below_main(const char *fn) { return strcmp(fn, "__libc_start_call_main") == 0; }

const char *debuginfo_function_name(GuestAddr pc, uint64_t *offset, Arena *a)
{
    const FakeFunction *f = function_at(pc);
    (void)a;
    *offset = f ? pc - f->lo : 0;
    return f ? f->fn : NULL;
}

const char *debuginfo_demangle(const char *name, Arena *a)
{
    (void)a;
    return name;
}

Module *debuginfo_find_module(GuestAddr a) { return (Module *)function_at(a); }

bool debuginfo_describe_data(GuestAddr a, DataInfo *out, Arena *arena)
{
    const FakeFunction *f = function_at(a);
    (void)arena;
    if (!f || !f->fn || strncmp(f->fn, "data_", 5) != 0)
        return false;
    *out = (DataInfo){ .name = f->fn + 5, .start = f->lo, .size = f->hi - f->lo, .obj = f->obj };
    return true;
}

bool debuginfo_describe_local(GuestAddr pc, int64_t from_cfa, VariableInfo *out, Arena *arena)
{
    (void)pc, (void)from_cfa, (void)out, (void)arena;
    return false;
}

bool debuginfo_describe_global(GuestAddr a, VariableInfo *out, Arena *arena)
{
    (void)a, (void)out, (void)arena;
    return false;
}

void module_text(const Module *m, GuestAddr *lo, GuestAddr *hi)
{
    const FakeFunction *f = (const FakeFunction *)m;
    *lo = f->lo;
    *hi = f->hi;
}

const char *module_path(const Module *m) { return ((const FakeFunction *)m)->obj; }
