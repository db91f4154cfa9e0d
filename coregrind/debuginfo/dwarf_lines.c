/* SPDX-License-Identifier: MIT */
/*
 * Line tables: a unit's line number program (DWARF 5, section 6.2) is run once and its rows
 * kept, in sequences sorted by address.
 */
#include <stdlib.h>

#include "coregrind/debuginfo/dwarf_internal.h"

typedef struct LineHeader {
    uint8_t min_insn, default_is_stmt, line_range, opcode_base;
    int8_t line_base;
    uint8_t operands[256]; /* of standard opcodes */
} LineHeader;

/* ---- header ---------------------------------------------------------------------------- */

static void read_names_v4(Cursor *c, LineTable *t, const Unit *u)
{
    vec_push(&t->dirs, u->comp_dir);
    while (!c->bad) {
        const char *dir = cursor_string(c);
        if (!*dir)
            break;
        vec_push(&t->dirs, dir);
    }
    while (!c->bad) {
        LineFile f = {.name = cursor_string(c)};
        if (!*f.name)
            break;
        f.dir = cursor_uleb(c);
        cursor_uleb(c); /* time */
        cursor_uleb(c); /* size */
        vec_push(&t->files, f);
    }
}

/* One table of DWARF 5: a list of formats, then entries of that shape. */
static bool read_entries_v5(Cursor *c, const Unit *u, LineTable *t, bool files)
{
    enum { PATH = 1, DIRECTORY_INDEX = 2, MAX_FORMATS = 255 };
    struct { uint64_t content, form; } format[MAX_FORMATS];
    unsigned n_formats = (unsigned)cursor_fixed(c, 1);
    for (unsigned i = 0; i < n_formats; i++) {
        format[i].content = cursor_uleb(c);
        format[i].form = cursor_uleb(c);
    }
    uint64_t n = cursor_uleb(c);
    if (n_formats == 0 && n > 0)
        return false;
    for (uint64_t i = 0; i < n && !c->bad; i++) {
        LineFile f = {0};
        for (unsigned k = 0; k < n_formats; k++) {
            Value v;
            if (format[k].form > UINT16_MAX || !read_form(u, c, (unsigned)format[k].form, 0, &v))
                return false;
            if (format[k].content == PATH)
                f.name = value_string(u, &v);
            else if (format[k].content == DIRECTORY_INDEX)
                f.dir = v.u;
        }
        if (c->p == c->end && i + 1 < n)
            return false; /* forms without bytes: n would never end */
        if (files)
            vec_push(&t->files, f);
        else
            vec_push(&t->dirs, f.name);
    }
    return !c->bad;
}

/* Reads the header at the cursor, which then covers just the program. */
static bool read_header(Cursor *c, Unit *u, LineTable *t, LineHeader *h)
{
    unsigned offset_size;
    cursor_limit(c, cursor_dwarf_length(c, &offset_size));
    t->version = (unsigned)cursor_fixed(c, 2);
    if (c->bad || t->version < 2 || t->version > 5)
        return false;
    /* The forms in the header go by the table's own sizes. */
    Unit as = *u;
    as.version = (uint8_t)t->version;
    as.offset_size = (uint8_t)offset_size;
    if (t->version >= 5) {
        as.addr_size = (uint8_t)cursor_fixed(c, 1);
        cursor_skip(c, 1);
    }
    uint64_t length = cursor_fixed(c, offset_size);
    if (c->bad || length > cursor_left(c))
        return false;
    const uint8_t *program = c->p + length;
    h->min_insn = (uint8_t)cursor_fixed(c, 1);
    if (t->version >= 4)
        cursor_skip(c, 1); /* operations per instruction: 1 on this machine */
    h->default_is_stmt = (uint8_t)cursor_fixed(c, 1);
    h->line_base = (int8_t)cursor_fixed(c, 1);
    h->line_range = (uint8_t)cursor_fixed(c, 1);
    h->opcode_base = (uint8_t)cursor_fixed(c, 1);
    for (unsigned i = 1; i < h->opcode_base; i++)
        h->operands[i] = (uint8_t)cursor_fixed(c, 1);
    if (c->bad || h->line_range == 0 || h->opcode_base == 0)
        return false;
    Cursor names = *c;
    names.end = program;
    if (names.p > program)
        return false;
    if (t->version < 5)
        read_names_v4(&names, t, u);
    else if (!read_entries_v5(&names, &as, t, false) || !read_entries_v5(&names, &as, t, true))
        return false;
    c->p = program;
    return true;
}

/* ---- program --------------------------------------------------------------------------- */

typedef struct LineMachine {
    LineTable *t;
    const LineHeader *h;
    uint64_t addr, file, line;
    size_t first; /* row of the sequence being made */
} LineMachine;

static void machine_reset(LineMachine *m)
{
    m->addr = 0;
    m->file = 1;
    m->line = 1;
    m->first = m->t->rows.n;
}

static void emit_row(LineMachine *m)
{
    LineRow r = {m->addr, (uint32_t)m->file, (uint32_t)m->line};
    vec_push(&m->t->rows, r);
}

static int compare_rows(const void *pa, const void *pb)
{
    uint64_t a = ((const LineRow *)pa)->addr, b = ((const LineRow *)pb)->addr;
    return a < b ? -1 : a > b;
}

static void end_sequence(LineMachine *m)
{
    LineTable *t = m->t;
    size_t n = t->rows.n - m->first;
    LineRow *row = t->rows.data + m->first;
    bool sorted = true;
    for (size_t i = 1; i < n; i++)
        sorted = sorted && row[i - 1].addr <= row[i].addr;
    if (n && !sorted)
        qsort(row, n, sizeof *row, compare_rows);
    /* Code that the linker threw away starts at 0 or 1. */
    if (n && row[0].addr > 1 && m->addr > row[0].addr)
        vec_push(&t->sequences, ((LineSequence){row[0].addr, m->addr, m->first, n}));
    else
        t->rows.n = m->first;
    machine_reset(m);
}

static void run_extended(LineMachine *m, Cursor *c)
{
    enum { END_SEQUENCE = 1, SET_ADDRESS = 2 };
    uint64_t length = cursor_uleb(c);
    Cursor e = *c;
    cursor_limit(&e, length);
    cursor_skip(c, length);
    if (e.bad || length == 0)
        return;
    unsigned op = (unsigned)cursor_fixed(&e, 1);
    if (op == END_SEQUENCE)
        end_sequence(m);
    else if (op == SET_ADDRESS)
        m->addr = cursor_fixed(&e, cursor_left(&e) < 8 ? (unsigned)cursor_left(&e) : 8);
}

static void run_standard(LineMachine *m, Cursor *c, unsigned op)
{
    enum { COPY = 1, ADVANCE_PC, ADVANCE_LINE, SET_FILE, CONST_ADD_PC = 8, FIXED_ADVANCE_PC = 9 };
    const LineHeader *h = m->h;
    switch (op) {
    case COPY: emit_row(m); break;
    case ADVANCE_PC: m->addr += cursor_uleb(c) * h->min_insn; break;
    case ADVANCE_LINE: m->line += (uint64_t)cursor_sleb(c); break;
    case SET_FILE: m->file = cursor_uleb(c); break;
    case CONST_ADD_PC:
        m->addr += (uint64_t)((255 - h->opcode_base) / h->line_range) * h->min_insn;
        break;
    case FIXED_ADVANCE_PC: m->addr += cursor_fixed(c, 2); break;
    default: /* statement flags, columns, and what later versions may add */
        for (unsigned i = 0; i < h->operands[op]; i++)
            cursor_uleb(c);
    }
}

static void run_program(LineTable *t, const LineHeader *h, Cursor *c)
{
    LineMachine m = {.t = t, .h = h};
    machine_reset(&m);
    while (!c->bad && c->p < c->end) {
        unsigned op = (unsigned)cursor_fixed(c, 1);
        if (op >= h->opcode_base) {
            op -= h->opcode_base;
            m.addr += (uint64_t)(op / h->line_range) * h->min_insn;
            m.line += (uint64_t)(int64_t)(h->line_base + (int)(op % h->line_range));
            emit_row(&m);
        } else if (op == 0) {
            run_extended(&m, c);
        } else {
            run_standard(&m, c, op);
        }
    }
    t->rows.n = m.first; /* a sequence without an end is worth nothing */
}

static int compare_sequences(const void *pa, const void *pb)
{
    const LineSequence *a = pa, *b = pb;
    return a->lo < b->lo ? -1 : a->lo > b->lo;
}

/* ---- used by others -------------------------------------------------------------------- */

void line_table_free(LineTable *t)
{
    if (!t)
        return;
    vec_free(&t->rows);
    vec_free(&t->sequences);
    vec_free(&t->dirs);
    vec_free(&t->files);
    free(t);
}

LineTable *unit_lines(Unit *u)
{
    if (u->lines_tried || !u->has_lines)
        return u->lines;
    u->lines_tried = true;
    LineTable *t = calloc(1, sizeof *t);
    CHECK(t != NULL, "out of memory");
    LineHeader *h = calloc(1, sizeof *h);
    CHECK(h != NULL, "out of memory");
    Cursor c = span_cursor(u->file->line, u->stmt_list);
    if (!c.bad && read_header(&c, u, t, h)) {
        run_program(t, h, &c);
        if (t->sequences.n)
            qsort(t->sequences.data, t->sequences.n, sizeof(LineSequence), compare_sequences);
        u->lines = t;
    } else {
        line_table_free(t);
    }
    free(h);
    return u->lines;
}

/* The last row at or below @p vaddr; of several at one address the last counts. *end: of what it is for. */
static const LineRow *row_in_sequence(const LineTable *t, const LineSequence *s, uint64_t vaddr,
                                      uint64_t *end)
{
    const LineRow *row = t->rows.data + s->first;
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (row[mid].addr > vaddr)
            hi = mid;
        else
            lo = mid + 1;
    }
    *end = lo < s->n ? row[lo].addr : s->hi;
    /* Line 0 is code that belongs to no line: the line before it is more use than none. */
    for (; lo > 0; lo--)
        if (row[lo - 1].line != 0)
            return &row[lo - 1];
    return NULL;
}

const LineRow *line_table_find(const LineTable *t, uint64_t vaddr, uint64_t *end)
{
    enum { MAX_OVERLAP = 64 };
    const LineSequence *s = t->sequences.data;
    const LineRow *row = NULL;
    uint64_t same = vaddr + 1;
    size_t lo = 0, hi = t->sequences.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s[mid].lo > vaddr)
            hi = mid;
        else
            lo = mid + 1;
    }
    for (size_t i = lo, steps = 0; i-- > 0 && steps < MAX_OVERLAP; steps++)
        if (vaddr < s[i].hi) {
            row = row_in_sequence(t, &s[i], vaddr, &same);
            break;
        }
    if (end) /* a sequence that begins before that comes first there */
        *end = lo < t->sequences.n && s[lo].lo < same ? s[lo].lo : same;
    return row;
}

/* @p dir below @p base unless it is absolute. */
static const char *join(const char *base, const char *dir, Arena *a)
{
    if (!dir || !*dir)
        return base;
    return dir[0] == '/' || !base || !*base ? dir : arena_printf(a, "%s/%s", base, dir);
}

void line_table_file(const Unit *u, const LineTable *t, uint64_t file, DwarfFrame *out, Arena *a)
{
    uint64_t i = t->version < 5 ? file - 1 : file;
    if (i >= t->files.n || !t->files.data[i].name)
        return;
    const char *name = t->files.data[i].name, *slash = strrchr(name, '/');
    uint64_t dir = t->files.data[i].dir;
    const char *base = dir < t->dirs.n ? join(u->comp_dir, t->dirs.data[dir], a) : u->comp_dir;
    if (!slash) {
        out->file = arena_strdup(a, name);
        out->dir = base ? arena_strdup(a, base) : NULL;
        return;
    }
    out->file = arena_strdup(a, slash + 1);
    size_t n = slash == name ? 1 : (size_t)(slash - name);
    out->dir = arena_strdup(a, join(base, arena_printf(a, "%.*s", (int)n, name), a));
}
