/* SPDX-License-Identifier: MIT */
/*
 * Fast mode: guest code that runs on the assumption that everything it reads is defined and
 * addressable.  Nothing is computed on V bits; the block tests once that no register it reads
 * is undefined, and before each access to memory that the shadow of what it reads is zero.
 * Where the assumption fails the block leaves to slow mode at the same guest instruction, so
 * this code never reports and never decides anything that slow mode would decide otherwise.
 *
 * When all inputs are defined the definedness rules give defined outputs; so a register that a
 * fast block overwrites is defined afterwards.  Its bit is cleared at the beginning of the
 * stretch of straight code that overwrites it: until then nothing reads it, and if the block is
 * left to slow mode in between, slow mode runs the rest of the same stretch.
 */
#include "base/check.h"
#include "helpers.h"
#include "instrument.h"
#include "modes.h"

/** Loads and stores of more bytes than this are left to slow mode. */
enum { MAX_INLINE_BYTES = 64 };
/** A store this far above the stack pointer is taken to be in a live frame. */
enum { FRAME_REACH = 1 << 16 };

/** Register use of a block, by stretches that end with an exit. */
typedef struct Usage {
    uint32_t need;     /**< read before they are overwritten */
    uint32_t written;  /**< overwritten so far */
    uint32_t *clear;   /**< by stretch: bits to be cleared at its start */
    unsigned n_stretch;
} Usage;

/* ---- which registers a block reads and writes --------------------------------------- */

static void use_reads(Usage *u, uint32_t bits)
{
    u->need |= bits & ~u->written;
}

static void use_writes(Usage *u, uint32_t bits)
{
    /* Registers that share a bit must be defined even to be overwritten: see regmask.h. */
    use_reads(u, bits & RM_GROUP);
    bits &= ~u->need & ~u->written;
    u->clear[u->n_stretch] |= bits;
    u->written |= bits;
}

static void use_of_native(Usage *u, const NativeInsn *n)
{
    uint32_t flags = regmask_bit(gimle_guest->flags);
    for (unsigned k = 0; k < n->n_ops; k++) {
        const NativeOp *o = &n->op[k];
        bool whole = o->offset == 0 && o->wsize >= gimle_reg_size(o->reg) && !(o->access & NA_COND);
        if ((o->access & NA_READ) || ((o->access & NA_WRITE) && !whole))
            use_reads(u, regmask_bit(o->reg));
    }
    if (n->cc_read || (n->flags & NF_FLAGS_MAYBE))
        use_reads(u, flags);
    for (unsigned k = 0; k < n->n_ops; k++)
        if (n->op[k].access & NA_WRITE)
            use_writes(u, regmask_bit(n->op[k].reg));
    if (n->cc_write & 0x40) /* ZF: all but carry or overflow alone */
        use_writes(u, flags);
}

static void use_of_insn(Usage *u, const IrBlock *b, const IrInsn *i)
{
    switch (i->op) {
    case OP_GET:
        use_reads(u, regmask_bit(i->aux));
        break;
    case OP_PUT: {
        bool whole = b->insn[i->arg[0]].type == TY_FLAGS ||
                     ir_type_size((IrType)b->insn[i->arg[0]].type) >= gimle_reg_size(i->aux);
        if (!whole)
            use_reads(u, regmask_bit(i->aux));
        use_writes(u, regmask_bit(i->aux));
        break;
    }
    case OP_NATIVE:
        use_of_native(u, b->native[i->aux]);
        break;
    case OP_EXIT_IF:
        u->clear[++u->n_stretch] = 0;
        break;
    default:
        break;
    }
}

/* ---- checks of memory --------------------------------------------------------------- */

/** Size of the next piece of @p left bytes, a power of two up to 8. */
static unsigned piece(unsigned left)
{
    return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/** I1: some shadow byte of [m, m+size) is not zero. */
static IrRef shadow_nonzero(Instr *x, IrMem m, unsigned size)
{
    IrBlock *b = x->b;
    IrRef all = IR_NONE;
    for (unsigned at = 0, n; at < size; at += n) {
        n = piece(size - at);
        IrRef s = ir_load(b, SPACE_SHADOW, ir_type_of_size(n), mem_at(m, at));
        if (n < 8 && size > n)
            s = ir_unop(b, OP_ZEXT, TY_I64, s);
        all = all == IR_NONE ? s : ir_binop(b, OP_OR, all, s);
    }
    return nonzero(b, all);
}

/** Leave to slow mode at the present instruction if @p cond. */
static void leave_if(Instr *x, IrRef cond)
{
    ir_exit_if(x->b, cond, x->at, JK_BORING, MODE_SLOW);
}

static void check_load(Instr *x, IrMem m, unsigned size)
{
    leave_if(x, shadow_nonzero(x, m, size));
}

/** The bytes are known to be addressable: they become defined. */
static void define(Instr *x, IrMem m, unsigned size)
{
    for (unsigned at = 0, n; at < size; at += n) {
        n = piece(size - at);
        ir_store(x->b, SPACE_SHADOW, mem_at(m, at), ir_const(x->b, ir_type_of_size(n), 0));
    }
}

/** In cold code: leave unless each shadow byte of the piece is 0 or 0xFF. */
static void leave_unless_plain(Instr *x, IrMem m, unsigned n)
{
    IrBlock *b = x->b;
    IrType t = ir_type_of_size(n);
    IrRef s = ir_load(b, SPACE_SHADOW, t, m);
    IrRef low = ir_binop(b, OP_AND, s, ir_const(b, t, 0x0101010101010101ULL));
    /* low * 255: each byte that was 0xFF is so again */
    IrRef spread;
    if (n == 1)
        spread = ir_unop(b, OP_NEG, t, low);
    else
        spread = ir_binop(b, OP_SUB, ir_binop(b, OP_SHL, low, ir_const(b, TY_I8, 8)), low);
    leave_if(x, ir_cmp(b, OP_CMPNE, spread, s));
}

static void check_store(Instr *x, IrMem m, unsigned size)
{
    ir_cold_begin(x->b, shadow_nonzero(x, m, size));
    for (unsigned at = 0, n; at < size; at += n) {
        n = piece(size - at);
        leave_unless_plain(x, mem_at(m, at), n);
    }
    define(x, m, size);
    ir_cold_end(x->b);
}

/** Checks for an access to [m, m+size), @p src its operand in terms of the source block. */
static void check_access(Instr *x, IrMem m, IrMem src, unsigned size, unsigned access)
{
    int64_t off;
    if (access & NA_READ)
        check_load(x, m, size);
    else if (instr_sp_relative(x, &src, &off) && off >= -(int64_t)gimle_guest->red_zone &&
             off < FRAME_REACH)
        define(x, m, size);
    else
        check_store(x, m, size);
}

/* ---- the block ---------------------------------------------------------------------- */

/** Can fast code check this instruction's memory operand before it runs? */
static bool native_is_checkable(const NativeInsn *n)
{
    if (n->mem_access == 0)
        return !(n->flags & NF_VSIB);
    return !(n->flags & (NF_MASKED_MEM | NF_VSIB)) && n->mem_size > 0 &&
           n->mem_size <= MAX_INLINE_BYTES;
}

/** Must this instruction run in slow mode? */
static bool wants_slow(const IrBlock *b, const IrInsn *i)
{
    return i->op == OP_NATIVE ? !native_is_checkable(b->native[i->aux])
                              : i->op == OP_CALL && i->callee->kind == CALLEE_FULL;
}

/** Length of the part of the block that can run in fast mode, and its use of registers. */
static uint32_t measure(const IrBlock *src, Usage *u)
{
    uint32_t start = 0;
    for (uint32_t i = 0; i < src->n; i++) {
        if (src->insn[i].op == OP_IMARK)
            start = i;
        if (wants_slow(src, &src->insn[i]))
            return start;
        use_of_insn(u, src, &src->insn[i]);
    }
    return src->n;
}

/** Test on entry: leave if a register that is read may be undefined. */
static void emit_entry(Instr *x, const Usage *u)
{
    IrBlock *b = x->b;
    uint32_t clear = u->clear[0];
    if ((u->need | clear) == 0)
        return;
    IrRef mask = ir_get(b, TY_I32, REG_TOOL(TW_UNDEFINED));
    IrRef hit = nonzero(b, ir_binop(b, OP_AND, mask, ir_const(b, TY_I32, u->need | clear)));
    if (clear == 0) {
        leave_if(x, hit);
        return;
    }
    ir_cold_begin(b, hit);
    if (u->need)
        leave_if(x, nonzero(b, ir_binop(b, OP_AND, mask, ir_const(b, TY_I32, u->need))));
    ir_put(b, REG_TOOL(TW_UNDEFINED), ir_binop(b, OP_AND, mask, ir_const(b, TY_I32, ~clear)));
    ir_cold_end(b);
}

/** A stretch after an exit begins. */
static void emit_clear(Instr *x, uint32_t clear)
{
    if (clear == 0)
        return;
    IrRef mask = ir_get(x->b, TY_I32, REG_TOOL(TW_UNDEFINED));
    ir_put(x->b, REG_TOOL(TW_UNDEFINED),
           ir_binop(x->b, OP_AND, mask, ir_const(x->b, TY_I32, ~clear)));
}

static void emit_native(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    const NativeInsn *n = x->src->native[in->aux];
    if (n->mem_access)
        check_access(x, ir_copy_mem(&x->copier, i), ir_mem_of(in), n->mem_size, n->mem_access);
    bool sp = native_writes_sp(n);
    IrRef old = sp ? instr_sp_before_native(x, n) : IR_NONE;
    ir_copy_insn(&x->copier, i);
    if (sp)
        instr_sp_after_native(x, n, old);
}

static void emit_insn(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    switch (in->op) {
    case OP_IMARK:
        instr_flush_puts(x);
        x->at = in->imm;
        ir_copy_insn(&x->copier, i);
        return;
    case OP_PUT:
        instr_defer_put(x, i, IR_NONE);
        return;
    case OP_JUMP:
    case OP_JUMP_IND:
        x->is_call = in->sub == JK_CALL;
        instr_flush_puts(x);
        break;
    case OP_GET:
    case OP_EXIT_IF:
        instr_flush_puts(x);
        break;
    case OP_LOAD:
        if (in->space == SPACE_GUEST)
            check_access(x, ir_copy_mem(&x->copier, i), ir_mem_of(in),
                         ir_type_size((IrType)in->type), NA_READ);
        break;
    case OP_STORE:
        if (in->space == SPACE_GUEST)
            check_access(x, ir_copy_mem(&x->copier, i), ir_mem_of(in),
                         ir_type_size(type_of(x->src, in->arg[2])), NA_WRITE);
        break;
    case OP_NATIVE:
        emit_native(x, i);
        return;
    default:
        break;
    }
    instr_track_sp(x, i);
    ir_copy_insn(&x->copier, i);
}

IrBlock *fast_instrument(void *ctx, IrBlock *src, struct Arena *arena)
{
    (void)ctx;
    Usage u = { .clear = arena_array(arena, uint32_t, src->n + 1) };
    uint32_t n = measure(src, &u);
    Instr x;
    instr_init(&x, src, arena);
    unsigned stretch = 0;
    bool entered = false;
    for (uint32_t i = 0; i < n; i++) {
        emit_insn(&x, i);
        if (src->insn[i].op == OP_IMARK && !entered) {
            instr_count(&x, MODE_FAST);
            emit_entry(&x, &u);
            entered = true;
        } else if (src->insn[i].op == OP_EXIT_IF) {
            emit_clear(&x, u.clear[++stretch]);
        }
    }
    if (n < src->n) {
        instr_flush_puts(&x);
        x.b->flags_live_out = true;
        ir_jump(x.b, src->insn[n].imm, JK_BORING, MODE_SLOW);
    }
    return x.b;
}
