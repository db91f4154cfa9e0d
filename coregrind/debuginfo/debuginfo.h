/* SPDX-License-Identifier: MIT */
/*
 * What we know about the client's code from its ELF objects: which object an address
 * belongs to, symbols, source lines, inlined calls, global variables, demangled names.
 *
 * Nothing is read until it is asked for.  Mapping an object reads its ELF and program
 * headers; finding a symbol by name reads its hash table; the first description of an
 * address reads symbol tables and, of the DWARF data, that compilation unit only.  Every
 * file is hostile: it is mapped read-only, each access is bounds-checked, and bad data means
 * "no information", never an error.
 *
 * All functions are thread-safe (LOCK_modules) and none may be called from a signal handler,
 * except debuginfo_recover_fault().  Strings that are returned live in the arena given, or
 * (module_path and the like) as long as the module.
 */
#ifndef CORE_DEBUGINFO_H
#define CORE_DEBUGINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "gimle/ir.h"

/** One ELF object that the client has mapped with an executable segment. */
typedef struct Module Module;

/** Options of the command line; set before the first describe call. */
typedef struct DebuginfoOptions {
    bool demangle;            /**< --demangle */
    bool inline_info;         /**< --read-inline-info: report inlined calls as frames */
    bool keep;                /**< --keep-debuginfo: unmapped objects still describe addresses */
    bool allow_mismatched;    /**< --allow-mismatched-debuginfo: accept a wrong CRC or build-id */
    bool variables;           /**< --read-var-info: variables can be described */
    const char *extra_path;   /**< --extra-debuginfo-path or NULL: another /usr/lib/debug */
} DebuginfoOptions;

/** demangle and inline_info on, the rest off. */
extern DebuginfoOptions debuginfo_options;

/* ---- mappings -------------------------------------------------------------------------- */

/**
 * The client mapped @p len bytes of the file @p path (absolute; dev and ino identify it) at
 * @p addr, file offset @p offset, with PROT_* @p prot.  Call it for every file mapping and
 * also when mprotect makes one executable; it is cheap for what is no code.
 */
void debuginfo_map(GuestAddr addr, size_t len, int prot, uint64_t offset, const char *path,
                   dev_t dev, ino_t ino);

/** An ELF image in the client's memory that has no file (the vDSO), @p name e.g. "[vdso]". */
void debuginfo_map_image(GuestAddr addr, size_t len, const char *name);

/** [addr, addr + len) is no longer what it was (munmap, or something else mapped over it). */
void debuginfo_unmap(GuestAddr addr, size_t len);

/** In a forked child nothing changes; after an execve in the same process forget all. */
void debuginfo_forget_all(void);

/**
 * @p fn is called after a module appeared (@p loaded) or before it goes, without any lock
 * of ours held, in the thread that maps or unmaps.  At most 8 observers; they stay.
 */
typedef void DebuginfoObserver(Module *m, bool loaded);
void debuginfo_observe(DebuginfoObserver *fn);

/**
 * For the SIGBUS handler, async-signal-safe: true if @p host_addr lies in a debug file that
 * somebody truncated under us; the page reads as zeros now and the access may be repeated.
 */
bool debuginfo_recover_fault(const void *host_addr);

/* ---- modules --------------------------------------------------------------------------- */

/** The module whose mapped segments (code or data) contain @p a, or NULL. */
Module *debuginfo_find_module(GuestAddr a);

/** Iterate over the live modules: start with NULL, NULL at the end.  Order: by first mapping. */
Module *debuginfo_next_module(Module *previous);

/** Path as given to debuginfo_map. */
const char *module_path(const Module *m);
/** DT_SONAME, or the last component of the path: never NULL. */
const char *module_soname(Module *m);
/** Address in memory = address in the file (p_vaddr, st_value) + bias. */
uint64_t module_bias(const Module *m);
/** The executable range. */
void module_text(const Module *m, GuestAddr *lo, GuestAddr *hi);
/** From the lowest to the highest mapped address, code and data. */
void module_extent(const Module *m, GuestAddr *lo, GuestAddr *hi);
/** Entry point (e_entry + bias), 0 if none. */
GuestAddr module_entry(const Module *m);
/** Build-id as lower-case hex in @p buf; "" if there is none.  Returns buf. */
const char *module_build_id(Module *m, char *buf, size_t size);

/* ---- symbols by name ------------------------------------------------------------------- */

typedef enum SymbolKind {
    SYM_FUNC,   /**< also untyped symbols in code */
    SYM_IFUNC,  /**< address is that of the resolver */
    SYM_OBJECT, /**< data */
} SymbolKind;

typedef struct SymbolInfo {
    GuestAddr addr;
    uint64_t size; /**< 0: unknown */
    SymbolKind kind;
    bool weak, local;
} SymbolInfo;

/**
 * The definition of @p name in @p m: the default version from the dynamic hash table, or,
 * when there is no dynamic symbol table, from .symtab.  Quick: microseconds.
 */
bool debuginfo_find_symbol(Module *m, const char *name, SymbolInfo *out);

/**
 * Every definition of @p name at a different address (other versions of the symbol too), at
 * most @p max; returns how many.  With @p all also searches .symtab (local and hidden
 * symbols; reads the whole table once, slower) of the object itself.
 */
unsigned debuginfo_find_symbols(Module *m, const char *name, bool all, SymbolInfo *out,
                                unsigned max);

/**
 * Call @p fn for every defined function and object symbol (.dynsym, and .symtab with @p all)
 * whose name starts with @p prefix ("" for all) until it returns false.  The lock is held.
 */
void debuginfo_each_symbol(Module *m, const char *prefix, bool all,
                           bool (*fn)(void *arg, const char *name, const SymbolInfo *s),
                           void *arg);

/* ---- addresses to names ---------------------------------------------------------------- */

/** One line of a stack trace; every string may be NULL. */
typedef struct FrameInfo {
    GuestAddr pc;        /**< as asked */
    const char *fn;      /**< function, demangled (debuginfo_options.demangle) */
    const char *fn_raw;  /**< function as in the symbol table or DWARF name (for suppressions) */
    uint64_t fn_offset;  /**< pc - start of the symbol; 0 in inlined frames */
    const char *file;    /**< base name of the source file */
    const char *dir;     /**< its directory, absolute when known */
    unsigned line;       /**< 0: unknown */
    const char *obj;     /**< path of the object */
    uint64_t obj_offset; /**< pc - bias */
    bool inlined;        /**< was inlined into the next frame */
} FrameInfo;

/**
 * Describe @p pc (for callers: return address - 1): frames[0] is the innermost inlined
 * function, the last one the real function.  Returns the number of frames, at least 1
 * (max >= 1); if nothing is known the frame has only pc.
 */
unsigned debuginfo_describe_pc(GuestAddr pc, FrameInfo *frames, unsigned max, Arena *a);

/**
 * The position of the innermost code at @p pc and the real function, as if they were one frame.  The
 * same is true of the code up to *end.  Much quicker than debuginfo_describe_pc().
 */
void debuginfo_describe_line(GuestAddr pc, FrameInfo *f, GuestAddr *end, Arena *a);

/** The symbol that contains or precedes @p pc in its module: name for --trace and the like. */
const char *debuginfo_function_name(GuestAddr pc, uint64_t *offset, Arena *a);

typedef struct DataInfo {
    const char *name;    /**< demangled */
    GuestAddr start;     /**< address of the variable */
    uint64_t size;
    const char *obj;
    const char *section; /**< ".data", ".bss" ... of the object, or NULL */
} DataInfo;

/** The global or static variable at @p a; false if no symbol contains it (section may be set). */
bool debuginfo_describe_data(GuestAddr a, DataInfo *out, Arena *arena);

/** A variable of the program's source. */
typedef struct VariableInfo {
    const char *name;
    const char *part;    /**< "a[3].x": what of it has the byte; NULL: it has no parts */
    uint64_t offset;     /**< of the byte in that */
    const char *file;    /**< where it is declared, or NULL */
    unsigned line;
} VariableInfo;

/**
 * The variable that has the byte @p from_cfa bytes above the canonical frame address of the function at
 * @p pc, or that has the byte at @p a; false if there is none, or without debuginfo_options.variables.
 */
bool debuginfo_describe_local(GuestAddr pc, int64_t from_cfa, VariableInfo *out, Arena *arena);
bool debuginfo_describe_global(GuestAddr a, VariableInfo *out, Arena *arena);

/** @p name demangled (C++, Rust, D, Ada), or @p name itself; honours options.demangle. */
const char *debuginfo_demangle(const char *name, Arena *a);

/**
 * The text of a frame exactly as Valgrind prints it after "at " or "by ":
 * "0x1091B3: main (a.c:2)", "0x4848899: malloc (in /usr/lib/x.so)", "0x42: ???".
 */
const char *debuginfo_format_frame(const FrameInfo *f, Arena *a);

/** True for main and the names that --show-below-main=no cuts a stack trace after. */
bool debuginfo_is_main(const char *fn_raw);

/** True for the functions of libc that call main, which Valgrind prints as "(below main)". */
bool debuginfo_is_below_main(const char *fn_raw);

/* ---- for the unwinder ------------------------------------------------------------------ */

/** Where the call frame information of a module is; file contents, valid as long as the module. */
typedef struct ModuleCfi {
    GuestAddr text_lo, text_hi;
    uint64_t bias;
    const uint8_t *eh_frame_hdr; /**< or NULL */
    size_t eh_frame_hdr_size;
    uint64_t eh_frame_hdr_vaddr; /**< unbiased */
    const uint8_t *eh_frame;     /**< whole section, when there is no eh_frame_hdr; or NULL */
    size_t eh_frame_size;
    uint64_t eh_frame_vaddr;
} ModuleCfi;

/**
 * The bytes of the file that belong at unbiased address @p vaddr, up to the end of their
 * segment; NULL if there are none.  Takes no lock.
 */
const uint8_t *module_file_bytes(const Module *m, uint64_t vaddr, size_t *size);

/** For an observer of modules: the data stay valid until it is told that the module goes. */
void module_cfi(Module *m, ModuleCfi *out);

/** .debug_frame of a module without .eh_frame, decompressed; false if it has none. */
bool module_debug_frame(Module *m, const uint8_t **data, size_t *size);

/** True if @p pc lies in the text of a module (quick, for plausibility of return addresses). */
bool debuginfo_is_text(GuestAddr pc);

#endif
