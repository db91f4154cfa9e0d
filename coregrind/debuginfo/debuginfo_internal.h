/* SPDX-License-Identifier: MIT */
/* What the files of this directory share: the module and its lazily read parts. */
#ifndef DEBUGINFO_INTERNAL_H
#define DEBUGINFO_INTERNAL_H

#include "base/vec.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/debuginfo/elf_file.h"

/** The tables of the dynamic section, as far as they are inside the file. */
typedef struct DynTables {
    Span symtab, strtab, gnu_hash, hash, versym;
    const char *soname; /**< or NULL */
} DynTables;

/** A symbol with its name in a mapped string table. */
typedef struct Symbol {
    uint64_t addr; /**< unbiased */
    uint64_t size;
    const char *name;
    bool sized; /**< else size is the distance to the next symbol */
    bool ifunc; /**< the code is that of a resolver */
} Symbol;

/** Symbols sorted by address; the best name first where several share one. */
typedef struct SymbolTable {
    VEC(Symbol) code, data;
    uint64_t code_longest, data_longest; /**< largest size: how far back a lookup must look */
} SymbolTable;

/** .symtab by name: hash of the name to a chain of symbol numbers. */
typedef struct NameIndex NameIndex;

typedef struct Dwarf Dwarf;

struct Module {
    Module *next; /**< in order of mapping */
    char *path;
    ino_t ino;
    ElfFile *elf;
    void *own_image; /**< copy of memory that elf views, if it is no file */
    uint64_t bias;
    GuestAddr text_lo, text_hi, lo, hi;
    bool gone; /**< unmapped, kept by --keep-debuginfo */

    bool dyn_read, debug_tried, dwarf_tried;
    DynTables dyn;
    NameIndex *names;     /**< NULL until needed */
    ElfFile *debug;       /**< separate debug file or NULL */
    ElfFile *debug_alt;   /**< dwz's common file or NULL */
    SymbolTable *symbols; /**< NULL until needed */
    Dwarf *dwarf;         /**< NULL: not read or none */
};

/* All of these are called with LOCK_modules held. */

/** The module that has code at @p a: a live one, else a kept one, else NULL. */
Module *module_of_code(GuestAddr a);
/** The live module whose extent contains @p a. */
Module *module_of_data(GuestAddr a);
const DynTables *module_dyn(Module *m);

void name_index_free(NameIndex *x);

/** A symbol table and its strings, both from one file. */
typedef struct RawSymbols {
    Span symtab, strtab;
} RawSymbols;

/** The section called @p name (".symtab", ".dynsym") with its linked string table. */
RawSymbols raw_symbols(ElfFile *f, const char *name);
size_t raw_symbols_count(const RawSymbols *r);
/** Symbol @p i; its name or NULL if it has none. */
const char *raw_symbol(const RawSymbols *r, size_t i, Elf64_Sym *sym);
/** False for undefined, absolute, thread-local, section and file symbols. */
bool symbol_is_definition(const Elf64_Sym *s);
/** Does @p vaddr lie in an executable segment of @p f? */
bool vaddr_is_code(const ElfFile *f, uint64_t vaddr);

/** Find and open m->debug and m->debug_alt once. */
void module_open_debug(Module *m);

/** Symbols by address, read on the first call. */
const SymbolTable *module_symbols(Module *m);
/** The symbol that contains @p vaddr, or NULL. */
const Symbol *symbols_find_code(const SymbolTable *t, uint64_t vaddr);
const Symbol *symbols_find_data(const SymbolTable *t, uint64_t vaddr);
void symbols_free(SymbolTable *t);

/** DWARF data of the module, opened on the first call; NULL if there is none. */
Dwarf *module_dwarf(Module *m);

/** Demangled name or @p name; never NULL unless name is. */
const char *demangle_name(const char *name, Arena *a);

#endif
