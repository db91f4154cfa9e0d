/* SPDX-License-Identifier: MIT */
/*
 * Compilation units: where they are in .debug_info, and which of them has the code at an
 * address.  Headers are walked once; .debug_aranges says where the code of most units is, and
 * only units that it does not mention are opened to ask them (clang writes no aranges).
 */
#include <stdlib.h>

#include "coregrind/debuginfo/dwarf_internal.h"

/* Reads the header at the cursor and moves past the unit; false at the end or if bad. */
static bool read_unit_header(DwarfFile *d, Cursor *c, Unit *u)
{
    enum { UT_COMPILE = 1, UT_TYPE = 2, UT_SKELETON = 4, UT_SPLIT_COMPILE = 5, UT_SPLIT_TYPE = 6 };
    *u = (Unit){.file = d, .offset = (uint64_t)(c->p - d->info.data)};
    unsigned offset_size;
    Cursor h = *c;
    cursor_limit(&h, cursor_dwarf_length(&h, &offset_size));
    if (h.bad)
        return false;
    u->offset_size = (uint8_t)offset_size;
    u->end = (uint64_t)(h.end - d->info.data);
    u->version = (uint8_t)cursor_fixed(&h, 2);
    unsigned type = UT_COMPILE;
    if (u->version >= 5) {
        type = (unsigned)cursor_fixed(&h, 1);
        u->addr_size = (uint8_t)cursor_fixed(&h, 1);
        u->abbrev_offset = cursor_fixed(&h, offset_size);
        cursor_skip(&h, type == UT_SKELETON || type == UT_SPLIT_COMPILE ? 8 : 0);
    } else {
        u->abbrev_offset = cursor_fixed(&h, offset_size);
        u->addr_size = (uint8_t)cursor_fixed(&h, 1);
    }
    u->die = (uint64_t)(h.p - d->info.data);
    u->bad = h.bad || u->version < 2 || u->version > 5 || type == UT_TYPE ||
             type == UT_SPLIT_TYPE || (u->addr_size != 8 && u->addr_size != 4);
    c->p = h.end;
    return true;
}

bool dwarf_file_open(DwarfFile *d, ElfFile *f)
{
    d->elf = f;
    d->info = elf_file_data(f, ".debug_info");
    d->abbrev = elf_file_data(f, ".debug_abbrev");
    if (!d->info.data || !d->abbrev.data)
        return false;
    d->line = elf_file_data(f, ".debug_line");
    d->str = elf_file_data(f, ".debug_str");
    d->line_str = elf_file_data(f, ".debug_line_str");
    d->ranges = elf_file_data(f, ".debug_ranges");
    d->rnglists = elf_file_data(f, ".debug_rnglists");
    d->addr = elf_file_data(f, ".debug_addr");
    d->str_offsets = elf_file_data(f, ".debug_str_offsets");
    Cursor c = span_cursor(d->info, 0);
    Unit u;
    while (cursor_left(&c) > 0 && read_unit_header(d, &c, &u))
        vec_push(&d->units, u);
    return d->units.n > 0;
}

void dwarf_file_close(DwarfFile *d)
{
    for (size_t i = 0; i < d->units.n; i++) {
        line_table_free(d->units.data[i].lines);
        vec_free(&d->units.data[i].funcs);
    }
    vec_free(&d->units);
    vec_free(&d->ranges_of_units);
    size_t it = 0;
    uint64_t key, table;
    while (hashmap_next(&d->abbrev_tables, &it, &key, &table))
        abbrev_table_free((AbbrevTable *)(uintptr_t)table);
    hashmap_free(&d->abbrev_tables);
}

static bool read_root(Unit *u, Die *root)
{
    Cursor c = unit_cursor(u, u->die);
    return read_die(u, &c, root) &&
           (root->tag == TAG_COMPILE_UNIT || root->tag == TAG_PARTIAL_UNIT ||
            root->tag == TAG_SKELETON_UNIT);
}

static uint64_t base_or(const Die *root, Slot s, uint64_t otherwise)
{
    return die_has(root, s) ? root->value[s].u : otherwise;
}

/* Reads the unit's first entry; false if nothing can be known of the unit. */
static bool unit_open(Unit *u, Die *root)
{
    if (u->bad)
        return false;
    if (!u->opened) {
        u->opened = true;
        u->abbrevs = abbrev_table(u, u->abbrev_offset);
    }
    if (!u->abbrevs || !read_root(u, root)) {
        u->bad = true;
        return false;
    }
    uint64_t after_header = u->offset_size == 8 ? 16 : 8;
    u->str_offsets_base = base_or(root, SLOT_STR_OFFSETS_BASE, after_header);
    u->addr_base = base_or(root, SLOT_ADDR_BASE, u->version >= 5 ? after_header : 0);
    u->rnglists_base = base_or(root, SLOT_RNGLISTS_BASE, 0);
    if (die_has(root, SLOT_LOW_PC))
        value_address(u, &root->value[SLOT_LOW_PC], &u->low_pc);
    if (die_has(root, SLOT_COMP_DIR))
        u->comp_dir = value_string(u, &root->value[SLOT_COMP_DIR]);
    u->has_lines = die_has(root, SLOT_STMT_LIST);
    u->stmt_list = u->has_lines ? root->value[SLOT_STMT_LIST].u : 0;
    return true;
}

/* Number of the unit at or before @p offset of .debug_info. */
static size_t unit_index(const DwarfFile *d, uint64_t offset)
{
    size_t lo = 0, hi = d->units.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (d->units.data[mid].offset > offset)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo - 1; /* the first unit is at offset 0 */
}

Unit *dwarf_unit_of_die(DwarfFile *d, uint64_t offset)
{
    if (d->units.n == 0)
        return NULL;
    Unit *u = &d->units.data[unit_index(d, offset)];
    Die root;
    if (offset < u->die || offset >= u->end || (!u->opened && !unit_open(u, &root)) || u->bad)
        return NULL;
    return u;
}

/* ---- which unit has an address --------------------------------------------------------- */

typedef struct RangeSink {
    DwarfFile *d;
    size_t unit;
} RangeSink;

static void add_unit_range(void *arg, uint64_t lo, uint64_t hi)
{
    RangeSink *s = arg;
    vec_push(&s->d->ranges_of_units, ((UnitRange){lo, hi, s->unit}));
}

/* One set of .debug_aranges; marks its unit in @p seen. */
static void read_arange_set(DwarfFile *d, Cursor c, unsigned offset_size, const uint8_t *set,
                            uint8_t *seen)
{
    uint64_t version = cursor_fixed(&c, 2), info = cursor_fixed(&c, offset_size);
    unsigned addr_size = (unsigned)cursor_fixed(&c, 1);
    unsigned segment_size = (unsigned)cursor_fixed(&c, 1);
    if (c.bad || version != 2 || addr_size != 8 || segment_size != 0)
        return;
    size_t i = unit_index(d, info);
    if (d->units.data[i].offset != info)
        return;
    size_t header = (size_t)(c.p - set), pair = 2 * addr_size;
    cursor_skip(&c, (pair - header % pair) % pair);
    RangeSink sink = {d, i};
    while (cursor_left(&c) >= pair) {
        uint64_t lo = cursor_fixed(&c, 8), size = cursor_fixed(&c, 8);
        if (lo == 0 && size == 0)
            break;
        if (lo > 1 && size > 0 && lo + size > lo)
            add_unit_range(&sink, lo, lo + size);
        seen[i] = 1;
    }
}

static void read_aranges(DwarfFile *d, uint8_t *seen)
{
    Span s = elf_file_data(d->elf, ".debug_aranges");
    Cursor c = span_cursor(s, 0);
    while (cursor_left(&c) > 0) {
        unsigned offset_size;
        const uint8_t *start = c.p;
        Cursor set = c;
        cursor_limit(&set, cursor_dwarf_length(&set, &offset_size));
        if (set.bad)
            return;
        read_arange_set(d, set, offset_size, start, seen);
        c.p = set.end;
    }
}

static int compare_unit_ranges(const void *pa, const void *pb)
{
    const UnitRange *a = pa, *b = pb;
    return a->lo != b->lo ? (a->lo < b->lo ? -1 : 1) : (a->unit > b->unit) - (a->unit < b->unit);
}

static void build_index(DwarfFile *d)
{
    d->indexed = true;
    uint8_t *seen = calloc(d->units.n, 1);
    CHECK(seen != NULL, "out of memory");
    read_aranges(d, seen);
    for (size_t i = 0; i < d->units.n; i++) {
        Die root;
        RangeSink sink = {d, i};
        if (!seen[i] && unit_open(&d->units.data[i], &root))
            die_each_range(&d->units.data[i], &root, add_unit_range, &sink);
    }
    free(seen);
    if (d->ranges_of_units.n)
        qsort(d->ranges_of_units.data, d->ranges_of_units.n, sizeof(UnitRange),
              compare_unit_ranges);
}

Unit *dwarf_unit_of_code(DwarfFile *d, uint64_t vaddr)
{
    enum { MAX_OVERLAP = 64 };
    if (!d->indexed)
        build_index(d);
    const UnitRange *r = d->ranges_of_units.data;
    size_t lo = 0, hi = d->ranges_of_units.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (r[mid].lo > vaddr)
            hi = mid;
        else
            lo = mid + 1;
    }
    for (size_t i = lo, steps = 0; i-- > 0 && steps < MAX_OVERLAP; steps++) {
        Unit *u = &d->units.data[r[i].unit];
        Die root;
        if (vaddr < r[i].hi && (u->opened ? !u->bad : unit_open(u, &root)))
            return u;
    }
    return NULL;
}
