/* SPDX-License-Identifier: MIT */
/* Registers that instructions use and move, and the checks of memory in pinned code. */
#include "checks.h"

#include "base/check.h"
#include "helpers.h"
#include "native.h"

/** Loads and stores of more bytes than this are left to slow mode. */
enum { MAX_INLINE_BYTES = 64 };
/** A store this far above the stack pointer is taken to be in a live frame. */
enum { FRAME_REACH = 1 << 16 };

/* ---- moves -------------------------------------------------------------------------- */

/** Does the register have a bit of its own? */
static bool has_own_bit(RegId r)
{
    return regmask_bit(r) != 0 && regmask_bit(r) != RM_GROUP;
}

/** Value @p a is used for more than moving it. */
static inline void note_use(MoveInfo *mi, IrRef a)
{
    if (a != IR_NONE)
        mi->only_moved[a] = false;
}

/** Value @p a is put at @p i. */
static inline void note_put(MoveInfo *mi, const IrBlock *b, IrRef a, IrRef i)
{
    if (mi->only_moved[a] && b->insn[a].op == OP_LOAD && mi->put_at[a] == IR_NONE)
        mi->put_at[a] = i;
    else
        mi->only_moved[a] = false;
}

static void note_other_uses(MoveInfo *mi, const IrBlock *b, const IrInsn *in)
{
    unsigned n = ir_op_nargs((IrOp)in->op);
    if (in->op == OP_CALL) {
        mi->calls = true;
        for (unsigned k = 0; k < in->sub; k++)
            note_use(mi, b->extra[in->arg[0] + k]);
        note_use(mi, in->arg[1]);
    }
    for (unsigned k = 0; k < n; k++)
        note_use(mi, in->arg[k]);
}

/** Which values are only moved, as far as what comes after them is known by now; are there loads? */
static bool find_moved(MoveInfo *mi, const IrBlock *b)
{
    bool loads = false;
    for (uint32_t i = 0; i < b->n; i++) { /* who reads a value comes after it */
        const IrInsn *in = &b->insn[i];
        mi->only_moved[i] = false;
        switch (in->op) {
        case OP_IMARK:
        case OP_CONST:
            break;
        case OP_GET:
            mi->only_moved[i] = in->type == TY_I64;
            break;
        case OP_LOAD:
            mi->only_moved[i] = in->type == TY_I64;
            mi->put_at[i] = IR_NONE;
            loads = true;
            note_use(mi, in->arg[0]);
            note_use(mi, in->arg[1]);
            break;
        case OP_NATIVE:
            note_use(mi, in->arg[0]);
            note_use(mi, in->arg[1]);
            break;
        case OP_PUT:
            note_put(mi, b, in->arg[0], i);
            break;
        case OP_STORE:
            note_use(mi, in->arg[0]);
            note_use(mi, in->arg[1]);
            if (b->insn[in->arg[2]].op != OP_GET)
                note_use(mi, in->arg[2]);
            break;
        default:
            note_other_uses(mi, b, in);
        }
    }
    return loads;
}

/** Codes as in RFLAGS: each, and all six. */
enum { CF = 1, PF = 4, ZF = 0x40, SF = 0x80, OF = 0x800, ALL_FLAGS = 0x8d5 };

/** The codes that what @p in makes of others depends on. */
static unsigned flags_read(const IrBlock *b, const IrInsn *in)
{
    static const uint16_t by_condition[] = {
        [CC_O] = OF, [CC_B] = CF, [CC_E] = ZF, [CC_BE] = CF | ZF,
        [CC_S] = SF, [CC_P] = PF, [CC_L] = SF | OF, [CC_LE] = ZF | SF | OF,
    };
    if (in->op == OP_COND)
        return by_condition[in->sub & ~1u];
    for (unsigned k = 0; k < 3; k++)
        if (in->arg[k] != IR_NONE && b->insn[in->arg[k]].type == TY_FLAGS)
            return ALL_FLAGS;
    return 0;
}

/** Which codes are read after each NATIVE. */
static void find_dead_flags(MoveInfo *mi, const IrBlock *b)
{
    bool dead = false;
    unsigned live = b->flags_live_out ? ALL_FLAGS : 0;
    unsigned read = 0; /* by anything so far, of whatever GET reads */
    for (uint32_t i = b->n; i-- > 0;) {
        const IrInsn *in = &b->insn[i];
        if (in->op == OP_NATIVE) {
            const NativeInsn *n = b->native[in->aux];
            mi->flags_dead[i] = dead;
            mi->flags_kept[i] = (live & ~(unsigned)n->cc_write) != 0;
            if (n->cc_read || (n->flags & NF_FLAGS_MAYBE))
                dead = false;
            else if ((n->cc_write & ALL_FLAGS) == ALL_FLAGS)
                dead = true;
            if (!(n->flags & NF_FLAGS_MAYBE)) /* else they may stay as they were */
                live &= ~(unsigned)n->cc_write;
            live |= n->cc_read;
        } else if (in->op == OP_PUT && in->aux == gimle_guest->flags) {
            dead = true;
            live = 0;
        } else if (in->op == OP_EXIT_IF) {
            dead = false;
            live |= in->aux == 1 ? ALL_FLAGS : 0;
        } else if (in->op == OP_GET && in->aux == gimle_guest->flags) {
            dead = false;
            live |= read;
        } else {
            read |= flags_read(b, in);
        }
    }
}

void moves_find(MoveInfo *mi, const IrBlock *b, struct Arena *arena)
{
    mi->flags_dead = arena_alloc_raw(arena, b->n);
    mi->flags_kept = arena_alloc_raw(arena, b->n);
    find_dead_flags(mi, b);
    mi->only_moved = arena_alloc_raw(arena, b->n);
    mi->put_at = arena_alloc_raw(arena, b->n * sizeof *mi->put_at);
    mi->calls = false;
    bool loads = find_moved(mi, b);
    for (uint32_t i = 0; loads && i < b->n; i++) {
        if (b->insn[i].op != OP_LOAD || !mi->only_moved[i])
            continue;
        RegId to = mi->put_at[i] == IR_NONE ? REG_NONE : b->insn[mi->put_at[i]].aux;
        mi->only_moved[i] = b->insn[i].space == SPACE_GUEST && to != REG_NONE && has_own_bit(to) &&
                            gimle_reg_size(to) == 8;
    }
}

/** Operand @p o as the destination of a move of @p size bytes. */
static bool is_move_target(const NativeOp *o, unsigned size)
{
    if (o->access != NA_WRITE || o->offset || !has_own_bit(o->reg))
        return false;
    return o->cls == RC_GPR ? o->wsize == 8 && (o->size == size || size < 4)
                            : o->cls == RC_VEC && size >= 4 && o->wsize >= 16 && o->size >= size;
}

static bool is_move_source(const NativeOp *o, unsigned size)
{
    return o->access == NA_READ && !o->offset && has_own_bit(o->reg) && o->size >= size &&
           (o->cls == RC_GPR || o->cls == RC_VEC);
}

static Move move_to(const NativeOp *o, MoveKind kind, RegId src, unsigned size)
{
    bool vec = o->cls == RC_VEC;
    return (Move){ .kind = kind, .dst = o->reg, .src = src, .size = (uint8_t)size, .vec = vec,
                   .keeps_above = vec && o->wsize < gimle_reg_size(o->reg) };
}

/** MOVZX: a move of the low part, with zeros above. */
static bool zero_extends(const NativeInsn *n)
{
    return n->enc == NE_LEGACY && n->opcode_len == 2 &&
           (n->bytes[n->off_opcode + 1] & 0xfe) == 0xb6;
}

/** MOVHLPS, MOVLHPS, PUNPCKLQDQ, UNPCKLPD: half of a vector moves into half of another. */
static bool half_move(const NativeInsn *n, Move *m)
{
    static const struct HalfMove {
        uint8_t prefix, opcode, src_at, dst_at;
    } row[] = { { 0, 0x12, 8, 0 }, { 0, 0x16, 0, 8 }, { 0x66, 0x6c, 0, 8 }, { 0x66, 0x14, 0, 8 } };
    const NativeOp *dst = n->op, *src = n->op + 1;
    uint8_t prefix = 0;
    if (n->enc != NE_LEGACY || n->opcode_len != 2 || n->rule != NR_MOVE || n->mem_access ||
        n->n_ops != 2 || dst->cls != RC_VEC || src->cls != RC_VEC || dst->reg == src->reg ||
        !has_own_bit(dst->reg) || !has_own_bit(src->reg) || !(dst->access & NA_WRITE) ||
        src->access != NA_READ)
        return false;
    for (unsigned k = 0; k < n->off_opcode; k++)
        if (n->bytes[k] == 0x66 || n->bytes[k] == 0xf2 || n->bytes[k] == 0xf3)
            prefix = n->bytes[k];
    for (unsigned k = 0; k < sizeof row / sizeof row[0]; k++) {
        if (row[k].prefix != prefix || row[k].opcode != n->bytes[n->off_opcode + 1])
            continue;
        *m = (Move){ .kind = MOVE_REG, .dst = dst->reg, .src = src->reg, .size = 8,
                     .src_at = row[k].src_at, .dst_at = row[k].dst_at, .vec = true,
                     .keeps_above = true, .keeps_words = true };
        return true;
    }
    return false;
}

/** MOVQ and MOVD between a general and a vector register. */
static bool is_cross_move(const NativeOp *dst, const NativeOp *src)
{
    if (!is_move_source(src, src->size) || !has_own_bit(dst->reg) || dst->access != NA_WRITE ||
        dst->offset)
        return false;
    if (dst->cls == RC_GPR)
        return src->cls == RC_VEC && dst->wsize == 8 && (dst->size == 8 || dst->size == 4);
    return dst->cls == RC_VEC && src->cls == RC_GPR && dst->wsize >= 16 &&
           (src->size == 8 || src->size == 4);
}

static Move move_of_native(const NativeInsn *n)
{
    const NativeOp *o = n->op;
    Move half;
    if (n->rule != NR_MOVE)
        return (Move){ 0 };
    if (half_move(n, &half))
        return half;
    bool extends = zero_extends(n);
    if (!((n->flags & NF_MOVE) || extends) || n->cc_read || n->cc_write ||
        (n->flags & (NF_X87 | NF_MASKED_MEM | NF_VSIB)))
        return (Move){ 0 };
    if (n->mem_access == 0) {
        if (n->n_ops == 2 && o[0].cls == o[1].cls && (o[0].size == o[1].size || extends) &&
            is_move_target(&o[0], o[1].size) && is_move_source(&o[1], o[1].size))
            return move_to(&o[0], MOVE_REG, o[1].reg, o[1].size);
        if (n->n_ops == 2 && is_cross_move(&o[0], &o[1]))
            return move_to(&o[0], MOVE_REG, o[1].reg, o[0].cls == RC_GPR ? o[0].size : o[1].size);
        return (Move){ 0 };
    }
    unsigned size = n->mem_size;
    if (n->n_ops != 1 || size == 0 || size > MAX_INLINE_BYTES || (size & (size - 1)))
        return (Move){ 0 };
    if (n->mem_access == NA_READ && is_move_target(&o[0], size))
        return move_to(&o[0], MOVE_LOAD, REG_NONE, size);
    if (n->mem_access == NA_WRITE && is_move_source(&o[0], size))
        return (Move){ .kind = MOVE_STORE, .dst = REG_NONE, .src = o[0].reg, .size = (uint8_t)size,
                       .vec = o[0].cls == RC_VEC };
    return (Move){ 0 };
}

/** The constant that is @p n's immediate operand; false if there is none. */
static bool constant_of(const NativeInsn *n, uint64_t *value)
{
    if (n->imm_len == 0 || n->imm_len > 4)
        return false;
    int32_t v = (int8_t)n->bytes[n->off_imm + n->imm_len - 1];
    for (unsigned k = n->imm_len - 1u; k-- > 0;)
        v = (int32_t)((uint32_t)v << 8 | n->bytes[n->off_imm + k]);
    *value = (uint64_t)(int64_t)v;
    return true;
}

/** SHL, SHR or SAR by a constant: the operation and the count. */
static bool shift_of(const NativeInsn *n, uint8_t *op, uint64_t *count)
{
    static const uint8_t by_reg[8] = { [4] = OP_SHL, [5] = OP_SHR, [6] = OP_SHL, [7] = OP_SAR };
    uint8_t code = n->bytes[n->off_opcode];
    if (n->rule != NR_SHIFT || n->enc != NE_LEGACY || n->opcode_len != 1 || !n->off_modrm)
        return false;
    *op = by_reg[n->bytes[n->off_modrm] >> 3 & 7];
    *count = code == 0xd0 || code == 0xd1 ? 1 : n->bytes[n->off_imm];
    return *op && (code == 0xd0 || code == 0xd1 || code == 0xc0 || code == 0xc1);
}

/** An operation on one general register with a constant whose V bits are easily told. */
static Move bits_of_native(const NativeInsn *n, bool flags_dead)
{
    const NativeOp *o = n->op;
    if (n->n_ops != 1 || n->mem_access || n->cc_read || !n->cc_write || o->cls != RC_GPR ||
        o->offset || !has_own_bit(o->reg) || !(o->access & NA_READ) || (o->access & NA_COND))
        return (Move){ 0 };
    Move m = { .kind = MOVE_BITS, .dst = o->reg, .src = REG_NONE, .size = o->size,
               .flags_live = !flags_dead, .discards = !(o->access & NA_WRITE) };
    if (shift_of(n, &m.op, &m.operand)) {
        m.operand &= o->size == 8 ? 63 : 31;
        /* The carry has a bit that is shifted out. */
        return flags_dead && m.operand < 8u * o->size ? m : (Move){ 0 };
    }
    if ((n->rule != NR_AND && n->rule != NR_OR) || !constant_of(n, &m.operand))
        return (Move){ 0 };
    m.op = OP_AND;
    if (n->rule == NR_OR)
        m.operand = ~m.operand;
    if (o->size < 8)
        m.operand &= (1ULL << (8 * o->size)) - 1;
    return m;
}

Move move_at(const MoveInfo *mi, const IrBlock *b, IrRef i)
{
    const NativeInsn *n = b->native[b->insn[i].aux];
    Move m = move_of_native(n);
    return m.kind == MOVE_NONE ? bits_of_native(n, mi->flags_dead[i]) : m;
}

/* ---- which registers an instruction reads and writes -------------------------------- */

static void use_of_native(RegUse *u, const MoveInfo *mi, const IrBlock *b, IrRef i)
{
    const NativeInsn *n = b->native[b->insn[i].aux];
    uint32_t flags = regmask_bit(gimle_guest->flags);
    Move m = move_at(mi, b, i);
    if (m.kind == MOVE_BITS) {
        u->moves |= regmask_bit(m.dst);
        u->writes |= n->cc_write & ZF ? flags : 0;
        return;
    }
    if (m.kind != MOVE_NONE) {
        if (m.src != REG_NONE)
            u->moves |= regmask_bit(m.src);
        if (m.dst != REG_NONE)
            u->loads |= regmask_bit(m.dst);
        if (m.keeps_above)
            u->moves |= regmask_bit(m.dst);
        return;
    }
    for (unsigned k = 0; k < n->n_ops; k++) {
        const NativeOp *o = &n->op[k];
        bool whole = o->offset == 0 && o->wsize >= gimle_reg_size(o->reg) && !(o->access & NA_COND);
        if ((o->access & NA_READ) || ((o->access & NA_WRITE) && !whole))
            u->reads |= regmask_bit(o->reg);
        if (o->access & NA_WRITE)
            u->writes |= regmask_bit(o->reg);
    }
    /* There is one bit for all codes: it tells nothing of those that are kept, once others are written. */
    if (n->cc_read || (n->flags & NF_FLAGS_MAYBE) || (n->cc_write && mi->flags_kept[i]))
        u->reads |= flags;
    if (n->cc_write & ZF) /* ZF: all but carry or overflow alone */
        u->writes |= flags;
    if (n->flags & NF_X87)
        u->reads |= RM_GROUP;
}

void use_add(RegUse *u, const MoveInfo *mi, const IrBlock *b, IrRef i)
{
    const IrInsn *in = &b->insn[i];
    if (in->op == OP_GET) {
        if (mi->only_moved[i] && has_own_bit(in->aux))
            u->moves |= regmask_bit(in->aux);
        else
            u->reads |= regmask_bit(in->aux);
    } else if (in->op == OP_PUT) {
        const IrInsn *v = &b->insn[in->arg[0]];
        uint32_t bit = regmask_bit(in->aux);
        if (v->type != TY_FLAGS && ir_type_size((IrType)v->type) < gimle_reg_size(in->aux))
            u->reads |= bit;
        if (mi->only_moved[in->arg[0]] && v->op == OP_LOAD)
            u->loads |= bit;
        else
            u->writes |= bit;
    } else if (in->op == OP_NATIVE) {
        use_of_native(u, mi, b, i);
    }
}

/* ---- what slow mode must do --------------------------------------------------------- */

/** Can pinned code check this instruction's memory operand before it runs? */
static bool native_is_checkable(const NativeInsn *n)
{
    if (n->mem_access == 0)
        return !(n->flags & NF_VSIB) && !native_has_implied_store(n);
    return !(n->flags & (NF_MASKED_MEM | NF_VSIB)) && n->mem_size > 0 &&
           n->mem_size <= MAX_INLINE_BYTES;
}

/** Must this instruction run in slow mode? */
static bool wants_slow(const IrBlock *b, const IrInsn *i)
{
    return i->op == OP_NATIVE ? !native_is_checkable(b->native[i->aux])
                              : i->op == OP_CALL && i->callee->kind == CALLEE_FULL;
}

uint32_t checkable_part(const MoveInfo *mi, const IrBlock *b)
{
    bool all = !mi->calls;
    for (uint32_t i = 0; i < b->n_native && all; i++)
        all = native_is_checkable(b->native[i]);
    if (all)
        return b->n;
    uint32_t start = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        unsigned op = b->insn[i].op;
        if (op == OP_IMARK)
            start = i;
        else if ((op == OP_NATIVE || op == OP_CALL) && wants_slow(b, &b->insn[i]))
            return start;
    }
    return b->n;
}

/* ---- checks of memory --------------------------------------------------------------- */

void leave_if(Instr *x, IrRef cond, unsigned mode, Reason why)
{
    places_reason(x, why);
    ir_exit_if(x->b, cond, x->at, JK_BORING, (uint8_t)mode);
}

IrRef shadow_union(Instr *x, IrMem m, unsigned size)
{
    IrBlock *b = x->b;
    IrRef all = IR_NONE;
    for (unsigned at = 0, n; at < size; at += n) {
        n = next_piece(size - at);
        IrRef s = ir_load(b, SPACE_SHADOW, ir_type_of_size(n), mem_at(m, at));
        if (n < 8 && size > n)
            s = ir_unop(b, OP_ZEXT, TY_I64, s);
        all = all == IR_NONE ? s : ir_binop(b, OP_OR, all, s);
    }
    return all;
}

IrRef has_pattern(IrBlock *b, IrRef v)
{
    IrType t = type_of(b, v);
    if (t == TY_I8)
        return ir_cmp(b, OP_CMPEQ, v, ir_const(b, t, SH_NOACCESS));
    IrRef d = ir_binop(b, OP_XOR, v, ir_const(b, t, SH_NOACCESS_WORD));
    IrRef borrow = ir_binop(b, OP_SUB, d, ir_const(b, t, 0x0101010101010101ULL));
    IrRef hit = ir_binop(b, OP_AND, borrow, ir_unop(b, OP_NOT, t, d));
    return nonzero(b, ir_binop(b, OP_AND, hit, ir_const(b, t, 0x8080808080808080ULL)));
}

/** The bytes are known to be addressable: they become defined. */
static void define(Instr *x, IrMem m, unsigned size)
{
    for (unsigned at = 0, n; at < size; at += n) {
        n = next_piece(size - at);
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
    leave_if(x, ir_cmp(b, OP_CMPNE, spread, s), MODE_SLOW, REASON_STORE);
}

static void check_store(Instr *x, IrMem m, unsigned size)
{
    ir_cold_begin(x->b, nonzero(x->b, shadow_union(x, m, size)));
    for (unsigned at = 0, n; at < size; at += n) {
        n = next_piece(size - at);
        leave_unless_plain(x, mem_at(m, at), n);
    }
    define(x, m, size);
    ir_cold_end(x->b);
}

void check_access(Instr *x, IrMem m, IrMem src, unsigned size, unsigned access,
                  unsigned load_mode)
{
    int64_t off;
    if (access & NA_READ)
        leave_if(x, nonzero(x->b, shadow_union(x, m, size)), load_mode, REASON_LOAD);
    else if (instr_sp_relative(x, &src, &off) && off >= -(int64_t)gimle_guest->red_zone &&
             off < FRAME_REACH)
        define(x, m, size);
    else
        check_store(x, m, size);
}

void check_native(Instr *x, IrRef i, unsigned load_mode)
{
    const NativeInsn *n = x->src->native[x->src->insn[i].aux];
    IrBlock *b = x->b;
    IrMem m = ir_copy_mem(&x->copier, i);
    uint64_t value;
    if (n->rule != NR_AND || n->n_ops || n->mem_access != NA_READ || n->mem_size > 8 ||
        !constant_of(n, &value)) {
        check_access(x, m, ir_mem_of(&x->src->insn[i]), n->mem_size, n->mem_access, load_mode);
        return;
    }
    /* Bit-fields: only the bits that it looks at must be defined. */
    IrType t = ir_type_of_size(n->mem_size);
    ir_cold_begin(b, nonzero(b, ir_load(b, SPACE_SHADOW, t, m)));
    leave_if(x, has_pattern(b, ir_load(b, SPACE_SHADOW, t, m)), MODE_SLOW, REASON_LOAD);
    IrRef seen = ir_binop(b, OP_AND, ir_load(b, SPACE_SHADOW, t, m), ir_const(b, t, value));
    leave_if(x, nonzero(b, seen), MODE_SLOW, REASON_LOAD);
    ir_cold_end(b);
}
