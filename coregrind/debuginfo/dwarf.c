/* SPDX-License-Identifier: MIT */
/*
 * From an address to source positions: the unit, its line table, and the chain of inlined
 * calls within the function.
 */
#include "coregrind/debuginfo/dwarf.h"

#include <stdlib.h>

#include "coregrind/debuginfo/dwarf_internal.h"

enum { MAX_INLINED = 64, MAX_NESTING = 200, MAX_HOPS = 8 };

Dwarf *dwarf_open(ElfFile *f, ElfFile *alt)
{
    Dwarf *d = calloc(1, sizeof *d);
    CHECK(d != NULL, "out of memory");
    if (!dwarf_file_open(&d->main, f)) {
        dwarf_close(d);
        return NULL;
    }
    if (alt && dwarf_file_open(&d->alt, alt))
        d->main.alt = &d->alt;
    return d;
}

void dwarf_close(Dwarf *d)
{
    if (!d)
        return;
    dwarf_file_close(&d->main);
    dwarf_file_close(&d->alt);
    free(d);
}

/* ---- names ----------------------------------------------------------------------------- */

Unit *unit_follow(Unit *u, const Value *v, Cursor *c)
{
    DwarfFile *f = v->cls == VAL_REF_ALT ? u->file->alt : u->file;
    uint64_t offset = v->cls == VAL_REF ? u->offset + v->u : v->u;
    if (!f || (v->cls != VAL_REF && v->cls != VAL_REF_ADDR && v->cls != VAL_REF_ALT))
        return NULL;
    Unit *to = v->cls == VAL_REF ? u : dwarf_unit_of_die(f, offset);
    if (to)
        *c = unit_cursor(to, offset);
    return to;
}

/* Sets name and linkage of @p out from @p d or the declarations that it refers to. */
static void function_names(Unit *u, const Die *start, DwarfFrame *out)
{
    Die d = *start;
    for (unsigned hops = 0; hops < MAX_HOPS; hops++) {
        if (!out->name && die_has(&d, SLOT_NAME))
            out->name = value_string(u, &d.value[SLOT_NAME]);
        if (!out->linkage && die_has(&d, SLOT_LINKAGE))
            out->linkage = value_string(u, &d.value[SLOT_LINKAGE]);
        Slot ref = die_has(&d, SLOT_ORIGIN) ? SLOT_ORIGIN : SLOT_SPECIFICATION;
        if (!die_has(&d, ref))
            return;
        Cursor c;
        Value v = d.value[ref];
        u = unit_follow(u, &v, &c);
        if (!u || !read_die(u, &c, &d))
            return;
    }
}

/* ---- functions of a unit --------------------------------------------------------------- */

typedef struct FuncSink {
    Unit *u;
    uint64_t die;
} FuncSink;

static void add_func_range(void *arg, uint64_t lo, uint64_t hi)
{
    FuncSink *s = arg;
    vec_push(&s->u->funcs, ((FuncRange){lo, hi, s->die}));
}

static void read_functions(Unit *u)
{
    u->funcs_tried = true;
    Cursor c = unit_cursor(u, u->die);
    Die d;
    while (read_die(u, &c, &d)) {
        FuncSink sink = {u, d.offset};
        if (d.tag == TAG_SUBPROGRAM)
            die_each_range(u, &d, add_func_range, &sink);
    }
}

/* The innermost function (they nest in some languages) that contains @p vaddr. */
static const FuncRange *find_function(Unit *u, uint64_t vaddr)
{
    if (!u->funcs_tried)
        read_functions(u);
    const FuncRange *best = NULL;
    for (size_t i = 0; i < u->funcs.n; i++) {
        const FuncRange *f = &u->funcs.data[i];
        if (vaddr >= f->lo && vaddr < f->hi && (!best || f->hi - f->lo < best->hi - best->lo))
            best = f;
    }
    return best;
}

bool unit_function_at(Unit *u, uint64_t vaddr, uint64_t *die)
{
    const FuncRange *f = find_function(u, vaddr);
    if (f)
        *die = f->die;
    return f != NULL;
}

/* ---- inlined calls --------------------------------------------------------------------- */

typedef struct InlineWalk {
    Unit *u;
    uint64_t vaddr;
    Cursor c;
    unsigned n;
    Die call[MAX_INLINED]; /* outermost first */
} InlineWalk;

/*
 * The cursor is at the first child of an entry that contains the address.  Returns true when
 * the chain is complete.  A block without ranges of its own is looked into.
 */
static bool walk_children(InlineWalk *w, unsigned nesting)
{
    Die d;
    while (read_die(w->u, &w->c, &d)) {
        if (d.tag == 0)
            return false;
        bool has_code = die_has(&d, SLOT_LOW_PC) || die_has(&d, SLOT_RANGES);
        bool block = d.tag != TAG_INLINED && d.tag != TAG_SUBPROGRAM;
        bool inside = has_code && d.tag != TAG_SUBPROGRAM && die_contains(w->u, &d, w->vaddr);
        if (inside && d.tag == TAG_INLINED && w->n < MAX_INLINED)
            w->call[w->n++] = d;
        if (d.children && nesting < MAX_NESTING &&
            (inside || (block && !has_code && d.tag == TAG_LEXICAL_BLOCK))) {
            if (walk_children(w, nesting + 1))
                return true;
        } else if (!inside) {
            skip_children(w->u, &w->c, &d);
        }
        if (inside)
            return true;
    }
    return true;
}

/* Fills frames[1..] and moves names so that each frame has its own function's; returns how many. */
static unsigned add_inlined(InlineWalk *w, const LineTable *lines, DwarfFrame *frames,
                            unsigned max, Arena *a)
{
    unsigned n = 1;
    DwarfFrame function = frames[0];
    for (unsigned i = w->n; i-- > 0 && n < max; n++) {
        const Die *d = &w->call[i];
        DwarfFrame *inner = &frames[n - 1], *outer = &frames[n];
        inner->name = inner->linkage = NULL;
        function_names(w->u, d, inner);
        *outer = (DwarfFrame){.name = function.name, .linkage = function.linkage};
        if (lines && die_has(d, SLOT_CALL_FILE))
            line_table_file(w->u, lines, d->value[SLOT_CALL_FILE].u, outer, a);
        if (die_has(d, SLOT_CALL_LINE))
            outer->line = (unsigned)d->value[SLOT_CALL_LINE].u;
    }
    return n;
}

bool dwarf_line(Dwarf *d, uint64_t vaddr, DwarfFrame *f, uint64_t *end, Arena *a)
{
    Unit *u = dwarf_unit_of_code(&d->main, vaddr);
    *end = vaddr + 1;
    *f = (DwarfFrame){0};
    if (!u)
        return false;
    const LineTable *lines = unit_lines(u);
    const LineRow *row = lines ? line_table_find(lines, vaddr, end) : NULL;
    if (row) {
        f->line = row->line;
        line_table_file(u, lines, row->file, f, a);
    }
    return true;
}

unsigned dwarf_describe(Dwarf *d, uint64_t vaddr, bool inlines, DwarfFrame *frames, unsigned max,
                        Arena *a)
{
    Unit *u = max ? dwarf_unit_of_code(&d->main, vaddr) : NULL;
    if (!u)
        return 0;
    frames[0] = (DwarfFrame){0};
    const LineTable *lines = unit_lines(u);
    const LineRow *row = lines ? line_table_find(lines, vaddr, NULL) : NULL;
    if (row) {
        frames[0].line = row->line;
        line_table_file(u, lines, row->file, &frames[0], a);
    }
    const FuncRange *f = find_function(u, vaddr);
    Die function;
    InlineWalk *w = arena_new(a, InlineWalk);
    w->u = u;
    w->vaddr = vaddr;
    w->c = f ? unit_cursor(u, f->die) : (Cursor){.bad = true};
    if (!f || !read_die(u, &w->c, &function))
        return 1;
    function_names(u, &function, &frames[0]);
    if (!inlines || !function.children)
        return 1;
    walk_children(w, 0);
    return add_inlined(w, lines, frames, max, a);
}
