/* SPDX-License-Identifier: MIT */
/*
 * Debugging information entries: abbreviation tables, reading an entry's attributes, and the
 * ranges of code that an entry covers (DWARF 5, sections 7.5.3, 2.17 and 7.25).
 */
#include <stdlib.h>

#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/debuginfo/dwarf_internal.h"

/* ---- abbreviations --------------------------------------------------------------------- */

static Slot slot_of_attribute(uint64_t at)
{
    static const uint8_t standard[] = {
        [0x01] = SLOT_SIBLING,          [0x03] = SLOT_NAME,      [0x10] = SLOT_STMT_LIST,
        [0x11] = SLOT_LOW_PC,           [0x12] = SLOT_HIGH_PC,   [0x1b] = SLOT_COMP_DIR,
        [0x31] = SLOT_ORIGIN,           [0x47] = SLOT_SPECIFICATION,
        [0x55] = SLOT_RANGES,           [0x58] = SLOT_CALL_FILE, [0x59] = SLOT_CALL_LINE,
        [0x6e] = SLOT_LINKAGE,          [0x72] = SLOT_STR_OFFSETS_BASE,
        [0x73] = SLOT_ADDR_BASE,        [0x74] = SLOT_RNGLISTS_BASE,
        [0x02] = SLOT_LOCATION,         [0x0b] = SLOT_BYTE_SIZE, [0x2f] = SLOT_UPPER_BOUND,
        [0x37] = SLOT_ELEMENTS,         [0x38] = SLOT_MEMBER_LOCATION,
        [0x3a] = SLOT_DECL_FILE,        [0x3b] = SLOT_DECL_LINE, [0x40] = SLOT_FRAME_BASE,
        [0x49] = SLOT_TYPE,
    };
    enum { MIPS_LINKAGE_NAME = 0x2007, GNU_ADDR_BASE = 0x2133 };
    if (at < sizeof standard)
        return standard[at] < SLOT_LOCATION || debuginfo_options.variables ? standard[at] : SLOT_NONE;
    return at == MIPS_LINKAGE_NAME ? SLOT_LINKAGE
           : at == GNU_ADDR_BASE   ? SLOT_ADDR_BASE
                                   : SLOT_NONE;
}

static bool tag_is_block(unsigned tag)
{
    enum { CATCH_BLOCK = 0x25, TRY_BLOCK = 0x32 };
    return tag == TAG_LEXICAL_BLOCK || tag == CATCH_BLOCK || tag == TRY_BLOCK;
}

static bool tag_is_interesting(unsigned tag)
{
    return tag == TAG_SUBPROGRAM || tag == TAG_INLINED || tag_is_block(tag) ||
           tag == TAG_COMPILE_UNIT || tag == TAG_PARTIAL_UNIT || tag == TAG_SKELETON_UNIT;
}

static void read_specs(const Unit *u, Cursor *c, AbbrevTable *t, Abbrev *a)
{
    /* Some 30 attributes is normal; a million without bytes would make reading quadratic. */
    enum { IMPLICIT_CONST = 0x21, MAX_ATTRIBUTES = 500 };
    bool wanted = tag_is_interesting(a->tag) || debuginfo_options.variables, fixed = true;
    a->first = (uint32_t)t->spec.n;
    while (!c->bad) {
        uint64_t at = cursor_uleb(c), form = cursor_uleb(c);
        AttrSpec s = {.form = form <= UINT16_MAX ? (uint16_t)form : 0};
        if (form == IMPLICIT_CONST)
            s.implicit = cursor_sleb(c);
        if (at == 0 && form == 0)
            break;
        Slot slot = slot_of_attribute(at);
        s.slot = wanted || slot == SLOT_SIBLING ? slot : SLOT_NONE;
        unsigned size = form_fixed_size(u, s.form);
        enum { FLAG_PRESENT = 0x19, FAR_TOO_MANY = 1 << 24 };
        fixed = fixed && s.slot == SLOT_NONE &&
                (size > 0 || form == IMPLICIT_CONST || form == FLAG_PRESENT);
        a->fixed_size += a->fixed_size < FAR_TOO_MANY ? size : 0;
        vec_push(&t->spec, s);
        c->bad = c->bad || t->spec.n - a->first > MAX_ATTRIBUTES;
    }
    a->n = (uint32_t)t->spec.n - a->first;
    a->skip = fixed;
}

static int compare_abbrevs(const void *pa, const void *pb)
{
    uint64_t a = ((const Abbrev *)pa)->code, b = ((const Abbrev *)pb)->code;
    return a < b ? -1 : a > b;
}

AbbrevTable *abbrev_table(const Unit *u, uint64_t offset)
{
    DwarfFile *f = u->file;
    /* Sizes of forms depend on the unit, so units that differ in that do not share tables. */
    uint64_t key = hash_mix64(offset + 1) ^ u->offset_size ^ (uint64_t)u->version << 8 ^
                   (uint64_t)u->addr_size << 16;
    AbbrevTable *t = hashmap_get_ptr(&f->abbrev_tables, key ? key : 1);
    if (t)
        return t;
    Cursor c = span_cursor(f->abbrev, offset);
    if (c.bad)
        return NULL;
    t = calloc(1, sizeof *t);
    CHECK(t != NULL, "out of memory");
    t->dense = true;
    while (!c.bad) {
        Abbrev a = {.code = cursor_uleb(&c)};
        if (a.code == 0)
            break;
        a.tag = (uint16_t)cursor_uleb(&c);
        a.children = cursor_fixed(&c, 1) != 0;
        read_specs(u, &c, t, &a);
        if (c.bad)
            break;
        t->dense = t->dense && a.code == t->abbrev.n + 1;
        vec_push(&t->abbrev, a);
    }
    if (!t->dense)
        qsort(t->abbrev.data, t->abbrev.n, sizeof(Abbrev), compare_abbrevs);
    hashmap_put(&f->abbrev_tables, key ? key : 1, (uintptr_t)t);
    return t;
}

void abbrev_table_free(AbbrevTable *t)
{
    vec_free(&t->abbrev);
    vec_free(&t->spec);
    free(t);
}

static const Abbrev *abbrev_find(const AbbrevTable *t, uint64_t code)
{
    if (t->dense)
        return code - 1 < t->abbrev.n ? &t->abbrev.data[code - 1] : NULL;
    Abbrev key = {.code = code};
    return t->abbrev.n
               ? bsearch(&key, t->abbrev.data, t->abbrev.n, sizeof key, compare_abbrevs)
               : NULL;
}

/* ---- entries --------------------------------------------------------------------------- */

Cursor unit_cursor(const Unit *u, uint64_t die)
{
    Cursor c = span_cursor(u->file->info, die);
    if (c.bad || die < u->die || die >= u->end)
        return (Cursor){.bad = true};
    cursor_limit(&c, u->end - die);
    return c;
}

bool read_die(const Unit *u, Cursor *c, Die *out)
{
    if (c->bad || c->p == c->end)
        return false;
    out->offset = (uint64_t)(c->p - u->file->info.data);
    out->present = 0;
    out->tag = 0;
    out->children = false;
    uint64_t code = cursor_uleb(c);
    if (c->bad || code == 0)
        return !c->bad;
    const Abbrev *a = abbrev_find(u->abbrevs, code);
    if (!a)
        return false;
    out->tag = a->tag;
    out->children = a->children;
    if (a->skip) {
        cursor_skip(c, a->fixed_size);
        return !c->bad;
    }
    const AttrSpec *s = &u->abbrevs->spec.data[a->first];
    for (uint32_t i = 0; i < a->n; i++) {
        Value ignored, *v = s[i].slot ? &out->value[s[i].slot] : &ignored;
        if (!read_form(u, c, s[i].form, s[i].implicit, v))
            return false;
        out->present |= (uint32_t)(s[i].slot != SLOT_NONE) << s[i].slot;
    }
    return !c->bad;
}

void skip_children(const Unit *u, Cursor *c, const Die *d)
{
    if (!d->children)
        return;
    if (die_has(d, SLOT_SIBLING) && d->value[SLOT_SIBLING].cls == VAL_REF) {
        Cursor next = unit_cursor(u, u->offset + d->value[SLOT_SIBLING].u);
        if (!next.bad && next.p > c->p) {
            *c = next;
            return;
        }
    }
    Die child;
    for (unsigned depth = 1; depth > 0 && read_die(u, c, &child);) {
        if (child.tag == 0)
            depth--;
        else if (child.children)
            depth++;
    }
}

/* ---- ranges ---------------------------------------------------------------------------- */

/* Functions that the linker threw away have addresses 0 or 1. */
static void give_range(RangeFn *fn, void *arg, uint64_t lo, uint64_t hi)
{
    if (lo > 1 && lo < hi)
        fn(arg, lo, hi);
}

static void ranges_v4(const Unit *u, uint64_t offset, RangeFn *fn, void *arg)
{
    Cursor c = span_cursor(u->file->ranges, offset);
    uint64_t base = u->low_pc, largest = u->addr_size == 4 ? UINT32_MAX : UINT64_MAX;
    while (!c.bad) {
        uint64_t lo = cursor_fixed(&c, u->addr_size), hi = cursor_fixed(&c, u->addr_size);
        if (c.bad || (lo == 0 && hi == 0))
            return;
        if (lo == largest)
            base = hi;
        else
            give_range(fn, arg, base + lo, base + hi);
    }
}

static uint64_t get_indexed_address(const Unit *u, Cursor *c)
{
    Value v = {.cls = VAL_ADDRX, .u = cursor_uleb(c)};
    uint64_t a;
    return value_address(u, &v, &a) ? a : 0;
}

static void ranges_v5(const Unit *u, uint64_t offset, RangeFn *fn, void *arg)
{
    enum { END, BASE_X, START_X_END_X, START_X_LENGTH, OFFSETS, BASE, START_END, START_LENGTH };
    Cursor c = span_cursor(u->file->rnglists, offset);
    uint64_t base = u->low_pc;
    while (!c.bad) {
        uint64_t lo = 0, hi = 0;
        unsigned kind = (unsigned)cursor_fixed(&c, 1);
        switch (kind) {
        case BASE_X: base = get_indexed_address(u, &c); break;
        case BASE: base = cursor_fixed(&c, u->addr_size); break;
        case START_X_END_X:
            lo = get_indexed_address(u, &c);
            hi = get_indexed_address(u, &c);
            break;
        case START_X_LENGTH:
            lo = get_indexed_address(u, &c);
            hi = lo + cursor_uleb(&c);
            break;
        case OFFSETS:
            lo = base + cursor_uleb(&c);
            hi = base + cursor_uleb(&c);
            break;
        case START_END:
            lo = cursor_fixed(&c, u->addr_size);
            hi = cursor_fixed(&c, u->addr_size);
            break;
        case START_LENGTH:
            lo = cursor_fixed(&c, u->addr_size);
            hi = lo + cursor_uleb(&c);
            break;
        default: return;
        }
        if (!c.bad)
            give_range(fn, arg, lo, hi);
    }
}

/* The list number @p index of the unit's table of lists. */
static bool rnglist_offset(const Unit *u, uint64_t index, uint64_t *offset)
{
    uint64_t at;
    if (__builtin_mul_overflow(index, u->offset_size, &at) ||
        __builtin_add_overflow(at, u->rnglists_base, &at))
        return false;
    Cursor c = span_cursor(u->file->rnglists, at);
    *offset = u->rnglists_base + (c.bad ? 0 : cursor_fixed(&c, u->offset_size));
    return !c.bad;
}

bool die_each_range(const Unit *u, const Die *d, RangeFn *fn, void *arg)
{
    if (die_has(d, SLOT_RANGES)) {
        const Value *v = &d->value[SLOT_RANGES];
        uint64_t offset = v->u;
        if (v->cls == VAL_RNGX && !rnglist_offset(u, v->u, &offset))
            return false;
        if (u->version >= 5)
            ranges_v5(u, offset, fn, arg);
        else
            ranges_v4(u, offset, fn, arg);
        return true;
    }
    uint64_t lo, hi;
    if (!die_has(d, SLOT_LOW_PC) || !die_has(d, SLOT_HIGH_PC) ||
        !value_address(u, &d->value[SLOT_LOW_PC], &lo))
        return false;
    if (d->value[SLOT_HIGH_PC].cls == VAL_CONST)
        hi = lo + d->value[SLOT_HIGH_PC].u;
    else if (!value_address(u, &d->value[SLOT_HIGH_PC], &hi))
        return false;
    give_range(fn, arg, lo, hi);
    return true;
}

typedef struct Containment {
    uint64_t vaddr;
    bool yes;
} Containment;

static void range_test(void *arg, uint64_t lo, uint64_t hi)
{
    Containment *t = arg;
    t->yes = t->yes || (t->vaddr >= lo && t->vaddr < hi);
}

bool die_contains(const Unit *u, const Die *d, uint64_t vaddr)
{
    Containment t = {.vaddr = vaddr};
    die_each_range(u, d, range_test, &t);
    return t.yes;
}
