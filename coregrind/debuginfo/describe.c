/* SPDX-License-Identifier: MIT */
/*
 * From addresses to what a report prints about them.  The text forms are an interface: they
 * are what the consumers of Valgrind's output parse.
 */
#include <string.h>

#include "base/ranked_lock.h"
#include "coregrind/debuginfo/debuginfo_internal.h"
#include "coregrind/debuginfo/dwarf.h"

static const char *copy(const char *s, Arena *a)
{
    return s ? arena_strdup(a, s) : NULL;
}

/* The function that really contains the pc: its symbol, else what DWARF calls it. */
static void name_function(FrameInfo *f, const Symbol *s, uint64_t vaddr, const DwarfFrame *d,
                          Arena *a)
{
    const char *raw = s ? s->name : d && d->linkage ? d->linkage : d ? d->name : NULL;
    f->fn_raw = copy(raw, a);
    f->fn = demangle_name(f->fn_raw, a);
    f->fn_offset = s ? vaddr - s->addr : 0;
}

static unsigned describe_in_module(Module *m, FrameInfo *frames, unsigned max, Arena *a)
{
    enum { MAX_FRAMES = 64 };
    DwarfFrame *d = arena_array(a, DwarfFrame, MAX_FRAMES);
    GuestAddr pc = frames[0].pc;
    uint64_t vaddr = pc - m->bias;
    const Symbol *s = symbols_find_code(module_symbols(m), vaddr);
    /* The start of an IFUNC stands for the function (intercepted there), not for its resolver. */
    Dwarf *dwarf = s && s->ifunc && s->addr == vaddr ? NULL : module_dwarf(m);
    unsigned n = dwarf ? dwarf_describe(dwarf, vaddr, debuginfo_options.inline_info, d,
                                        max < MAX_FRAMES ? max : MAX_FRAMES, a)
                       : 0;
    const char *obj = arena_strdup(a, m->path);
    for (unsigned i = 0; i < (n ? n : 1); i++) {
        FrameInfo *f = &frames[i];
        *f = (FrameInfo){.pc = pc, .obj = obj, .obj_offset = vaddr, .inlined = i + 1 < n};
        if (n) {
            f->file = d[i].file;
            f->dir = d[i].dir;
            f->line = d[i].line;
            f->fn = f->fn_raw = f->inlined ? copy(d[i].name, a) : NULL;
        }
        if (!f->inlined)
            name_function(f, s, vaddr, n ? &d[i] : NULL, a);
    }
    return n ? n : 1;
}

unsigned debuginfo_describe_pc(GuestAddr pc, FrameInfo *frames, unsigned max, Arena *a)
{
    CHECK(max >= 1);
    unsigned n = 1;
    frames[0] = (FrameInfo){.pc = pc};
    lock_take(LOCK_modules);
    Module *m = module_of_code(pc);
    if (m) {
        n = describe_in_module(m, frames, max, a);
    } else if ((m = module_of_data(pc)) != NULL) {
        frames[0].obj = arena_strdup(a, m->path);
        frames[0].obj_offset = pc - m->bias;
    }
    lock_release(LOCK_modules);
    return n;
}

/** The end of what @p s is the symbol of, after @p vaddr: another one may begin within it. */
static uint64_t symbol_end(const SymbolTable *t, const Symbol *s, uint64_t vaddr)
{
    const Symbol *last = t->code.data + t->code.n, *next = s;
    while (next < last && next->addr <= vaddr)
        next++;
    return next < last && next->addr < s->addr + s->size ? next->addr : s->addr + s->size;
}

static void describe_line(Module *m, GuestAddr pc, FrameInfo *f, GuestAddr *end, Arena *a)
{
    enum { MAX_FRAMES = 64 };
    uint64_t vaddr = pc - m->bias, same = vaddr + 1;
    const SymbolTable *symbols = module_symbols(m);
    const Symbol *s = symbols_find_code(symbols, vaddr);
    if (!s || s->ifunc) {
        FrameInfo *frames = arena_array(a, FrameInfo, MAX_FRAMES);
        frames[0].pc = pc;
        unsigned n = describe_in_module(m, frames, MAX_FRAMES, a);
        *f = frames[n - 1];
        f->file = frames[0].file;
        f->dir = frames[0].dir;
        f->line = frames[0].line;
        return;
    }
    Dwarf *dwarf = module_dwarf(m);
    DwarfFrame d = {0};
    uint64_t limit = symbol_end(symbols, s, vaddr);
    if (!dwarf || !dwarf_line(dwarf, vaddr, &d, &same, a))
        same = dwarf ? vaddr + 1 : limit;
    *f = (FrameInfo){.pc = pc, .obj = m->path, .obj_offset = vaddr, .file = d.file, .dir = d.dir,
                     .line = d.line};
    name_function(f, s, vaddr, NULL, a);
    *end = pc + ((same < limit ? same : limit) - vaddr);
}

void debuginfo_describe_line(GuestAddr pc, FrameInfo *f, GuestAddr *end, Arena *a)
{
    *f = (FrameInfo){.pc = pc};
    *end = pc + 1;
    lock_take(LOCK_modules);
    Module *m = module_of_code(pc);
    if (m)
        describe_line(m, pc, f, end, a);
    lock_release(LOCK_modules);
}

const char *debuginfo_function_name(GuestAddr pc, uint64_t *offset, Arena *a)
{
    const char *name = NULL;
    lock_take(LOCK_modules);
    Module *m = module_of_code(pc);
    const Symbol *s = m ? symbols_find_code(module_symbols(m), pc - m->bias) : NULL;
    if (s) {
        name = demangle_name(arena_strdup(a, s->name), a);
        if (offset)
            *offset = pc - m->bias - s->addr;
    }
    lock_release(LOCK_modules);
    return name;
}

static const char *section_of(ElfFile *f, uint64_t vaddr, Arena *a)
{
    elf_file_section(f, ""); /* makes sure that the headers are read */
    for (unsigned i = 1; i < f->n_sections; i++) {
        const Elf64_Shdr *h = &f->section[i].hdr;
        if ((h->sh_flags & (SHF_ALLOC | SHF_TLS)) == SHF_ALLOC && vaddr - h->sh_addr < h->sh_size)
            return arena_strdup(a, f->section[i].name);
    }
    return NULL;
}

bool debuginfo_describe_data(GuestAddr addr, DataInfo *out, Arena *a)
{
    *out = (DataInfo){0};
    lock_take(LOCK_modules);
    Module *m = module_of_data(addr);
    const Symbol *s = m ? symbols_find_data(module_symbols(m), addr - m->bias) : NULL;
    if (m) {
        out->obj = arena_strdup(a, m->path);
        out->section = section_of(m->elf, addr - m->bias, a);
    }
    if (s) {
        out->name = demangle_name(arena_strdup(a, s->name), a);
        out->start = s->addr + m->bias;
        out->size = s->size;
    }
    lock_release(LOCK_modules);
    return s != NULL;
}

static void take_variable(const DwarfVariable *v, VariableInfo *out, Arena *a)
{
    *out = (VariableInfo){ copy(v->name, a), copy(v->part, a), v->offset, copy(v->file, a), v->line };
}

bool debuginfo_describe_local(GuestAddr pc, int64_t from_cfa, VariableInfo *out, Arena *a)
{
    DwarfVariable v;
    lock_take(LOCK_modules);
    Module *m = debuginfo_options.variables ? module_of_code(pc) : NULL;
    Dwarf *dwarf = m ? module_dwarf(m) : NULL;
    bool found = dwarf && dwarf_describe_local(dwarf, pc - m->bias, from_cfa, &v, a);
    if (found)
        take_variable(&v, out, a);
    lock_release(LOCK_modules);
    return found;
}

bool debuginfo_describe_global(GuestAddr addr, VariableInfo *out, Arena *a)
{
    DwarfVariable v;
    lock_take(LOCK_modules);
    Module *m = debuginfo_options.variables ? module_of_data(addr) : NULL;
    Dwarf *dwarf = m ? module_dwarf(m) : NULL;
    bool found = dwarf && dwarf_describe_global(dwarf, addr - m->bias, &v, a);
    if (found)
        take_variable(&v, out, a);
    lock_release(LOCK_modules);
    return found;
}

const char *debuginfo_format_frame(const FrameInfo *f, Arena *a)
{
    const char *fn = f->fn ? f->fn : "???";
    unsigned long pc = f->pc;
    if (f->file && f->line)
        return arena_printf(a, "0x%lX: %s (%s:%u)", pc, fn, f->file, f->line);
    if (f->obj)
        return arena_printf(a, "0x%lX: %s (in %s)", pc, fn, f->obj);
    return arena_printf(a, "0x%lX: %s", pc, fn);
}

bool debuginfo_is_main(const char *fn_raw)
{
    return fn_raw && strcmp(fn_raw, "main") == 0;
}

bool debuginfo_is_below_main(const char *fn_raw)
{
    static const char *const names[] = {
        "__libc_start_main", "__libc_start_call_main", "generic_start_main", "_start",
    };
    for (size_t i = 0; fn_raw && i < sizeof names / sizeof *names; i++)
        if (strcmp(fn_raw, names[i]) == 0)
            return true;
    return false;
}
