/* SPDX-License-Identifier: MIT */
/*
 * What an address is that no tool knows as a heap block: on a stack, in a variable, in a section
 * of an object, in some mapping.  Texts are kept for ever: there are as many as errors shown.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "VEX/state.h"
#include "base/check.h"
#include "coregrind/report/report_internal.h"
#include "coregrind/unwind/unwind.h"
#include "gimle/memory.h"

enum { MAX_FRAMES = 100, MAX_INLINED = 64, GPR_RSP = 4 };

unsigned (*report_stack_owner)(GuestAddr a);

static const char *keep(const char *s)
{
    char *copy = s ? strdup(s) : NULL;
    CHECK(!s || copy, "out of memory");
    return copy;
}

/* ---- variables (--read-var-info) --------------------------------------------------------------- */

/** @p local: ", in frame #1 of thread 1", or NULL for what is in no frame. */
static void keep_variable(const VariableInfo *v, const char *local, AddrDesc *out)
{
    char text[1024];
    const char *bytes = v->offset == 1 ? "byte" : "bytes";
    if (v->part)
        snprintf(text, sizeof text, "%lu %s inside %s,", (unsigned long)v->offset, bytes, v->part);
    else
        snprintf(text, sizeof text, "%lu %s inside %s var \"%s\"", (unsigned long)v->offset, bytes,
                 local ? "local" : "global", v->name);
    out->variable = keep(text);
    snprintf(text, sizeof text, "%sdeclared at %s:%u%s", v->part && !local ? "a global variable " : "",
             v->file ? v->file : "???", v->line, local ? local : "");
    out->declared = keep(text);
}

static void describe_local(GuestAddr pc, int64_t from_cfa, AddrDesc *out)
{
    Arena arena = { 0 };
    VariableInfo v;
    char where[64];
    snprintf(where, sizeof where, ", in frame #%d of thread %u", out->frame, out->tid);
    if (debuginfo_describe_local(pc, from_cfa, &v, &arena))
        keep_variable(&v, where, out);
    arena_free(&arena);
}

/* ---- stacks ---------------------------------------------------------------------------------- */

/** Which frame of @p t owns the stack byte at @p a. */
static void describe_frame(Thread *t, GuestAddr a, GuestAddr lo, GuestAddr hi, AddrDesc *out)
{
    const VexState *s = gimle_thread_state(t);
    GuestAddr pcs[MAX_FRAMES], sps[MAX_FRAMES];
    UnwindRegs regs = { .pc = s->guest.pc };
    memcpy(regs.gpr, s->guest.gpr, sizeof regs.gpr);
    unsigned n = unwind_stack(&regs, pcs, MAX_FRAMES, sps, lo, hi);
    for (unsigned i = 0; i + 1 < n; i++) {
        if (a < sps[i] || a >= sps[i + 1])
            continue;
        Arena arena = { 0 };
        FrameInfo f[MAX_INLINED];
        GuestAddr pc = pcs[i] - (i > 0);
        out->frame = (int)i;
        describe_local(pc, (int64_t)(a - sps[i + 1]), out);
        unsigned k = debuginfo_describe_pc(pc, f, MAX_INLINED, &arena);
        if (f[k - 1].fn_offset > 0) /* what made the frame is the function's beginning */
            k = debuginfo_describe_pc(pc - f[k - 1].fn_offset, f, MAX_INLINED, &arena);
        const FrameInfo *real = &f[k - 1];
        out->name = keep(real->fn);
        out->file = real->line ? keep(real->file) : NULL;
        out->line = real->line;
        out->object = keep(real->obj);
        arena_free(&arena);
        return;
    }
}

/** Is @p a in pages without any access that end where the stack at @p lo begins? */
static bool is_guard(GuestAddr a, GuestAddr lo)
{
    GuestMapping m;
    return gimle_mapping_at(a, &m) && m.prot == 0 && m.end == lo;
}

static bool describe_own_stack(Thread *t, GuestAddr a, AddrDesc *out)
{
    GuestAddr lo, hi;
    if (!t || !gimle_thread_stack(t, &lo, &hi) || a >= hi)
        return false;
    out->guard = a < lo && is_guard(a, lo);
    if (a < lo && !out->guard)
        return false;
    GuestAddr sp = gimle_thread_state(t)->guest.gpr[GPR_RSP];
    out->tid = gimle_thread_id(t);
    out->frame = -1;
    if (a < sp) {
        out->kind = ADDR_BELOW_SP;
        out->offset = sp - a;
    } else {
        out->kind = ADDR_STACK;
        describe_frame(t, a, lo, hi, out);
    }
    return true;
}

static bool describe_other_stack(GuestAddr a, AddrDesc *out)
{
    unsigned tid = report_stack_owner ? report_stack_owner(a) : 0;
    if (!tid)
        return false;
    out->kind = ADDR_STACK;
    out->tid = tid;
    out->frame = -1;
    return true;
}

/* ---- objects --------------------------------------------------------------------------------- */

/** The name that reports give to an ELF section. */
static const char *section_kind(const char *section)
{
    static const char *const names[][2] = {
        { ".text", "Text" }, { ".data", "Data" }, { ".sdata", "Data" }, { ".bss", "BSS" },
        { ".got", "GOT" }, { ".got.plt", "GOTPLT" }, { ".plt", "PLT" }, { ".opd", "OPD" },
        { ".rodata", "Data" }, { ".data.rel.ro", "Data" }, { ".tbss", "BSS" }, { ".tdata", "Data" },
    };
    for (size_t i = 0; section && i < sizeof names / sizeof *names; i++)
        if (strcmp(section, names[i][0]) == 0)
            return names[i][1];
    return "Unknown";
}

static bool describe_object(GuestAddr a, AddrDesc *out)
{
    Arena arena = { 0 };
    DataInfo d = { 0 };
    GuestAddr lo, hi;
    Module *m = debuginfo_find_module(a);
    bool known = m != NULL;
    VariableInfo v;
    if (m && debuginfo_describe_data(a, &d, &arena)) {
        out->kind = ADDR_DATASYM;
        if (debuginfo_describe_global(a, &v, &arena))
            keep_variable(&v, NULL, out);
        out->name = keep(d.name);
        out->offset = a - d.start;
        out->object = keep(d.obj);
    } else if (m) {
        module_text(m, &lo, &hi);
        out->kind = ADDR_SECTION;
        out->name = d.section ? section_kind(d.section) : a >= lo && a < hi ? "Text" : "Unknown";
        out->object = keep(module_path(m));
    }
    arena_free(&arena);
    return known;
}

/* ---- mappings -------------------------------------------------------------------------------- */

static bool describe_mapping(GuestAddr a, AddrDesc *out)
{
    GuestMapping m;
    if (!gimle_mapping_at(a, &m) || m.is_heap_arena)
        return false;
    out->prot[0] = m.prot & PROT_READ ? 'r' : '-';
    out->prot[1] = m.prot & PROT_WRITE ? 'w' : '-';
    out->prot[2] = m.prot & PROT_EXEC ? 'x' : '-';
    out->lo = m.start;
    out->hi = m.end - 1;
    if (m.is_brk)
        out->kind = ADDR_BRK;
    else if (m.is_file && m.path)
        out->kind = ADDR_MAPPED_FILE, out->name = keep(m.path);
    else
        out->kind = ADDR_ANON_MAP;
    return true;
}

void gimle_describe_addr(Thread *t, GuestAddr a, AddrDesc *out)
{
    *out = (AddrDesc){ .kind = ADDR_UNKNOWN, .frame = -1 };
    if (a >= GIMLE_CLIENT_END)
        return;
    (void)(describe_own_stack(t, a, out) || describe_other_stack(a, out) || describe_object(a, out)
           || describe_mapping(a, out));
}

/* ---- as text ------------------------------------------------------------------------------------ */

static void print_stack(ErrorPrinter *p, GuestAddr a, const AddrDesc *d)
{
    gimle_print_aux(p, "Address 0x%lx is on thread %u's stack", (unsigned long)a, d->tid);
    if (d->kind == ADDR_BELOW_SP)
        gimle_print_aux(p, "%s%lu bytes below stack pointer",
                        d->guard ? "In stack guard protected page, " : "", (unsigned long)d->offset);
    else if (d->frame >= 0 && d->name && d->file)
        gimle_print_aux(p, "in frame #%d, created by %s (%s:%u)", d->frame, d->name, d->file, d->line);
    else if (d->frame >= 0 && d->name && d->object)
        gimle_print_aux(p, "in frame #%d, created by %s (in %s)", d->frame, d->name, d->object);
    else if (d->frame >= 0 && d->name)
        gimle_print_aux(p, "in frame #%d, created by %s", d->frame, d->name);
}

void gimle_print_addr(ErrorPrinter *p, GuestAddr addr, const AddrDesc *d)
{
    unsigned long a = (unsigned long)addr;
    if (d->variable) {
        gimle_print_aux(p, "Location 0x%lx is %s", a, d->variable);
        gimle_print_aux(p, "%s", d->declared);
        return;
    }
    switch (d->kind) {
    case ADDR_STACK:
    case ADDR_BELOW_SP:
        print_stack(p, addr, d);
        break;
    case ADDR_DATASYM:
        gimle_print_aux(p, "Address 0x%lx is %lu bytes inside data symbol \"%s\"", a,
                        (unsigned long)d->offset, d->name);
        break;
    case ADDR_SECTION:
        gimle_print_aux(p, "Address 0x%lx is in the %s segment of %s", a, d->name, d->object);
        break;
    case ADDR_MAPPED_FILE:
        gimle_print_aux(p, "Address 0x%lx is in a %s mapped file %s segment", a, d->prot, d->name);
        break;
    case ADDR_ANON_MAP:
        gimle_print_aux(p, "Address 0x%lx is in a %s anonymous segment", a, d->prot);
        break;
    case ADDR_BRK:
        gimle_print_aux(p, "Address 0x%lx is in the brk data segment 0x%lx-0x%lx", a,
                        (unsigned long)d->lo, (unsigned long)d->hi);
        break;
    default:
        gimle_print_aux(p, "Address 0x%lx is not stack'd, malloc'd or (recently) free'd", a);
        break;
    }
}

const char *gimle_function_name(GuestAddr pc)
{
    static _Thread_local char buf[1024];
    Arena arena = { 0 };
    uint64_t offset;
    const char *name = debuginfo_function_name(pc, &offset, &arena);
    snprintf(buf, sizeof buf, "%s", name ? debuginfo_demangle(name, &arena) : "");
    arena_free(&arena);
    return buf;
}
