/* SPDX-License-Identifier: MIT */
/*
 * Which variable an address belongs to, and which member or element of it (--read-var-info).  Understood
 * are variables at a fixed place of their function's frame and at a fixed address (DW_OP_fbreg,
 * DW_OP_addr): what compilers make of variables whose address is taken, which are those that errors are
 * about.  Entries have the attributes for this only if debuginfo_options.variables was set in time.
 */
#include "coregrind/debuginfo/debuginfo_internal.h"
#include "coregrind/debuginfo/dwarf_internal.h"

enum { MAX_NESTING = 32, MAX_HOPS = 16, MAX_DIMENSIONS = 8 };
enum { OP_ADDR = 0x03, OP_REG6 = 0x56, OP_FBREG = 0x91, OP_CALL_FRAME_CFA = 0x9c };
enum {
    TAG_ARRAY = 0x01, TAG_CLASS = 0x02, TAG_PARAMETER = 0x05, TAG_MEMBER = 0x0d, TAG_POINTER = 0x0f,
    TAG_STRUCT = 0x13, TAG_TYPEDEF = 0x16, TAG_UNION = 0x17, TAG_INHERITANCE = 0x1c, TAG_SUBRANGE = 0x21,
    TAG_CONST = 0x26, TAG_VARIABLE = 0x34, TAG_VOLATILE = 0x35, TAG_RESTRICT = 0x37, TAG_ATOMIC = 0x47
};

/** An entry and where it is from. */
typedef struct Entry {
    Unit *u;
    Cursor after; /**< its children, if any */
    Die d;
} Entry;

/** The entry that attribute @p s of @p e refers to. */
static bool entry_at(const Entry *e, Slot s, Entry *out)
{
    if (!die_has(&e->d, s))
        return false;
    Value v = e->d.value[s];
    Entry to = { .u = unit_follow(e->u, &v, &to.after) };
    if (!to.u || !read_die(to.u, &to.after, &to.d) || to.d.tag == 0)
        return false;
    *out = to;
    return true;
}

/** @p e or, by its origins, the first entry that has @p s. */
static bool entry_with(const Entry *e, Slot s, Entry *out)
{
    *out = *e;
    for (unsigned hops = 0; hops < MAX_HOPS && !die_has(&out->d, s); hops++) {
        Entry here = *out;
        if (!entry_at(&here, SLOT_ORIGIN, out) && !entry_at(&here, SLOT_SPECIFICATION, out))
            return false;
    }
    return die_has(&out->d, s);
}

/* ---- types ------------------------------------------------------------------------------- */

/** The type of @p e without names and qualifiers. */
static bool type_of(const Entry *e, Entry *type)
{
    Entry at;
    if (!entry_with(e, SLOT_TYPE, &at) || !entry_at(&at, SLOT_TYPE, type))
        return false;
    for (unsigned hops = 0; hops < MAX_HOPS; hops++) {
        unsigned tag = type->d.tag;
        if (tag != TAG_TYPEDEF && tag != TAG_CONST && tag != TAG_VOLATILE && tag != TAG_RESTRICT &&
            tag != TAG_ATOMIC)
            return true;
        Entry here = *type;
        if (!entry_at(&here, SLOT_TYPE, type))
            return false;
    }
    return false;
}

static uint64_t number(const Die *d, Slot s)
{
    return die_has(d, s) && d->value[s].cls == VAL_CONST ? d->value[s].u : 0;
}

/** Numbers of elements by dimension; 0 if one is not known. */
static unsigned dimensions(const Entry *array, uint64_t count[MAX_DIMENSIONS])
{
    unsigned n = 0;
    Cursor c = array->after;
    Die d;
    while (array->d.children && read_die(array->u, &c, &d) && d.tag != 0) {
        if (d.tag == TAG_SUBRANGE) {
            bool bounded = die_has(&d, SLOT_UPPER_BOUND) && d.value[SLOT_UPPER_BOUND].cls == VAL_CONST;
            uint64_t elements = bounded ? d.value[SLOT_UPPER_BOUND].u + 1 : number(&d, SLOT_ELEMENTS);
            if (n == MAX_DIMENSIONS || elements == 0)
                return 0;
            count[n++] = elements;
        }
        skip_children(array->u, &c, &d);
    }
    return n;
}

static uint64_t size_of(const Entry *type, unsigned nesting)
{
    enum { POINTER_BYTES = 8 };
    uint64_t bytes = number(&type->d, SLOT_BYTE_SIZE), count[MAX_DIMENSIONS];
    Entry element;
    if (bytes || type->d.tag != TAG_ARRAY)
        return bytes || type->d.tag != TAG_POINTER ? bytes : POINTER_BYTES;
    unsigned n = dimensions(type, count);
    if (n == 0 || nesting > MAX_NESTING || !type_of(type, &element))
        return 0;
    bytes = size_of(&element, nesting + 1);
    for (unsigned i = 0; i < n; i++)
        if (__builtin_mul_overflow(bytes, count[i], &bytes))
            return 0;
    return bytes;
}

/** What part of @p whole contains the byte at *offset, which becomes the offset in that part. */
typedef bool PartFn(const Entry *whole, uint64_t *offset, Entry *part, const char **path, Arena *a);

static bool part_of_array(const Entry *whole, uint64_t *offset, Entry *part, const char **path, Arena *a)
{
    uint64_t count[MAX_DIMENSIONS], size;
    unsigned n = dimensions(whole, count);
    if (n == 0 || !type_of(whole, part) || (size = size_of(part, 0)) == 0)
        return false;
    uint64_t index = *offset / size, stride = 1;
    for (unsigned i = 1; i < n; i++)
        if (__builtin_mul_overflow(stride, count[i], &stride))
            return false;
    for (unsigned i = 0; i < n; i++) {
        *path = arena_printf(a, "%s[%llu]", *path, (unsigned long long)(index / stride));
        index %= stride;
        stride = i + 1 < n ? stride / count[i + 1] : 1;
    }
    *offset %= size;
    return true;
}

static bool part_of_struct(const Entry *whole, uint64_t *offset, Entry *part, const char **path, Arena *a)
{
    Entry member = { .u = whole->u, .after = whole->after };
    while (whole->d.children && read_die(whole->u, &member.after, &member.d) && member.d.tag != 0) {
        uint64_t start = number(&member.d, SLOT_MEMBER_LOCATION);
        bool is_part = member.d.tag == TAG_MEMBER || member.d.tag == TAG_INHERITANCE;
        if (is_part && type_of(&member, part) && *offset >= start &&
            *offset - start < size_of(part, 0)) {
            const char *name = die_has(&member.d, SLOT_NAME)
                                   ? value_string(member.u, &member.d.value[SLOT_NAME]) : NULL;
            if (name)
                *path = arena_printf(a, "%s.%s", *path, name);
            *offset -= start;
            return true;
        }
        skip_children(whole->u, &member.after, &member.d);
    }
    return false;
}

static void describe_part(const Entry *variable, DwarfVariable *out, Arena *a)
{
    Entry type, part;
    const char *path = out->name;
    if (!type_of(variable, &type))
        return;
    for (unsigned depth = 0; depth < MAX_NESTING; depth++) {
        unsigned tag = type.d.tag;
        PartFn *find = tag == TAG_ARRAY ? part_of_array
                       : tag == TAG_STRUCT || tag == TAG_CLASS || tag == TAG_UNION ? part_of_struct : NULL;
        if (!find || !find(&type, &out->offset, &part, &path, a))
            break;
        type = part;
    }
    out->part = path != out->name ? path : NULL;
}

/* ---- variables --------------------------------------------------------------------------- */

/** Fill @p out for the byte at @p offset of variable @p e. */
static bool describe_variable(const Entry *e, uint64_t offset, DwarfVariable *out, Arena *a)
{
    Entry type, at;
    if (!type_of(e, &type) || offset >= size_of(&type, 0) || !entry_with(e, SLOT_NAME, &at))
        return false;
    *out = (DwarfVariable){ .name = value_string(at.u, &at.d.value[SLOT_NAME]), .offset = offset };
    if (!out->name)
        return false;
    if (entry_with(e, SLOT_DECL_LINE, &at)) {
        DwarfFrame place = { 0 };
        const LineTable *lines = unit_lines(at.u);
        if (lines && die_has(&at.d, SLOT_DECL_FILE))
            line_table_file(at.u, lines, at.d.value[SLOT_DECL_FILE].u, &place, a);
        out->file = place.file;
        out->line = (unsigned)number(&at.d, SLOT_DECL_LINE);
    }
    describe_part(e, out, a);
    return true;
}

/** The location of @p d if it is @p op and one number. */
static bool location_is(const Unit *u, const Die *d, unsigned op, uint64_t *operand)
{
    if (!die_has(d, SLOT_LOCATION) || d->value[SLOT_LOCATION].cls != VAL_BLOCK)
        return false;
    Cursor c = cursor_at((const uint8_t *)d->value[SLOT_LOCATION].s, d->value[SLOT_LOCATION].u, 0);
    if (cursor_fixed(&c, 1) != op)
        return false;
    *operand = op == OP_FBREG ? (uint64_t)cursor_sleb(&c) : cursor_fixed(&c, u->addr_size);
    return !c.bad && cursor_left(&c) == 0;
}

/** What DW_OP_fbreg counts from in @p function, counted from its CFA. */
static bool frame_base(const Die *function, int64_t *base)
{
    enum { BELOW_CFA = -16 /**< where code with a frame pointer has it point to */ };
    const Value *v = &function->value[SLOT_FRAME_BASE];
    if (!die_has(function, SLOT_FRAME_BASE) || v->cls != VAL_BLOCK || v->u != 1)
        return false;
    *base = (uint8_t)*v->s == OP_REG6 ? BELOW_CFA : 0;
    return (uint8_t)*v->s == OP_REG6 || (uint8_t)*v->s == OP_CALL_FRAME_CFA;
}

typedef struct Search {
    uint64_t vaddr;  /**< of the code */
    uint64_t offset; /**< of the byte, from the frame base */
    DwarfVariable *out;
    Arena *a;
} Search;

/** Look at the entries at *e's cursor, and into scopes that contain the code; true: found. */
static bool search_scope(const Search *s, Entry *e, unsigned nesting)
{
    uint64_t start;
    while (read_die(e->u, &e->after, &e->d) && e->d.tag != 0) {
        bool variable = e->d.tag == TAG_VARIABLE || e->d.tag == TAG_PARAMETER;
        if (variable && location_is(e->u, &e->d, OP_FBREG, &start) &&
            describe_variable(e, s->offset - start, s->out, s->a))
            return true;
        bool scope = e->d.tag == TAG_LEXICAL_BLOCK || e->d.tag == TAG_INLINED;
        if (scope && e->d.children && nesting < MAX_NESTING && die_contains(e->u, &e->d, s->vaddr)) {
            if (search_scope(s, e, nesting + 1))
                return true;
        } else {
            skip_children(e->u, &e->after, &e->d);
        }
    }
    return false;
}

bool dwarf_describe_local(Dwarf *d, uint64_t vaddr, int64_t from_cfa, DwarfVariable *out, Arena *a)
{
    int64_t base;
    uint64_t die;
    Unit *u = dwarf_unit_of_code(&d->main, vaddr);
    if (!u || !unit_function_at(u, vaddr, &die))
        return false;
    Entry e = { .u = u, .after = unit_cursor(u, die) };
    if (!read_die(u, &e.after, &e.d) || !e.d.children || !frame_base(&e.d, &base))
        return false;
    const Search s = { vaddr, (uint64_t)(from_cfa - base), out, a };
    return search_scope(&s, &e, 0);
}

bool dwarf_describe_global(Dwarf *d, uint64_t vaddr, DwarfVariable *out, Arena *a)
{
    DwarfFile *f = &d->main;
    uint64_t start;
    for (size_t i = 0; i < f->units.n; i++) {
        Entry e = { .u = dwarf_unit_of_die(f, f->units.data[i].die) };
        if (!e.u)
            continue;
        e.after = unit_cursor(e.u, e.u->die);
        while (read_die(e.u, &e.after, &e.d))
            if (e.d.tag == TAG_VARIABLE && location_is(e.u, &e.d, OP_ADDR, &start) && vaddr >= start &&
                describe_variable(&e, vaddr - start, out, a))
                return true;
    }
    return false;
}
