/* SPDX-License-Identifier: MIT */
/*
 * Source lines and inlined calls from DWARF 2 to 5, read per compilation unit when first
 * asked for.  Addresses are those of the file, unbiased.  See docs/design/debuginfo.md for
 * why this is not libdwarf.
 */
#ifndef DEBUGINFO_DWARF_H
#define DEBUGINFO_DWARF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "coregrind/debuginfo/elf_file.h"

typedef struct Dwarf Dwarf;

/** What DWARF knows of one frame; strings may be NULL and live in the arena or the files. */
typedef struct DwarfFrame {
    const char *name;    /**< DW_AT_name of the function */
    const char *linkage; /**< its mangled name */
    const char *file;    /**< last component */
    const char *dir;
    unsigned line;
} DwarfFrame;

/**
 * The debug data of @p f, dwz's common part in @p alt (or NULL); NULL if there are none.
 * Both files must outlive it.
 */
Dwarf *dwarf_open(ElfFile *f, ElfFile *alt);
void dwarf_close(Dwarf *d);

/**
 * Frames at @p vaddr, the innermost inlined function first; 0 if the address is in no unit.
 * Only the position of the innermost code if @p inlines is false.
 */
unsigned dwarf_describe(Dwarf *d, uint64_t vaddr, bool inlines, DwarfFrame *frames, unsigned max,
                        Arena *a);

/** A variable; strings as in DwarfFrame. */
typedef struct DwarfVariable {
    const char *name;
    const char *part;    /**< "a[3].x" if that is more than its name, else NULL */
    uint64_t offset;     /**< of the byte in that part */
    const char *file;    /**< where it is declared */
    unsigned line;
} DwarfVariable;

/** The variable of the function at @p vaddr that has the byte @p from_cfa bytes above its CFA. */
bool dwarf_describe_local(Dwarf *d, uint64_t vaddr, int64_t from_cfa, DwarfVariable *out, Arena *a);
/** The variable that has the byte at @p vaddr. */
bool dwarf_describe_global(Dwarf *d, uint64_t vaddr, DwarfVariable *out, Arena *a);

/**
 * The position alone of the innermost code at @p vaddr, which reads no more than line tables: names are
 * NULL.  It is the same up to *end.  False if the address is in no unit.
 */
bool dwarf_line(Dwarf *d, uint64_t vaddr, DwarfFrame *f, uint64_t *end, Arena *a);

#endif
