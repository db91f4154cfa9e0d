/* SPDX-License-Identifier: MIT */
/*
 * Walking a stack.  The quick walk needs two registers a frame, stack and frame pointer, and
 * one cached rule; when it meets a frame whose rule needs more (a signal frame, the dynamic
 * linker's trampolines), the walk starts again with the whole register file.
 *
 * Frames without call frame information are passed by the frame pointer, if what that finds
 * looks like a return address.
 */
#include "coregrind/unwind/unwind.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/ranked_lock.h"
#include "coregrind/os/guarded_load.h"
#include "coregrind/os/safe_copy.h"
#include "coregrind/unwind/cfi_cache.h"

enum { WINDOW = 1024, LOWEST_CODE = 4096, GPR_RSP = 4, GPR_RBP = 5 };

static _Atomic uint64_t n_slow_walks;

/* ---- memory ---------------------------------------------------------------------------- */

/* The stack is read directly; the last piece of other memory that was read is kept. */
typedef struct Reader {
    GuestAddr lo, hi;
    UnwindLog *log; /* of the quick walk, or NULL */
    GuestAddr log_base;
    GuestAddr window_lo, window_hi;
    uint8_t window[WINDOW];
} Reader;

/* The walk depends on more than the words of the stack that are logged. */
static void log_cannot_tell(Reader *r)
{
    if (r->log)
        r->log->incomplete = true;
}

static bool read_elsewhere(Reader *r, GuestAddr a, uint64_t *out)
{
    log_cannot_tell(r);
    if (a < r->window_lo || a + sizeof *out > r->window_hi) {
        if (a + sizeof *out < a)
            return false;
        r->window_lo = a;
        r->window_hi = a + safe_read_some(a, r->window, WINDOW);
        if (r->window_hi < a + sizeof *out)
            return false;
    }
    memcpy(out, r->window + (a - r->window_lo), sizeof *out);
    return true;
}

/* The client may have taken parts of its stack away. */
static inline bool read_word(Reader *r, GuestAddr a, uint64_t *out)
{
    if (__builtin_expect(a >= r->lo && a < r->hi && r->hi - a >= sizeof *out, 1) && guarded_load(a, out))
        return true;
    return read_elsewhere(r, a, out);
}

/* The walk depends on @p v at @p a. */
static inline void log_word(Reader *r, GuestAddr a, uint64_t v)
{
    UnwindLog *log = r->log;
    if (!log)
        return;
    if (log->n < UNWIND_LOG_WORDS && a - r->log_base <= UINT32_MAX) {
        log->offset[log->n] = (uint32_t)(a - r->log_base);
        log->value[log->n++] = v;
    } else {
        log->incomplete = true;
    }
}

/* ---- frames without frame information ---------------------------------------------------- */

/* Do the bytes before @p ra end in a call instruction (E8 rel32, or FF /2 of any length)? */
static bool follows_call(GuestAddr ra)
{
    enum { BACK = 7 };
    static const struct { uint8_t length, mask, modrm; } indirect[] = {
        {2, 0xf8, 0xd0}, {2, 0xf8, 0x10}, {3, 0xf8, 0x50}, {3, 0xff, 0x14},
        {4, 0xff, 0x54}, {6, 0xf8, 0x90}, {6, 0xff, 0x15}, {7, 0xff, 0x94},
    };
    uint8_t b[BACK];
    if (ra < LOWEST_CODE || !safe_read(ra - BACK, b, BACK))
        return false;
    if (b[BACK - 5] == 0xe8)
        return true;
    for (size_t i = 0; i < sizeof indirect / sizeof *indirect; i++) {
        const uint8_t *p = b + BACK - indirect[i].length;
        if (p[0] == 0xff && (p[1] & indirect[i].mask) == indirect[i].modrm)
            return true;
    }
    return false;
}

static bool is_return_address(GuestAddr ra)
{
    if (ra < LOWEST_CODE)
        return false;
    return cfi_cache_rule(ra - 1).kind != STEP_NO_CFI || follows_call(ra);
}

/*
 * The caller's pc, sp and fp for code without frame information.  In the innermost frame the
 * return address may still be on top of the stack: at the target of a wild jump, or in a
 * function that makes no frame.
 */
static bool step_by_fp(Reader *r, bool innermost, GuestAddr *ra, uint64_t *sp, uint64_t *fp)
{
    uint64_t next, at = *fp;
    log_cannot_tell(r); /* looks at code, too */
    if (innermost && read_word(r, *sp, &next) && is_return_address(next)) {
        *ra = next;
        *sp += 8;
        return true;
    }
    if (at < *sp || (at & 7) || !read_word(r, at, &next) || !read_word(r, at + 8, ra) ||
        (next != 0 && next <= at) || !is_return_address(*ra))
        return false;
    *fp = next;
    *sp = at + 16;
    return true;
}

/* ---- the quick walk ---------------------------------------------------------------------- */

/*
 * *fp_from is where *fp was saved, 0 if it is the register of the innermost frame, FP_LOGGED if the
 * log has it: a saved value matters only if some frame uses it, and most hold something else.
 */
enum { FP_LOGGED = 1 };

static inline void use_fp(Reader *r, uint64_t fp, GuestAddr *fp_from)
{
    if (!r->log || *fp_from == FP_LOGGED)
        return;
    if (*fp_from)
        log_word(r, *fp_from, fp);
    else
        r->log->fp_matters = true;
    *fp_from = FP_LOGGED;
}

static inline bool step_simple(Reader *r, FrameRule rule, GuestAddr *ra, uint64_t *sp, uint64_t *fp,
                               GuestAddr *fp_from)
{
    if (rule.from_fp || rule.fp_rule == FP_AT_FP)
        use_fp(r, *fp, fp_from);
    uint64_t cfa = (rule.from_fp ? *fp : *sp) + (uint64_t)(int64_t)rule.cfa_offset;
    if (rule.deref) {
        GuestAddr at = cfa;
        if (!read_word(r, at, &cfa))
            return false;
        log_word(r, at, cfa);
        cfa += rule.add;
    } else if (cfa <= *sp) {
        return false;
    }
    uint64_t saved = *fp;
    if (rule.fp_rule != FP_SAME) {
        GuestAddr at = (rule.fp_rule == FP_AT_CFA ? cfa : *fp) + (uint64_t)(int64_t)rule.fp_offset;
        if (!read_word(r, at, &saved))
            return false;
        *fp_from = at;
    }
    if (!read_word(r, cfa - 8, ra))
        return false;
    log_word(r, cfa - 8, *ra);
    if (r->log && r->log->n_callers < UNWIND_LOG_CALLERS)
        r->log->caller[r->log->n_callers++] = (uint32_t)(cfa - 8 - r->log_base);
    *sp = cfa;
    *fp = saved;
    return true;
}

/* Returns 0 if a frame needs the full walk. */
static unsigned quick_walk(const UnwindRegs *regs, GuestAddr *pcs, unsigned max, GuestAddr *sps,
                           Reader *r)
{
    uint64_t sp = regs->gpr[GPR_RSP], fp = regs->gpr[GPR_RBP];
    GuestAddr ra = regs->pc, look = regs->pc;
    GuestAddr fp_from = 0;
    for (unsigned n = 0;; look = ra - 1) {
        pcs[n] = ra;
        if (sps)
            sps[n] = sp;
        if (++n == max)
            return n;
        FrameRule rule = cfi_cache_rule(look);
        bool ok;
        if (__builtin_expect(rule.kind == STEP_SIMPLE, 1))
            ok = step_simple(r, rule, &ra, &sp, &fp, &fp_from);
        else if (rule.kind == STEP_FULL)
            return 0;
        else
            ok = rule.kind == STEP_NO_CFI && step_by_fp(r, n == 1, &ra, &sp, &fp);
        if (!ok || ra < LOWEST_CODE)
            return n;
    }
}

/* ---- the full walk ----------------------------------------------------------------------- */

typedef struct FullFrame {
    uint64_t reg[CFI_REGS]; /* CFI_RA: pc */
    GuestAddr look;         /* the address whose rules hold */
} FullFrame;

static bool load_for_expr(void *arg, uint64_t addr, unsigned size, uint64_t *out)
{
    if (!read_word(arg, addr, out))
        return false;
    if (size < 8)
        *out &= (1ull << (8 * size)) - 1;
    return true;
}

static bool apply_rule(const RegRule *rule, const ExprContext *x, Reader *r, uint64_t cfa,
                       uint64_t *value)
{
    uint64_t at;
    switch ((RuleKind)rule->kind) {
    case RULE_AT_CFA: return read_word(r, cfa + (uint64_t)rule->n, value);
    case RULE_CFA: *value = cfa + (uint64_t)rule->n; return true;
    case RULE_AT_EXPR: return cfi_eval(&rule->expr, x, true, cfa, &at) && read_word(r, at, value);
    case RULE_EXPR: return cfi_eval(&rule->expr, x, true, cfa, value);
    case RULE_REGISTER:
        if (rule->n >= CFI_REGS)
            return false;
        *value = x->reg[rule->n];
        return true;
    default: return true;
    }
}

static bool step_by_row(FullFrame *f, const CfiRow *row, Reader *r)
{
    ExprContext x = {.reg = f->reg, .load = load_for_expr, .arg = r};
    uint64_t cfa = row->cfa_expr.n ? 0 : f->reg[row->cfa_reg] + (uint64_t)row->cfa_offset;
    if (row->reg[CFI_RA].kind == RULE_UNDEFINED ||
        (row->cfa_expr.n && !cfi_eval(&row->cfa_expr, &x, false, 0, &cfa)))
        return false;
    FullFrame next = *f;
    next.reg[CFI_RSP] = cfa;
    for (unsigned i = 0; i < CFI_REGS; i++)
        if (!apply_rule(&row->reg[i], &x, r, cfa, &next.reg[i]) && (i == CFI_RA || i == CFI_RSP))
            return false;
    next.look = next.reg[CFI_RA] - !row->signal_frame;
    /* No progress: the same frame for ever. */
    if (next.reg[CFI_RSP] == f->reg[CFI_RSP] && next.look == f->look)
        return false;
    *f = next;
    return true;
}

/* The kernel's signal frame: the trampoline was entered with sp at the ucontext. */
static bool step_sigreturn(FullFrame *f, Reader *r)
{
    enum { GREGS = 40 };
    static const uint8_t order[CFI_REGS] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, CFI_RBP, CFI_RBX,
                                            1, 0, 2, CFI_RSP, CFI_RA};
    FullFrame next = *f;
    for (unsigned i = 0; i < CFI_REGS; i++)
        if (!read_word(r, f->reg[CFI_RSP] + GREGS + 8 * i, &next.reg[order[i]]))
            return false;
    next.look = next.reg[CFI_RA];
    *f = next;
    return true;
}

static bool full_step(FullFrame *f, bool innermost, Reader *r)
{
    CfiRow row;
    lock_take(LOCK_unwind);
    bool has_row = cfi_cache_row(f->look, &row);
    bool ok = has_row && step_by_row(f, &row, r);
    lock_release(LOCK_unwind);
    if (has_row)
        return ok;
    if (cfi_is_sigreturn(f->look + 1))
        return step_sigreturn(f, r);
    if (!step_by_fp(r, innermost, &f->reg[CFI_RA], &f->reg[CFI_RSP], &f->reg[CFI_RBP]))
        return false;
    f->look = f->reg[CFI_RA] - 1;
    return true;
}

static unsigned full_walk(const UnwindRegs *regs, GuestAddr *pcs, unsigned max, GuestAddr *sps,
                          Reader *r)
{
    /* DWARF's number of each register of UnwindRegs.gpr. */
    static const uint8_t dwarf_reg[16] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
    FullFrame f = {.look = regs->pc};
    for (unsigned i = 0; i < 16; i++)
        f.reg[dwarf_reg[i]] = regs->gpr[i];
    f.reg[CFI_RA] = regs->pc;
    for (unsigned n = 0;;) {
        pcs[n] = n == 0 ? regs->pc : f.look + 1;
        if (sps)
            sps[n] = f.reg[CFI_RSP];
        if (++n == max || !full_step(&f, n == 1, r) || f.look < LOWEST_CODE)
            return n;
    }
}

/* ---- public ------------------------------------------------------------------------------ */

void unwind_init(void)
{
    cfi_cache_init();
}

static unsigned walk(const UnwindRegs *regs, GuestAddr *pcs, unsigned max, GuestAddr *sps,
                     Reader *r)
{
    if (max == 0)
        return 0;
    unsigned n = quick_walk(regs, pcs, max, sps, r);
    if (n)
        return n;
    atomic_fetch_add_explicit(&n_slow_walks, 1, memory_order_relaxed);
    log_cannot_tell(r);
    return full_walk(regs, pcs, max, sps, r);
}

/* The window's bytes need no initial value. */
static inline void reader_start(Reader *r, GuestAddr lo, GuestAddr hi)
{
    r->lo = lo;
    r->hi = hi;
    r->log = NULL;
    r->window_lo = r->window_hi = 0;
}

unsigned unwind_stack(const UnwindRegs *regs, GuestAddr *pcs, unsigned max, GuestAddr *sps,
                      GuestAddr stack_lo, GuestAddr stack_hi)
{
    Reader r;
    reader_start(&r, stack_lo, stack_hi);
    return walk(regs, pcs, max, sps, &r);
}

unsigned unwind_stack_logged(const UnwindRegs *regs, GuestAddr *pcs, unsigned max,
                             GuestAddr stack_lo, GuestAddr stack_hi, UnwindLog *log)
{
    Reader r;
    reader_start(&r, stack_lo, stack_hi);
    log->n = log->n_callers = 0;
    log->generation = unwind_generation();
    log->incomplete = log->fp_matters = false;
    r.log = log;
    r.log_base = regs->gpr[GPR_RSP];
    return walk(regs, pcs, max, NULL, &r);
}


UnwindStats unwind_stats(void)
{
    return (UnwindStats){cfi_cache_misses(), atomic_load(&n_slow_walks)};
}
