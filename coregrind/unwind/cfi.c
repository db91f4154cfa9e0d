/* SPDX-License-Identifier: MIT */
/*
 * Reading .eh_frame, .eh_frame_hdr and .debug_frame, and running call frame programs up to
 * one address.
 */
#include "coregrind/unwind/cfi.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "base/vec.h"

/* ---- encoded pointers ------------------------------------------------------------------ */

enum { PE_OMIT = 0xff, PE_PCREL = 0x10, PE_DATAREL = 0x30, PE_INDIRECT = 0x80, PE_SDATA4 = 0x0b };

/* A cursor over bytes with an address. */
typedef struct AddrCursor {
    Cursor c;
    const CfiBytes *bytes;
} AddrCursor;

static AddrCursor addr_cursor(const CfiBytes *b, size_t offset)
{
    return (AddrCursor){cursor_at(b->data, b->size, offset), b};
}

static uint64_t here(const AddrCursor *a)
{
    return a->bytes->vaddr + (uint64_t)(a->c.p - a->bytes->data);
}

/* @p data_base is what DW_EH_PE_datarel is relative to. */
static uint64_t get_encoded(AddrCursor *a, unsigned enc, uint64_t data_base)
{
    static const int8_t size_of[16] = {8, 0, 2, 4, 8, 0, 0, 0, 8, 0, -2, -4, -8};
    uint64_t base = 0;
    if (enc == PE_OMIT)
        return 0;
    if ((enc & 0x70) == PE_PCREL)
        base = here(a);
    else if ((enc & 0x70) == PE_DATAREL)
        base = data_base;
    else if (enc & 0x70)
        a->c.bad = true; /* relative to what we do not know */
    int size = size_of[enc & 0x0f];
    uint64_t v = size > 0   ? cursor_fixed(&a->c, (unsigned)size)
                 : size < 0 ? (uint64_t)cursor_signed(&a->c, (unsigned)-size)
                 : (enc & 0x0f) == 0x09 ? (uint64_t)cursor_sleb(&a->c)
                                        : cursor_uleb(&a->c);
    return base + v;
}

/* ---- .eh_frame_hdr --------------------------------------------------------------------- */

typedef struct TableEntry {
    int32_t location, fde;
} TableEntry;

bool cfi_search_table(const CfiBytes *hdr, uint64_t vaddr, uint64_t *eh_frame, uint64_t *fde)
{
    AddrCursor a = addr_cursor(hdr, 0);
    unsigned version = (unsigned)cursor_fixed(&a.c, 1);
    unsigned frame_enc = (unsigned)cursor_fixed(&a.c, 1);
    unsigned count_enc = (unsigned)cursor_fixed(&a.c, 1);
    unsigned table_enc = (unsigned)cursor_fixed(&a.c, 1);
    *eh_frame = 0;
    if (a.c.bad || version != 1)
        return false;
    *eh_frame = get_encoded(&a, frame_enc, hdr->vaddr);
    uint64_t n = get_encoded(&a, count_enc, hdr->vaddr);
    if (a.c.bad || count_enc == PE_OMIT || table_enc != (PE_DATAREL | PE_SDATA4))
        return false;
    if (n > cursor_left(&a.c) / sizeof(TableEntry))
        n = cursor_left(&a.c) / sizeof(TableEntry);
    size_t lo = 0, hi = n;
    int64_t key = (int64_t)(vaddr - hdr->vaddr);
    TableEntry e;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        memcpy(&e, a.c.p + mid * sizeof e, sizeof e);
        if (e.location > key)
            hi = mid;
        else
            lo = mid + 1;
    }
    *fde = 0;
    if (lo > 0) {
        memcpy(&e, a.c.p + (lo - 1) * sizeof e, sizeof e);
        *fde = hdr->vaddr + (uint64_t)(int64_t)e.fde;
    }
    return true;
}

/* ---- CIE and FDE ----------------------------------------------------------------------- */

typedef struct Cie {
    uint64_t code_align;
    int64_t data_align;
    unsigned ra_reg;
    unsigned fde_enc; /* how FDEs write addresses */
    bool sized;       /* FDEs have augmentation data */
    bool signal_frame;
    AddrCursor program;
} Cie;

typedef struct Fde {
    Cie cie;
    uint64_t lo, hi;
    AddrCursor program;
} Fde;

/* The letters after 'z'; false if one of them is unknown (their data are then not readable). */
static bool read_augmentation(AddrCursor *a, const char *letters, Cie *cie)
{
    for (; *letters && !a->c.bad; letters++) {
        switch (*letters) {
        case 'R': cie->fde_enc = (unsigned)cursor_fixed(&a->c, 1); break;
        case 'L': cursor_fixed(&a->c, 1); break;
        case 'P': {
            unsigned enc = (unsigned)cursor_fixed(&a->c, 1);
            get_encoded(a, enc & ~(unsigned)PE_INDIRECT, 0);
            break;
        }
        case 'S': cie->signal_frame = true; break;
        case 'B': break;
        default: return false;
        }
    }
    return !a->c.bad;
}

static bool read_cie(const CfiSection *s, size_t offset, Cie *cie)
{
    AddrCursor a = addr_cursor(&s->bytes, offset);
    unsigned offset_size;
    cursor_limit(&a.c, cursor_dwarf_length(&a.c, &offset_size));
    uint64_t id = cursor_fixed(&a.c, s->debug_frame ? offset_size : 4);
    uint64_t cie_id = !s->debug_frame ? 0 : offset_size == 8 ? UINT64_MAX : UINT32_MAX;
    unsigned version = (unsigned)cursor_fixed(&a.c, 1);
    const char *aug = cursor_string(&a.c);
    *cie = (Cie){0};
    if (a.c.bad || id != cie_id || (version != 1 && version != 3 && version != 4))
        return false;
    if (version == 4)
        cursor_skip(&a.c, 2); /* sizes of addresses and of segment selectors */
    cie->code_align = cursor_uleb(&a.c);
    cie->data_align = cursor_sleb(&a.c);
    cie->ra_reg = (unsigned)(version == 1 ? cursor_fixed(&a.c, 1) : cursor_uleb(&a.c));
    if (*aug == 'z') {
        cie->sized = true;
        uint64_t size = cursor_uleb(&a.c);
        AddrCursor data = a;
        cursor_limit(&data.c, size);
        if (!read_augmentation(&data, aug + 1, cie))
            return false;
        cursor_skip(&a.c, size);
    } else if (*aug) {
        return false;
    }
    cie->program = a;
    return !a.c.bad && cie->ra_reg < CFI_REGS;
}

/* Reads the FDE at @p offset; *next is where the following entry starts (0: none). */
static bool read_fde(const CfiSection *s, size_t offset, Fde *f, size_t *next)
{
    AddrCursor a = addr_cursor(&s->bytes, offset);
    unsigned offset_size;
    uint64_t length = cursor_dwarf_length(&a.c, &offset_size);
    cursor_limit(&a.c, length);
    *next = a.c.bad || length == 0 ? 0 : (size_t)(a.c.end - s->bytes.data);
    if (*next == 0)
        return false;
    size_t id_at = (size_t)(a.c.p - s->bytes.data);
    uint64_t id = cursor_fixed(&a.c, s->debug_frame ? offset_size : 4);
    uint64_t cie = s->debug_frame ? id : id_at - id;
    if (a.c.bad || (!s->debug_frame && (id == 0 || id > id_at)) || !read_cie(s, cie, &f->cie))
        return false;
    if (f->cie.fde_enc & PE_INDIRECT)
        return false;
    f->lo = get_encoded(&a, f->cie.fde_enc, 0);
    f->hi = f->lo + get_encoded(&a, f->cie.fde_enc & 0x0f, 0);
    if (f->cie.sized)
        cursor_skip(&a.c, cursor_uleb(&a.c));
    f->program = a;
    return !a.c.bad && f->lo < f->hi;
}

static int compare_entries(const void *pa, const void *pb)
{
    const CfiIndexEntry *a = pa, *b = pb;
    return a->lo < b->lo ? -1 : a->lo > b->lo;
}

CfiIndexEntry *cfi_build_index(const CfiSection *s, size_t *n)
{
    VEC(CfiIndexEntry) v = {0};
    size_t next = 0;
    do {
        size_t offset = next;
        Fde f;
        if (read_fde(s, offset, &f, &next) && f.lo > 1)
            vec_push(&v, ((CfiIndexEntry){f.lo, f.hi, offset}));
    } while (next != 0 && next < s->bytes.size);
    if (v.n)
        qsort(v.data, v.n, sizeof *v.data, compare_entries);
    *n = v.n;
    return v.data;
}

/* ---- call frame programs --------------------------------------------------------------- */

enum { MAX_STATES = 8 };

typedef struct Machine {
    const Cie *cie;
    uint64_t loc, target;
    CfiRow *row;
    CfiRow initial; /* after the CIE's program */
    CfiRow saved[MAX_STATES];
    unsigned n_saved;
} Machine;

static void set_rule(Machine *m, uint64_t reg, RegRule r)
{
    if (reg < CFI_REGS)
        m->row->reg[reg] = r;
}

static void set_rule_n(Machine *m, uint64_t reg, RuleKind kind, int64_t n)
{
    set_rule(m, reg, (RegRule){.kind = (uint8_t)kind, .n = n});
}

static void restore_rule(Machine *m, uint64_t reg)
{
    if (reg < CFI_REGS)
        m->row->reg[reg] = m->initial.reg[reg];
}

static CfiExpr get_expr(Cursor *c)
{
    uint64_t n = cursor_uleb(c);
    CfiExpr e = {c->p, n <= cursor_left(c) ? n : 0};
    cursor_skip(c, n);
    return e;
}

/* Offsets are multiplied without a care for overflow, which only bad data have. */
static int64_t scaled(const Machine *m, uint64_t n)
{
    return (int64_t)(n * (uint64_t)m->cie->data_align);
}

static void set_cfa(Machine *m, uint64_t reg, int64_t offset)
{
    m->row->cfa_reg = reg < CFI_REGS ? (unsigned)reg : CFI_REGS;
    m->row->cfa_offset = offset;
    m->row->cfa_expr = (CfiExpr){0};
}

/* Instructions about the CFA and whole rows; false if @p op is none of them. */
static bool run_cfa_op(Machine *m, Cursor *c, unsigned op)
{
    enum { REMEMBER = 0x0a, RESTORE, DEF_CFA, DEF_CFA_REG, DEF_CFA_OFFSET, DEF_CFA_EXPR,
           DEF_CFA_SF = 0x12, DEF_CFA_OFFSET_SF = 0x13 };
    uint64_t reg;
    switch (op) {
    case REMEMBER:
        if (m->n_saved == MAX_STATES)
            c->bad = true;
        else
            m->saved[m->n_saved++] = *m->row;
        return true;
    case RESTORE:
        if (m->n_saved == 0)
            c->bad = true;
        else
            *m->row = m->saved[--m->n_saved];
        return true;
    case DEF_CFA:
        reg = cursor_uleb(c);
        set_cfa(m, reg, (int64_t)cursor_uleb(c));
        return true;
    case DEF_CFA_SF:
        reg = cursor_uleb(c);
        set_cfa(m, reg, scaled(m, (uint64_t)cursor_sleb(c)));
        return true;
    case DEF_CFA_REG: set_cfa(m, cursor_uleb(c), m->row->cfa_offset); return true;
    case DEF_CFA_OFFSET: set_cfa(m, m->row->cfa_reg, (int64_t)cursor_uleb(c)); return true;
    case DEF_CFA_OFFSET_SF:
        set_cfa(m, m->row->cfa_reg, scaled(m, (uint64_t)cursor_sleb(c)));
        return true;
    case DEF_CFA_EXPR: m->row->cfa_expr = get_expr(c); return true;
    default: return false;
    }
}

/* Instructions about one register; false if @p op is none of them. */
static bool run_reg_op(Machine *m, Cursor *c, unsigned op)
{
    enum { OFFSET_EXT = 0x05, RESTORE_EXT, UNDEFINED, SAME, REGISTER, EXPR = 0x10, OFFSET_EXT_SF,
           VAL_OFFSET = 0x14, VAL_OFFSET_SF, VAL_EXPR, GNU_NEGATIVE_OFFSET = 0x2f };
    uint64_t r = cursor_uleb(c);
    switch (op) {
    case OFFSET_EXT: set_rule_n(m, r, RULE_AT_CFA, scaled(m, cursor_uleb(c))); return true;
    case OFFSET_EXT_SF:
        set_rule_n(m, r, RULE_AT_CFA, scaled(m, (uint64_t)cursor_sleb(c)));
        return true;
    case GNU_NEGATIVE_OFFSET:
        set_rule_n(m, r, RULE_AT_CFA, -scaled(m, cursor_uleb(c)));
        return true;
    case VAL_OFFSET: set_rule_n(m, r, RULE_CFA, scaled(m, cursor_uleb(c))); return true;
    case VAL_OFFSET_SF:
        set_rule_n(m, r, RULE_CFA, scaled(m, (uint64_t)cursor_sleb(c)));
        return true;
    case RESTORE_EXT: restore_rule(m, r); return true;
    case UNDEFINED: set_rule_n(m, r, RULE_UNDEFINED, 0); return true;
    case SAME: set_rule_n(m, r, RULE_SAME, 0); return true;
    case REGISTER: set_rule_n(m, r, RULE_REGISTER, (int64_t)(cursor_uleb(c) & 0xff)); return true;
    case EXPR: set_rule(m, r, (RegRule){.kind = RULE_AT_EXPR, .expr = get_expr(c)}); return true;
    case VAL_EXPR: set_rule(m, r, (RegRule){.kind = RULE_EXPR, .expr = get_expr(c)}); return true;
    default: return false;
    }
}

/* Moves the location; false (and the program ends) if that passes the target. */
static bool advance(Machine *m, uint64_t delta)
{
    uint64_t to = m->loc + delta * m->cie->code_align;
    if (to < m->loc || to > m->target)
        return false;
    m->loc = to;
    return true;
}

/* Runs until the location passes the target; false if the program is bad. */
static bool run_program(Machine *m, AddrCursor *a)
{
    enum { NOP = 0, SET_LOC = 1, ADVANCE1 = 2, ADVANCE2 = 3, ADVANCE4 = 4, GNU_ARGS_SIZE = 0x2e };
    Cursor *c = &a->c;
    while (!c->bad && c->p < c->end) {
        unsigned op = (unsigned)cursor_fixed(c, 1), low = op & 0x3f;
        bool within = true;
        switch (op >> 6) {
        case 1: within = advance(m, low); break;
        case 2: set_rule_n(m, low, RULE_AT_CFA, scaled(m, cursor_uleb(c))); break;
        case 3: restore_rule(m, low); break;
        default:
            if (op == ADVANCE1 || op == ADVANCE2 || op == ADVANCE4)
                within = advance(m, cursor_fixed(c, op == ADVANCE4 ? 4 : op - 1));
            else if (op == SET_LOC)
                within = (m->loc = get_encoded(a, m->cie->fde_enc, 0)) <= m->target;
            else if (op == GNU_ARGS_SIZE)
                cursor_uleb(c);
            else if (op != NOP && !run_cfa_op(m, c, op) && !run_reg_op(m, c, op))
                return false;
        }
        if (!within)
            break;
    }
    return !c->bad;
}

bool cfi_read_row(const CfiSection *s, size_t offset, uint64_t vaddr, CfiRow *row)
{
    Fde f;
    size_t next;
    if (!read_fde(s, offset, &f, &next) || vaddr < f.lo || vaddr >= f.hi)
        return false;
    Machine m = {.cie = &f.cie, .loc = f.lo, .target = vaddr, .row = row};
    *row = (CfiRow){.cfa_reg = CFI_REGS, .signal_frame = f.cie.signal_frame};
    if (!run_program(&m, &f.cie.program))
        return false;
    m.initial = *row;
    m.loc = f.lo;
    if (!run_program(&m, &f.program) || (row->cfa_reg >= CFI_REGS && row->cfa_expr.n == 0))
        return false;
    if (f.cie.ra_reg != CFI_RA)
        row->reg[CFI_RA] = row->reg[f.cie.ra_reg];
    return true;
}
