/* SPDX-License-Identifier: MIT */
/*
 * Readers take no lock.  A slot is two words, the rule and (pc ^ mix(rule)); a reader that
 * meets a slot half-way through a change sees words that do not belong together, and takes
 * it for a miss.
 *
 * Rules depend on the modules only: code without a module (a JIT's) has STEP_NO_CFI whatever
 * it is.  So entries go when a module comes or goes at their address.
 */
#include "coregrind/unwind/cfi_cache.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/hashmap.h"
#include "base/ranked_lock.h"
#include "base/vec.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/os/safe_copy.h"
#include "coregrind/unwind/unwind.h"

enum { SLOTS = 1 << CFI_SLOT_BITS, REGION_SHIFT = 20, REGION_BITS = 1 << 12 };

CfiSlot cfi_cache_slots[SLOTS];

/* One bit for each (hashed) MiB that has had entries: most invalidations meet none. */
static _Atomic uint64_t regions[REGION_BITS / 64];

static _Atomic uint64_t n_misses;
uint32_t unwind_modules_generation; /* see unwind_generation() */

typedef struct CfiModule {
    Module *m;
    ModuleCfi cfi;
    bool index_tried;
    CfiSection section;   /* what the index is about */
    CfiIndexEntry *index; /* for what has no search table */
    size_t n_index;
} CfiModule;

static VEC(CfiModule) modules; /* by text_lo; under LOCK_unwind */

/* ---- the cache ------------------------------------------------------------------------- */

static unsigned region_bit(GuestAddr a)
{
    return (unsigned)(hash_mix64(a >> REGION_SHIFT) % REGION_BITS);
}

static void cache_put(GuestAddr pc, FrameRule r)
{
    unsigned bit = region_bit(pc);
    atomic_fetch_or(&regions[bit / 64], 1ull << (bit % 64));
    CfiSlot *s = cfi_cache_slot(pc);
    atomic_store_explicit(&s->rule, r.bits, memory_order_relaxed);
    atomic_store_explicit(&s->check, cfi_cache_check(pc, r.bits), memory_order_relaxed);
}

static bool range_may_be_cached(GuestAddr lo, GuestAddr hi)
{
    if ((hi - lo) >> REGION_SHIFT > REGION_BITS)
        return true;
    for (GuestAddr a = lo & ~((1ull << REGION_SHIFT) - 1); a < hi; a += 1ull << REGION_SHIFT) {
        unsigned bit = region_bit(a);
        if (atomic_load(&regions[bit / 64]) >> (bit % 64) & 1)
            return true;
    }
    return false;
}

static void cache_drop(GuestAddr lo, GuestAddr hi)
{
    if (!range_may_be_cached(lo, hi))
        return;
    for (unsigned i = 0; i < SLOTS; i++) {
        uint64_t rule = atomic_load_explicit(&cfi_cache_slots[i].rule, memory_order_relaxed);
        uint64_t check = atomic_load_explicit(&cfi_cache_slots[i].check, memory_order_relaxed);
        GuestAddr pc = check ^ cfi_cache_check(0, rule);
        if (rule && pc >= lo && pc < hi)
            atomic_store_explicit(&cfi_cache_slots[i].rule, 0, memory_order_relaxed);
    }
}

/* ---- modules --------------------------------------------------------------------------- */

/* Index of the first module with text_hi > a. */
static size_t module_index(GuestAddr a)
{
    size_t lo = 0, hi = modules.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (modules.data[mid].cfi.text_hi > a)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static CfiModule *find_module(GuestAddr pc)
{
    size_t i = module_index(pc);
    return i < modules.n && modules.data[i].cfi.text_lo <= pc ? &modules.data[i] : NULL;
}

static void on_module(Module *m, bool loaded)
{
    CfiModule x = {.m = m};
    if (loaded)
        module_cfi(m, &x.cfi);
    else
        module_text(m, &x.cfi.text_lo, &x.cfi.text_hi);
    lock_take(LOCK_unwind);
    size_t i = module_index(x.cfi.text_lo);
    bool known = i < modules.n && modules.data[i].m == m;
    if (loaded && !known) {
        vec_insert(&modules, i, x);
    } else if (!loaded && known) {
        free(modules.data[i].index);
        vec_remove(&modules, i);
    }
    cache_drop(x.cfi.text_lo, x.cfi.text_hi);
    __atomic_add_fetch(&unwind_modules_generation, 1, __ATOMIC_SEQ_CST);
    lock_release(LOCK_unwind);
}

void cfi_cache_init(void)
{
    static atomic_flag once = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&once))
        return;
    debuginfo_observe(on_module);
    for (Module *m = debuginfo_next_module(NULL); m; m = debuginfo_next_module(m))
        on_module(m, true);
}

uint64_t cfi_cache_misses(void)
{
    return atomic_load(&n_misses);
}

/* ---- rows ------------------------------------------------------------------------------ */

static bool section_at(const CfiModule *x, uint64_t vaddr, CfiSection *s)
{
    *s = (CfiSection){.bytes.vaddr = vaddr};
    s->bytes.data = module_file_bytes(x->m, vaddr, &s->bytes.size);
    return s->bytes.data != NULL;
}

static bool index_module(CfiModule *x, const CfiSection *s)
{
    x->section = *s;
    x->index = cfi_build_index(s, &x->n_index);
    return x->index != NULL;
}

/* For modules without a search table that we can read. */
static void index_some_section(CfiModule *x, uint64_t eh_frame)
{
    CfiSection s;
    x->index_tried = true;
    if (eh_frame && section_at(x, eh_frame, &s) && index_module(x, &s))
        return;
    s = (CfiSection){.bytes = {x->cfi.eh_frame, x->cfi.eh_frame_size, x->cfi.eh_frame_vaddr}};
    if (s.bytes.data && index_module(x, &s))
        return;
    s = (CfiSection){.debug_frame = true};
    if (module_debug_frame(x->m, &s.bytes.data, &s.bytes.size))
        index_module(x, &s);
}

static bool row_by_index(const CfiModule *x, uint64_t vaddr, CfiRow *row)
{
    size_t lo = 0, hi = x->n_index;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (x->index[mid].lo > vaddr)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo > 0 && cfi_read_row(&x->section, x->index[lo - 1].offset, vaddr, row);
}

bool cfi_cache_row(GuestAddr pc, CfiRow *row)
{
    CfiModule *x = find_module(pc);
    if (!x)
        return false;
    uint64_t vaddr = pc - x->cfi.bias, eh_frame = 0, fde = 0;
    CfiBytes hdr = {x->cfi.eh_frame_hdr, x->cfi.eh_frame_hdr_size, x->cfi.eh_frame_hdr_vaddr};
    CfiSection s;
    if (hdr.data && cfi_search_table(&hdr, vaddr, &eh_frame, &fde)) {
        if (fde && fde >= eh_frame && section_at(x, eh_frame, &s) &&
            cfi_read_row(&s, fde - eh_frame, vaddr, row))
            return true;
        eh_frame = 0; /* what the table does not list, the section does not have */
    }
    if (!x->index_tried)
        index_some_section(x, eh_frame);
    return row_by_index(x, vaddr, row);
}

/* ---- from rows to rules ---------------------------------------------------------------- */

/* Writes @p v into a bit field of @p bits bits only if it fits. */
static bool fits(int64_t v, unsigned bits)
{
    return v >= -(1ll << (bits - 1)) && v < 1ll << (bits - 1);
}

/* "register + offset", nothing else. */
static bool match_breg(const uint8_t **p, const uint8_t *end, unsigned *reg, int64_t *offset)
{
    enum { OP_BREG0 = 0x70 };
    uint64_t v = 0;
    unsigned shift = 0;
    if (*p == end || **p < OP_BREG0 || **p >= OP_BREG0 + CFI_REGS)
        return false;
    *reg = (unsigned)(*(*p)++ - OP_BREG0);
    while (*p < end && shift < 35) {
        uint8_t b = *(*p)++;
        v |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
        if (!(b & 0x80)) {
            *offset = (int64_t)(v << (64 - shift)) >> (64 - shift);
            return true;
        }
    }
    return false;
}

/* "what is stored at register + offset, plus add": realigned stacks, some assembly. */
static bool simplify_deref(const CfiExpr *e, FrameRule *r)
{
    enum { OP_DEREF = 0x06, OP_PLUS_UCONST = 0x23, MAX_ADD = 63 };
    const uint8_t *p = e->p, *end = e->p + e->n;
    unsigned reg;
    int64_t offset;
    if (!match_breg(&p, end, &reg, &offset) || p == end || *p++ != OP_DEREF || !fits(offset, 28) ||
        (reg != CFI_RSP && reg != CFI_RBP))
        return false;
    if (end - p == 2 && p[0] == OP_PLUS_UCONST && p[1] <= MAX_ADD)
        r->add = p[1] & MAX_ADD;
    else if (p != end)
        return false;
    r->deref = 1;
    r->from_fp = reg == CFI_RBP;
    r->cfa_offset = (int32_t)offset;
    return true;
}

/* An expression over rsp and rip only, like that of a PLT, is rsp + constant at a given pc. */
static bool simplify_linear(const CfiExpr *e, uint64_t pc, FrameRule *r)
{
    uint64_t reg[CFI_REGS], v[2];
    for (unsigned k = 0; k < 2; k++) {
        /* Different values for every register: the result must follow rsp alone. */
        for (unsigned i = 0; i < CFI_REGS; i++)
            reg[i] = (i + 1) * 0x100000000ull + k * (i + 3) * 0x1000;
        reg[CFI_RA] = pc;
        ExprContext x = {.reg = reg};
        if (!cfi_eval(e, &x, false, 0, &v[k]))
            return false;
        v[k] -= reg[CFI_RSP];
    }
    if (v[0] != v[1] || !fits((int64_t)v[0], 28))
        return false;
    r->cfa_offset = (int32_t)v[0];
    return true;
}

static bool simplify_cfa(const CfiRow *row, uint64_t vaddr, FrameRule *r)
{
    if (row->cfa_expr.n)
        return simplify_deref(&row->cfa_expr, r) || simplify_linear(&row->cfa_expr, vaddr, r);
    if ((row->cfa_reg != CFI_RSP && row->cfa_reg != CFI_RBP) || !fits(row->cfa_offset, 28))
        return false;
    r->from_fp = row->cfa_reg == CFI_RBP;
    r->cfa_offset = (int32_t)row->cfa_offset;
    return true;
}

static bool simplify_fp(const RegRule *fp, FrameRule *r)
{
    int64_t offset = fp->n;
    unsigned reg;
    const uint8_t *p = fp->expr.p, *end = p + fp->expr.n;
    switch ((RuleKind)fp->kind) {
    case RULE_SAME:
    case RULE_UNDEFINED: return true;
    case RULE_AT_CFA: r->fp_rule = FP_AT_CFA; break;
    case RULE_AT_EXPR:
        if (!match_breg(&p, end, &reg, &offset) || p != end || reg != CFI_RBP)
            return false;
        r->fp_rule = FP_AT_FP;
        break;
    default: return false;
    }
    if (!fits(offset, 23))
        return false;
    r->fp_offset = (int32_t)offset;
    return true;
}

static FrameRule rule_of_row(const CfiRow *row, uint64_t vaddr)
{
    FrameRule r = {.bits = 0};
    const RegRule *ra = &row->reg[CFI_RA];
    if (ra->kind == RULE_UNDEFINED) {
        r.kind = STEP_END;
    } else if (!row->signal_frame && ra->kind == RULE_AT_CFA && ra->n == -8 &&
               row->reg[CFI_RSP].kind == RULE_SAME && simplify_cfa(row, vaddr, &r) &&
               simplify_fp(&row->reg[CFI_RBP], &r)) {
        r.kind = STEP_SIMPLE;
    } else {
        r.bits = 0;
        r.kind = STEP_FULL;
    }
    return r;
}

bool cfi_is_sigreturn(GuestAddr pc)
{
    static const uint8_t trampoline[2][9] = {
        {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}, /* mov $15, %rax; syscall */
        {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05},             /* mov $15, %eax; syscall */
    };
    uint8_t code[9];
    return safe_read(pc, code, sizeof code) &&
           (memcmp(code, trampoline[0], 9) == 0 || memcmp(code, trampoline[1], 7) == 0);
}

FrameRule cfi_cache_miss(GuestAddr pc)
{
    atomic_fetch_add_explicit(&n_misses, 1, memory_order_relaxed);
    cfi_cache_init(); /* if nobody called unwind_init() */
    lock_take(LOCK_unwind);
    CfiRow row;
    CfiModule *x = find_module(pc);
    FrameRule r = {.kind = STEP_NO_CFI};
    if (x && cfi_cache_row(pc, &row))
        r = rule_of_row(&row, pc - x->cfi.bias);
    else if (cfi_is_sigreturn(pc + 1))
        r.kind = STEP_FULL;
    cache_put(pc, r);
    lock_release(LOCK_unwind);
    return r;
}
