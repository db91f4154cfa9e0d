/* SPDX-License-Identifier: MIT */
/* The DWARF reader's parts: forms, entries, units, line tables. */
#ifndef DEBUGINFO_DWARF_INTERNAL_H
#define DEBUGINFO_DWARF_INTERNAL_H

#include <string.h>

#include "base/cursor.h"
#include "base/hashmap.h"
#include "base/vec.h"
#include "coregrind/debuginfo/dwarf.h"

static inline Cursor span_cursor(Span s, uint64_t offset)
{
    return cursor_at(s.data, s.size, offset);
}

/* ---- files and units ------------------------------------------------------------------- */

typedef struct AttrSpec {
    uint16_t form;
    uint8_t slot; /**< where the value goes, SLOT_NONE: skip it */
    int64_t implicit;
} AttrSpec;

typedef struct Abbrev {
    uint64_t code;
    uint16_t tag;
    bool children;
    bool skip;          /**< nothing of interest: all attributes together are fixed_size bytes */
    uint32_t first, n;  /**< its specs */
    uint32_t fixed_size;
} Abbrev;

typedef struct AbbrevTable {
    VEC(Abbrev) abbrev; /**< sorted by code */
    VEC(AttrSpec) spec;
    bool dense;         /**< abbrev[i].code == i + 1 */
} AbbrevTable;

typedef struct LineRow {
    uint64_t addr;
    uint32_t file, line;
} LineRow;

/** Rows of ascending addresses without a gap: [lo, hi). */
typedef struct LineSequence {
    uint64_t lo, hi;
    size_t first, n;
} LineSequence;

typedef struct LineFile {
    const char *name;
    uint64_t dir; /**< index into dirs */
} LineFile;

typedef struct LineTable {
    VEC(LineRow) rows;
    VEC(LineSequence) sequences; /**< sorted by lo */
    VEC(const char *) dirs;
    VEC(LineFile) files;
    unsigned version; /**< before 5, files count from 1 */
} LineTable;

/** One range of code of a function that has its own code. */
typedef struct FuncRange {
    uint64_t lo, hi;
    uint64_t die; /**< offset in .debug_info */
} FuncRange;

typedef struct DwarfFile DwarfFile;

typedef struct Unit {
    DwarfFile *file;
    uint64_t offset, end;  /**< in .debug_info, header included */
    uint64_t die;          /**< offset of the first entry */
    uint64_t abbrev_offset;
    uint8_t version, offset_size, addr_size;
    bool opened, bad, lines_tried, funcs_tried;
    bool has_lines;        /**< stmt_list is valid */
    AbbrevTable *abbrevs;  /**< of the file's cache */
    uint64_t low_pc, stmt_list, str_offsets_base, addr_base, rnglists_base;
    const char *comp_dir;
    LineTable *lines;
    VEC(FuncRange) funcs;
} Unit;

typedef struct UnitRange {
    uint64_t lo, hi;
    size_t unit;
} UnitRange;

struct DwarfFile {
    ElfFile *elf;
    DwarfFile *alt;  /**< for the DW_FORM_*_alt forms, or NULL */
    Span info, abbrev, line, str, line_str, ranges, rnglists, addr, str_offsets;
    VEC(Unit) units; /**< by offset */
    VEC(UnitRange) ranges_of_units; /**< sorted by lo */
    HashMap abbrev_tables; /**< offset + 1 -> AbbrevTable * */
    bool indexed;
};

struct Dwarf {
    DwarfFile main, alt;
};

/** Sections and the list of units; false if there are none. */
bool dwarf_file_open(DwarfFile *d, ElfFile *f);
void dwarf_file_close(DwarfFile *d);
/** The unit whose code contains @p vaddr, opened; or NULL. */
Unit *dwarf_unit_of_code(DwarfFile *d, uint64_t vaddr);
/** The unit that contains the entry at @p offset of .debug_info, opened; or NULL. */
Unit *dwarf_unit_of_die(DwarfFile *d, uint64_t offset);

/* ---- entries --------------------------------------------------------------------------- */

/** The attributes that we look at. */
typedef enum Slot {
    SLOT_NONE, SLOT_NAME, SLOT_LINKAGE, SLOT_LOW_PC, SLOT_HIGH_PC, SLOT_RANGES, SLOT_ORIGIN,
    SLOT_SPECIFICATION, SLOT_SIBLING, SLOT_CALL_FILE, SLOT_CALL_LINE, SLOT_STMT_LIST,
    SLOT_COMP_DIR, SLOT_STR_OFFSETS_BASE, SLOT_ADDR_BASE, SLOT_RNGLISTS_BASE,
    /* with debuginfo_options.variables */
    SLOT_LOCATION, SLOT_BYTE_SIZE, SLOT_UPPER_BOUND, SLOT_ELEMENTS, SLOT_MEMBER_LOCATION, SLOT_DECL_FILE,
    SLOT_DECL_LINE, SLOT_FRAME_BASE, SLOT_TYPE,
    SLOT_COUNT
} Slot;

typedef enum ValueClass {
    VAL_NONE,     /**< absent, or a form that means nothing to us */
    VAL_CONST,    /**< u: number */
    VAL_ADDR,     /**< u: address */
    VAL_ADDRX,    /**< u: index into .debug_addr */
    VAL_OFFSET,   /**< u: offset into some section */
    VAL_RNGX,     /**< u: index into the unit's range lists */
    VAL_STRING,   /**< s */
    VAL_BLOCK,    /**< u bytes at s */
    VAL_STRP, VAL_LINE_STRP, VAL_STRP_ALT, /**< u: offset into that string section */
    VAL_STRX,     /**< u: index into .debug_str_offsets */
    VAL_REF,      /**< u: offset from the start of the unit */
    VAL_REF_ADDR, /**< u: offset in .debug_info */
    VAL_REF_ALT,  /**< u: offset in .debug_info of the common file */
} ValueClass;

typedef struct Value {
    uint8_t cls;
    uint64_t u;
    const char *s;
} Value;

typedef struct Die {
    uint64_t offset;
    uint16_t tag;    /**< 0: end of a list of siblings */
    bool children;
    uint32_t present; /**< bit per Slot */
    Value value[SLOT_COUNT];
} Die;

static inline bool die_has(const Die *d, Slot s)
{
    return d->present >> s & 1;
}

enum DwTag {
    TAG_INLINED = 0x1d, TAG_LEXICAL_BLOCK = 0x0b, TAG_SUBPROGRAM = 0x2e, TAG_COMPILE_UNIT = 0x11,
    TAG_PARTIAL_UNIT = 0x3c, TAG_SKELETON_UNIT = 0x4a
};

/** A value of @p form; false if the form is unknown (nothing after it can be read). */
bool read_form(const Unit *u, Cursor *c, unsigned form, int64_t implicit, Value *v);
/** The form's number of bytes, 0 if it varies or is unknown. */
unsigned form_fixed_size(const Unit *u, unsigned form);
/** The string that @p v means, or NULL. */
const char *value_string(const Unit *u, const Value *v);
/** The address that @p v means; false if it is none. */
bool value_address(const Unit *u, const Value *v, uint64_t *out);
/** The table at @p offset, cached; NULL if it is bad. */
AbbrevTable *abbrev_table(const Unit *u, uint64_t offset);
void abbrev_table_free(AbbrevTable *t);

/** Cursor over the unit's entries from offset @p die of .debug_info. */
Cursor unit_cursor(const Unit *u, uint64_t die);
/** Next entry; false at the end or when the data are bad. */
bool read_die(const Unit *u, Cursor *c, Die *out);
/** Move past the children of @p d, which was just read. */
void skip_children(const Unit *u, Cursor *c, const Die *d);

/** Where the reference @p v of an entry of @p u points to: the unit, and a cursor at the entry; or NULL. */
Unit *unit_follow(Unit *u, const Value *v, Cursor *c);
/** The entry of the innermost function that contains @p vaddr. */
bool unit_function_at(Unit *u, uint64_t vaddr, uint64_t *die);
/** Call @p fn for each range of code of @p d; returns false if it has none. */
typedef void RangeFn(void *arg, uint64_t lo, uint64_t hi);
bool die_each_range(const Unit *u, const Die *d, RangeFn *fn, void *arg);
bool die_contains(const Unit *u, const Die *d, uint64_t vaddr);

/* ---- lines ----------------------------------------------------------------------------- */

/** The unit's line table, read on the first call; or NULL. */
LineTable *unit_lines(Unit *u);
void line_table_free(LineTable *t);
/** The row for @p vaddr, or NULL; the answer is the same up to *end (if not NULL). */
const LineRow *line_table_find(const LineTable *t, uint64_t vaddr, uint64_t *end);
/** Name and directory of file number @p file into @p out. */
void line_table_file(const Unit *u, const LineTable *t, uint64_t file, DwarfFrame *out, Arena *a);

#endif
