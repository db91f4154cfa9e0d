/* SPDX-License-Identifier: MIT */
/*
 * Carry mode: fast mode for code that moves undefined values along without looking at them
 * (copies of structures with padding, saved and restored registers).  Registers are where fast
 * mode has them.  A plain move from memory, to memory or between registers takes the shadow along;
 * whatever else reads a register that may be undefined leaves to slow mode at that instruction.
 * Fast code comes here where such a move fails its check; a carry block goes on in fast mode.
 *
 * The shadow registers in the state and the bits of the mask are as in the other modes: a
 * register's shadow counts only while its bit is set.
 *
 * Order towards other threads: the shadow of what a move loads is read after the data, the shadow
 * of what it stores is written before.  Where that shadow is nobody's the load is left to slow mode,
 * which runs it again.
 */
#include "base/check.h"
#include "checks.h"
#include "helpers.h"
#include "modes.h"

typedef struct Carry {
    Instr x;
    MoveInfo moves;
    uint32_t known; /**< registers whose bit is clear at this point of the block */
    uint8_t plain[32]; /**< by bit: so many low bytes of the shadow are not the reserved pattern */
} Carry;

static IrRef mask_now(IrBlock *b) { return ir_get(b, TY_I32, REG_TOOL(TW_UNDEFINED)); }

/** The bits @p bits of the mask (I32). */
static IrRef mask_bits(IrBlock *b, uint32_t bits)
{
    return ir_binop(b, OP_AND, mask_now(b), ir_const(b, TY_I32, bits));
}

static IrRef as_i64(IrBlock *b, IrRef v)
{
    return type_of(b, v) == TY_I64 ? v : ir_unop(b, OP_ZEXT, TY_I64, v);
}

static IrRef bit_if(IrBlock *b, uint32_t bit, IrRef cond)
{
    return ir_binop(b, OP_AND, ir_unop(b, OP_SEXT, TY_I32, cond), ir_const(b, TY_I32, bit));
}

static void clear_bits(IrBlock *b, uint32_t bits) { ir_put(b, REG_TOOL(TW_UNDEFINED), mask_bits(b, ~bits)); }

/** Set @p set (I32), which is @p bit or nothing; the shadow of its register has been written. */
static void set_bit(IrBlock *b, uint32_t bit, IrRef set)
{
    ir_put(b, REG_TOOL(TW_UNDEFINED), ir_binop(b, OP_OR, mask_now(b), set));
    IrRef stale = ir_get(b, TY_I32, REG_TOOL(TW_STALE));
    ir_put(b, REG_TOOL(TW_STALE), ir_binop(b, OP_OR, stale, ir_const(b, TY_I32, bit)));
}

/** Clear @p bit, which is set, if @p v is zero. */
static void clear_bit_if_zero(IrBlock *b, uint32_t bit, IrRef v)
{
    IrRef is_zero = ir_cmp(b, OP_CMPEQ, v, ir_const(b, type_of(b, v), 0));
    IrRef rest = ir_unop(b, OP_NOT, TY_I32, bit_if(b, bit, is_zero));
    ir_put(b, REG_TOOL(TW_UNDEFINED), ir_binop(b, OP_AND, mask_now(b), rest));
}

/** Set or clear @p bit as @p any (I1) says. */
static void update_bit(IrBlock *b, uint32_t bit, IrRef any)
{
    clear_bits(b, bit);
    set_bit(b, bit, bit_if(b, bit, any));
}

/* ---- shadow registers --------------------------------------------------------------- */

static IrMem shadow_reg(RegId r, unsigned at)
{
    return (IrMem){ IR_NONE, IR_NONE, 0, gimle_reg_offset(REG_SHADOW_OF(r)) + at };
}

static IrRef reg_piece(IrBlock *b, RegId r, unsigned at, unsigned n)
{
    return ir_load(b, SPACE_STATE, ir_type_of_size(n), shadow_reg(r, at));
}

/** Bytes of a vector register that the host can make undefined. */
static unsigned vec_bytes(void) { return __builtin_cpu_supports("avx512f") ? 64 : 32; }

/** Where the V bits of a moved value come from: memory, or a register. */
typedef struct Source {
    const Move *move;
    IrMem mem;        /**< MOVE_LOAD */
    bool pop;         /**< MOVE_LOAD: by POP */
    IrRef undefined;  /**< MOVE_REG: I64, all ones if its shadow counts; IR_NONE: it is defined */
    IrRef kept;       /**< I64: likewise the destination's (for what the move keeps) */
} Source;

/** I64: all ones if the shadow of the register with @p bit counts. */
static IrRef counts(IrBlock *b, uint32_t bit)
{
    return ir_unop(b, OP_SEXT, TY_I64, nonzero(b, mask_bits(b, bit)));
}

/** I64: V bits of word @p at (a multiple of 8) of the destination after the move. */
static IrRef moved_word(IrBlock *b, const Source *s, unsigned at)
{
    const Move *m = s->move;
    bool moved = at >= m->dst_at && at < m->dst_at + m->size;
    if (!moved && (at >= 16 ? m->keeps_above : m->keeps_words))
        return ir_binop(b, OP_AND, s->kept, reg_piece(b, m->dst, at, 8));
    if (!moved)
        return c64(b, 0);
    at -= m->dst_at;
    unsigned n = next_piece(m->size - at);
    if (m->kind == MOVE_LOAD)
        return as_i64(b, ir_load(b, SPACE_SHADOW, ir_type_of_size(n), mem_at(s->mem, at)));
    if (s->undefined == IR_NONE)
        return c64(b, 0);
    return ir_binop(b, OP_AND, s->undefined, as_i64(b, reg_piece(b, m->src, m->src_at + at, n)));
}

/** In cold code: the destination's shadow as the move @p s leaves it. I64: not zero if some bit of it is not. */
static IrRef write_shadow(IrBlock *b, const Source *s)
{
    const Move *m = s->move;
    IrRef any = IR_NONE;
    unsigned size = m->vec ? vec_bytes() : 8;
    for (unsigned at = 0; at < size; at += 8) {
        IrRef v = moved_word(b, s, at);
        ir_store(b, SPACE_STATE, shadow_reg(m->dst, at), v);
        any = any == IR_NONE ? v : ir_binop(b, OP_OR, any, v);
    }
    return any;
}

/* ---- origins ------------------------------------------------------------------------ */

static RegId origin_word(RegId r) { return REG_TOOL(mc_origin_word(regmask_bit(r))); }

/** In cold code: where the undefined bits of the moved value come from, if anyone may ask. */
static void write_origin(Instr *x, const Source *s)
{
    IrBlock *b = x->b;
    const Move *m = s->move;
    if (!mc_options.track_origins)
        return;
    if (m->kind == MOVE_LOAD)
        ir_put(b, origin_word(m->dst),
               s->pop ? instr_popped_origin(x, s->mem, IR_NONE) : mem_address(b, s->mem));
    else if (s->undefined != IR_NONE)
        ir_put(b, origin_word(m->dst), ir_get(b, TY_I64, origin_word(m->src)));
}

/* ---- moves -------------------------------------------------------------------------- */

/** In cold code: leave if some byte of what is loaded is nobody's, or looks so. */
static void leave_if_nobodys(Instr *x, IrMem m, unsigned size)
{
    IrBlock *b = x->b;
    for (unsigned at = 0, n; at < size; at += n) {
        n = next_piece(size - at);
        IrRef s = ir_load(b, SPACE_SHADOW, ir_type_of_size(n), mem_at(m, at));
        leave_if(x, has_pattern(b, s), MODE_SLOW, REASON_MOVE);
    }
}

/** May NATIVE @p i, a load into @p dst, run again?  Then one look at the shadow, after it, is enough. */
static bool is_repeatable(const IrBlock *b, IrRef i, RegId dst)
{
    for (int k = 0; k < 2; k++) {
        IrRef a = b->insn[i].arg[k];
        if (a != IR_NONE && b->insn[a].op != OP_CONST &&
            (b->insn[a].op != OP_GET || b->insn[a].aux == dst))
            return false;
    }
    return true;
}

/** Before a load that cannot be repeated. */
static void before_load(Carry *c, IrMem m, unsigned size)
{
    Instr *x = &c->x;
    ir_cold_begin(x->b, nonzero(x->b, shadow_union(x, m, size)));
    leave_if_nobodys(x, m, size);
    ir_cold_end(x->b);
}

/** After the load by @p move from @p m; @p looked: by before_load(); @p pop: it is a POP's. */
static void after_load(Carry *c, const Move *move, IrMem m, bool looked, bool pop)
{
    IrBlock *b = c->x.b;
    uint32_t bit = regmask_bit(move->dst), doubtful = bit & ~c->known;
    if (doubtful && !move->keeps_above)
        clear_bits(b, bit);
    IrRef all = shadow_union(&c->x, m, move->size);
    if (doubtful && move->keeps_above)
        all = ir_binop(b, OP_OR, as_i64(b, all), as_i64(b, mask_bits(b, bit)));
    ir_cold_begin(b, nonzero(b, all));
    if (!looked)
        leave_if_nobodys(&c->x, m, move->size);
    Source s = { .move = move, .mem = m, .pop = pop, .undefined = IR_NONE,
                 .kept = move->keeps_above ? counts(b, bit) : IR_NONE };
    IrRef any = write_shadow(b, &s);
    if (move->keeps_above)
        update_bit(b, bit, nonzero(b, any));
    else
        set_bit(b, bit, ir_const(b, TY_I32, bit));
    write_origin(&c->x, &s);
    ir_cold_end(b);
    c->known &= ~bit;
    c->plain[__builtin_ctz(bit)] = move->vec ? move->size : 8;
}

/** Before a move from register to register. */
static void reg_move(Carry *c, const Move *move)
{
    IrBlock *b = c->x.b;
    uint32_t from = regmask_bit(move->src), to = regmask_bit(move->dst);
    bool keeps = move->keeps_above && !(c->known & to);
    c->plain[__builtin_ctz(to)] = move->vec ? 0 : c->plain[__builtin_ctz(from)];
    if (!keeps && to != from && !(c->known & to)) {
        clear_bits(b, to);
        c->known |= to;
    }
    if ((c->known & from) && !keeps)
        return;
    ir_cold_begin(b, nonzero(b, mask_bits(b, keeps ? from | to : from)));
    Source s = { .move = move, .undefined = IR_NONE, .kept = IR_NONE };
    if (!(c->known & from))
        s.undefined = counts(b, from);
    if (move->keeps_above)
        s.kept = counts(b, to);
    update_bit(b, to, nonzero(b, write_shadow(b, &s)));
    write_origin(&c->x, &s);
    ir_cold_end(b);
    c->known &= ~to;
}

/** Before dst op= constant. */
static void bit_op(Carry *c, const Move *m)
{
    IrBlock *b = c->x.b;
    uint32_t bit = regmask_bit(m->dst);
    IrType t = ir_type_of_size(m->size);
    if (bit & c->known)
        return;
    ir_cold_begin(b, nonzero(b, mask_bits(b, bit)));
    IrRef operand = ir_const(b, m->op == OP_AND ? t : TY_I8, m->operand);
    IrRef v = ir_binop(b, (IrOp)m->op, reg_piece(b, m->dst, 0, m->size), operand);
    if (m->flags_live)
        leave_if(&c->x, nonzero(b, v), MODE_SLOW, REASON_USE);
    if (!m->discards) {
        v = as_i64(b, v);
        if (m->size < 4) {
            uint64_t kept = ~((1ULL << (8 * m->size)) - 1);
            IrRef old = ir_binop(b, OP_AND, reg_piece(b, m->dst, 0, 8), c64(b, kept));
            v = ir_binop(b, OP_OR, v, old);
        }
        ir_store(b, SPACE_STATE, shadow_reg(m->dst, 0), v);
        clear_bit_if_zero(b, bit, v);
        c->plain[__builtin_ctz(bit)] = 0;
    }
    ir_cold_end(b);
}

/** Before the store of the low @p size bytes of register @p src to @p m. */
static void carry_store(Carry *c, IrMem m, unsigned size, RegId src)
{
    Instr *x = &c->x;
    IrBlock *b = x->b;
    uint32_t bit = regmask_bit(src);
    bool plain = c->plain[__builtin_ctz(bit)] >= size;
    IrRef all = as_i64(b, shadow_union(x, m, size));
    ir_cold_begin(b, nonzero(b, ir_binop(b, OP_OR, all, as_i64(b, mask_bits(b, bit)))));
    leave_if_nobodys(x, m, size);
    IrRef valid = counts(b, bit);
    for (unsigned pass = plain ? 1 : 0; pass < 2; pass++) {
        for (unsigned at = 0, n; at < size; at += n) {
            n = next_piece(size - at);
            IrType t = ir_type_of_size(n);
            IrRef mask = n < 8 ? ir_unop(b, OP_TRUNC, t, valid) : valid;
            IrRef v = ir_binop(b, OP_AND, mask, reg_piece(b, src, at, n));
            if (pass == 1)
                ir_store(b, SPACE_SHADOW, mem_at(m, at), v);
            else
                leave_if(x, has_pattern(b, v), MODE_SLOW, REASON_MOVE);
        }
    }
    if (mc_options.track_origins)
        instr_note_origin(x, m, ir_get(b, TY_I64, origin_word(src)), size,
                          nonzero(b, mask_bits(b, bit)));
    ir_cold_end(b);
}

/* ---- the block ---------------------------------------------------------------------- */

/** A guest instruction begins with IMARK @p i: what it uses must be defined. */
static void begin_insn(Carry *c, IrRef i)
{
    const IrBlock *src = c->x.src;
    IrBlock *b = c->x.b;
    RegUse u = { 0 };
    for (IrRef k = i + 1; k < src->n && src->insn[k].op != OP_IMARK; k++)
        use_add(&u, &c->moves, src, k);
    uint32_t reads = (u.reads | (u.writes & RM_GROUP)) & ~c->known;
    if (reads)
        leave_if(&c->x, nonzero(b, mask_bits(b, reads)), MODE_SLOW, REASON_USE);
    c->known |= reads;
    uint32_t clear = u.writes & ~c->known & ~u.moves;
    if (clear)
        clear_bits(b, clear);
    c->known |= clear;
}

static void emit_native(Carry *c, IrRef i)
{
    Instr *x = &c->x;
    const IrInsn *in = &x->src->insn[i];
    const NativeInsn *n = x->src->native[in->aux];
    Move move = move_at(&c->moves, x->src, i);
    IrMem m = ir_copy_mem(&x->copier, i);
    bool look_first = move.kind == MOVE_LOAD && !is_repeatable(x->src, i, move.dst);
    if (look_first)
        before_load(c, m, move.size);
    else if (move.kind == MOVE_STORE && !(regmask_bit(move.src) & c->known))
        carry_store(c, m, move.size, move.src);
    else if (move.kind == MOVE_REG)
        reg_move(c, &move);
    else if (move.kind == MOVE_BITS)
        bit_op(c, &move);
    else if (n->mem_access && move.kind != MOVE_LOAD)
        check_native(x, i, MODE_SLOW);
    bool sp = native_writes_sp(n);
    IrRef old = sp ? instr_sp_before_native(x, n) : IR_NONE;
    ir_copy_insn(&x->copier, i);
    if (move.kind == MOVE_LOAD)
        after_load(c, &move, m, look_first, false);
    if (sp)
        instr_sp_after_native(x, n, old);
}

static void emit_load(Carry *c, IrRef i)
{
    Instr *x = &c->x;
    const IrInsn *in = &x->src->insn[i];
    IrMem m = ir_copy_mem(&x->copier, i);
    if (!c->moves.only_moved[i]) {
        check_access(x, m, ir_mem_of(in), ir_type_size((IrType)in->type), NA_READ, MODE_SLOW);
        ir_copy_insn(&x->copier, i);
        return;
    }
    Move move = { .kind = MOVE_LOAD, .dst = x->src->insn[c->moves.put_at[i]].aux, .src = REG_NONE,
                  .size = 8 };
    ir_copy_insn(&x->copier, i);
    after_load(c, &move, m, false, instr_is_pop(x, i));
}

static void emit_store(Carry *c, IrRef i)
{
    Instr *x = &c->x;
    const IrInsn *in = &x->src->insn[i];
    const IrInsn *v = &x->src->insn[in->arg[2]];
    unsigned size = ir_type_size((IrType)v->type);
    IrMem m = ir_copy_mem(&x->copier, i);
    uint32_t bit = v->op == OP_GET && c->moves.only_moved[in->arg[2]] ? regmask_bit(v->aux) : 0;
    if (bit && bit != RM_GROUP && !(bit & c->known))
        carry_store(c, m, size, v->aux);
    else
        check_access(x, m, ir_mem_of(in), size, NA_WRITE, MODE_SLOW);
    ir_copy_insn(&x->copier, i);
}

static void emit_insn(Carry *c, IrRef i)
{
    Instr *x = &c->x;
    const IrInsn *in = &x->src->insn[i];
    bool is_end = in->op == OP_EXIT_IF || in->op == OP_JUMP || in->op == OP_JUMP_IND;
    switch (in->op) {
    case OP_IMARK:
        instr_flush_puts(x);
        x->at = in->imm;
        ir_copy_insn(&x->copier, i);
        begin_insn(c, i);
        return;
    case OP_PUT:
        instr_defer_put(x, i, IR_NONE);
        return;
    case OP_NATIVE:
        emit_native(c, i);
        return;
    case OP_LOAD:
        if (in->space != SPACE_GUEST)
            break;
        emit_load(c, i);
        return;
    case OP_STORE:
        if (in->space != SPACE_GUEST)
            break;
        emit_store(c, i);
        return;
    case OP_GET:
        instr_flush_puts(x);
        break;
    default:
        break;
    }
    if (is_end) {
        x->is_call = in->op != OP_EXIT_IF && in->sub == JK_CALL;
        instr_flush_puts(x);
    }
    instr_track_sp(x, i);
    IrRef r = ir_copy_insn(&x->copier, i);
    if (is_end)
        x->b->insn[r].mode = MODE_FAST;
}

IrBlock *carry_instrument(void *ctx, IrBlock *src, struct Arena *arena)
{
    (void)ctx;
    Carry c = { 0 };
    bool entered = false;
    instr_init(&c.x, src, arena);
    moves_find(&c.moves, src, arena);
    uint32_t n = checkable_part(&c.moves, src);
    for (uint32_t i = 0; i < n; i++) {
        emit_insn(&c, i);
        if (src->insn[i].op == OP_IMARK && !entered) {
            entered = true;
            places_carry(&c.x);
        }
    }
    if (n < src->n) {
        instr_flush_puts(&c.x);
        c.x.b->flags_live_out = true;
        places_reason(&c.x, REASON_INSN);
        ir_jump(c.x.b, src->insn[n].imm, JK_BORING, MODE_SLOW);
    }
    return c.x.b;
}
