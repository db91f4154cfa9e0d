/* SPDX-License-Identifier: MIT */
/*
 * Call frame information: finding the entry for an address and computing the rules that lead
 * to the caller's registers (DWARF 5 section 6.4, LSB 5 for .eh_frame).  Registers have
 * DWARF's numbers here.  Data are hostile; a bad entry is no entry.
 */
#ifndef UNWIND_CFI_H
#define UNWIND_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CFI_RBX = 3, CFI_RBP = 6, CFI_RSP = 7, CFI_RA = 16, CFI_REGS = 17 };

typedef enum RuleKind {
    RULE_SAME,       /**< has the value it had (also: nothing was said) */
    RULE_UNDEFINED,  /**< lost */
    RULE_AT_CFA,     /**< saved at CFA + n */
    RULE_CFA,        /**< is CFA + n */
    RULE_REGISTER,   /**< is in register n */
    RULE_AT_EXPR,    /**< saved at the address that the expression yields */
    RULE_EXPR        /**< is what the expression yields */
} RuleKind;

/** A DWARF expression. */
typedef struct CfiExpr {
    const uint8_t *p;
    size_t n;
} CfiExpr;

typedef struct RegRule {
    uint8_t kind;
    int64_t n;
    CfiExpr expr;
} RegRule;

/** How to get from a frame to its caller at one address. */
typedef struct CfiRow {
    unsigned cfa_reg; /**< CFA = register + cfa_offset, unless cfa_expr is there */
    int64_t cfa_offset;
    CfiExpr cfa_expr;
    bool signal_frame; /**< the caller was interrupted, not calling */
    RegRule reg[CFI_REGS];
} CfiRow;

/** Bytes that belong at an (unbiased) address. */
typedef struct CfiBytes {
    const uint8_t *data;
    size_t size;
    uint64_t vaddr;
} CfiBytes;

/** A section of frame information. */
typedef struct CfiSection {
    CfiBytes bytes;
    bool debug_frame; /**< .debug_frame, else .eh_frame */
} CfiSection;

/** An entry of an index over a section without a search table. */
typedef struct CfiIndexEntry {
    uint64_t lo, hi; /**< code, unbiased */
    size_t offset;   /**< of the FDE in the section */
} CfiIndexEntry;

/**
 * The search table .eh_frame_hdr: sets where .eh_frame starts, and the FDE's address for
 * @p vaddr.  False if the table is of an unknown kind (then *eh_frame may still be right, or 0).
 */
bool cfi_search_table(const CfiBytes *hdr, uint64_t vaddr, uint64_t *eh_frame, uint64_t *fde);

/** The rules at @p vaddr from the FDE at @p offset; false if it does not cover the address. */
bool cfi_read_row(const CfiSection *s, size_t offset, uint64_t vaddr, CfiRow *row);

/** malloc'ed index of all entries, sorted by lo; NULL if there are none. */
CfiIndexEntry *cfi_build_index(const CfiSection *s, size_t *n);

/** What an expression can see. */
typedef struct ExprContext {
    const uint64_t *reg; /**< CFI_REGS values */
    bool (*load)(void *arg, uint64_t addr, unsigned size, uint64_t *out);
    void *arg;
} ExprContext;

/** Value of @p e with @p cfa pushed first if @p has_cfa; false if it cannot be known. */
bool cfi_eval(const CfiExpr *e, const ExprContext *x, bool has_cfa, uint64_t cfa, uint64_t *out);

#endif
