/* SPDX-License-Identifier: MIT */
/*
 * V bits of instructions with MMX registers.  A table says what each does; a helper computes on
 * whole registers.  What the table does not know makes everything undefined if any input is.
 */
#include <string.h>

#include "helpers.h"
#include "x87.h"
#include "../errors.h"

typedef uint64_t u64;
typedef uint8_t B8 __attribute__((vector_size(8)));
typedef uint16_t W4 __attribute__((vector_size(8)));
typedef uint32_t D2 __attribute__((vector_size(8)));

/** What an instruction does; lane: bytes. */
typedef enum Kind {
    WHOLE, COPY, AND, ANDN, OR, XOR, LANES, SUM, EQUAL, SHIFT_LEFT, SHIFT_RIGHT, SHIFT_SIGNED,
    SHIFT_GROUP, UNPACK_LOW, UNPACK_HIGH, PACK, SHUFFLE, SHUFFLE_BYTES, ALIGN, INSERT, EXTRACT,
    UNARY_LANES, SIGNS, OUT, OUT_REG, FROM_VECTOR, TO_VECTOR, CONVERT_IN, CONVERT_OUT,
    MASKED_STORE, EMPTY
} Kind;

typedef struct Row {
    uint8_t op, kind, lane;
} Row;

/** Opcodes after 0F. */
static const Row rows[] = {
    { 0x2a, CONVERT_OUT, 8 }, { 0x2c, CONVERT_IN, 8 }, { 0x2d, CONVERT_IN, 8 },
    { 0x60, UNPACK_LOW, 1 }, { 0x61, UNPACK_LOW, 2 }, { 0x62, UNPACK_LOW, 4 },
    { 0x63, PACK, 1 }, { 0x64, LANES, 1 }, { 0x65, LANES, 2 }, { 0x66, LANES, 4 },
    { 0x67, PACK, 1 },
    { 0x68, UNPACK_HIGH, 1 }, { 0x69, UNPACK_HIGH, 2 }, { 0x6a, UNPACK_HIGH, 4 }, { 0x6b, PACK, 2 },
    { 0x6e, COPY, 8 }, { 0x6f, COPY, 8 }, { 0x70, SHUFFLE, 2 },
    { 0x71, SHIFT_GROUP, 2 }, { 0x72, SHIFT_GROUP, 4 }, { 0x73, SHIFT_GROUP, 8 },
    { 0x74, EQUAL, 1 }, { 0x75, EQUAL, 2 }, { 0x76, EQUAL, 4 }, { 0x77, EMPTY, 8 },
    { 0x7e, OUT, 8 }, { 0x7f, OUT_REG, 8 }, { 0xc4, INSERT, 2 }, { 0xc5, EXTRACT, 2 },
    { 0xd1, SHIFT_RIGHT, 2 }, { 0xd2, SHIFT_RIGHT, 4 }, { 0xd3, SHIFT_RIGHT, 8 }, { 0xd4, SUM, 8 },
    { 0xd5, LANES, 2 }, { 0xd6, FROM_VECTOR, 8 }, { 0xd7, SIGNS, 1 }, { 0xd8, LANES, 1 },
    { 0xd9, LANES, 2 }, { 0xda, LANES, 1 }, { 0xdb, AND, 8 }, { 0xdc, LANES, 1 },
    { 0xdd, LANES, 2 },
    { 0xde, LANES, 1 }, { 0xdf, ANDN, 8 }, { 0xe0, LANES, 1 }, { 0xe1, SHIFT_SIGNED, 2 },
    { 0xe2, SHIFT_SIGNED, 4 }, { 0xe3, LANES, 2 }, { 0xe4, LANES, 2 }, { 0xe5, LANES, 2 },
    { 0xe7, OUT, 8 }, { 0xe8, LANES, 1 }, { 0xe9, LANES, 2 }, { 0xea, LANES, 2 }, { 0xeb, OR, 8 },
    { 0xec, LANES, 1 }, { 0xed, LANES, 2 }, { 0xee, LANES, 2 }, { 0xef, XOR, 8 },
    { 0xf1, SHIFT_LEFT, 2 }, { 0xf2, SHIFT_LEFT, 4 }, { 0xf3, SHIFT_LEFT, 8 }, { 0xf5, LANES, 4 },
    { 0xf7, MASKED_STORE, 1 },
    { 0xf8, SUM, 1 }, { 0xf9, SUM, 2 }, { 0xfa, SUM, 4 }, { 0xfb, SUM, 8 }, { 0xfc, SUM, 1 },
    { 0xfd, SUM, 2 }, { 0xfe, SUM, 4 }, { 0 },
};

/** Opcodes after 0F 38. */
static const Row rows38[] = {
    { 0x00, SHUFFLE_BYTES, 1 }, { 0x04, LANES, 2 }, { 0x08, LANES, 1 }, { 0x09, LANES, 2 },
    { 0x0a, LANES, 4 }, { 0x0b, LANES, 2 }, { 0x1c, UNARY_LANES, 1 }, { 0x1d, UNARY_LANES, 2 },
    { 0x1e, UNARY_LANES, 4 }, { 0 },
};

static Row row_of(const NativeInsn *n)
{
    uint8_t op = n->bytes[n->off_opcode + n->opcode_len - 1];
    uint8_t map = n->opcode_len == 3 ? n->bytes[n->off_opcode + 1] : 0;
    const Row *r = map == 0x38 ? rows38 : rows;
    if (map == 0x3a)
        return (Row){ op, op == 0x0f ? ALIGN : WHOLE, 8 };
    if (n->bytes[n->off_opcode] != 0x0f || (n->opcode_len == 2 && op == 0x0f)) /* 3DNow! */
        return (Row){ op, WHOLE, 8 };
    do {
        if (r->op == op)
            return r->op == 0xd6 && n->op[0].access & NA_WRITE ? (Row){ op, TO_VECTOR, 8 } : *r;
    } while ((++r)->kind);
    return (Row){ op, WHOLE, 8 };
}

/* ---- lanes of a register ------------------------------------------------------------ */

static u64 smear(u64 v) { return v ? ~0ull : 0; }

/** All ones in each lane of @p v that is not zero. */
static u64 smear_lanes(u64 v, unsigned lane)
{
    switch (lane) {
    case 1:
        return (u64)((B8)v != (B8){ 0 });
    case 2:
        return (u64)((W4)v != (W4){ 0 });
    case 4:
        return (u64)((D2)v != (D2){ 0 });
    default:
        return smear(v);
    }
}

/** In each lane: all bits from the lowest undefined one upwards. */
static u64 left(u64 v, unsigned lane)
{
    switch (lane) {
    case 1:
        return v | (u64)-(B8)v;
    case 2:
        return v | (u64)-(W4)v;
    case 4:
        return v | (u64)-(D2)v;
    default:
        return v | -v;
    }
}

static u64 lane_mask(unsigned lane) { return lane == 8 ? ~0ull : (1ull << 8 * lane) - 1; }

static u64 shift(u64 v, Kind kind, unsigned lane, u64 by)
{
    unsigned bits = 8 * lane;
    u64 r = 0;
    if (by >= bits && kind == SHIFT_SIGNED)
        by = bits - 1;
    if (by >= bits)
        return 0;
    for (unsigned at = 0; at < 64; at += bits) {
        u64 x = v >> at & lane_mask(lane);
        if (kind == SHIFT_LEFT)
            x <<= by;
        else if (kind == SHIFT_RIGHT)
            x >>= by;
        else
            x = (u64)((int64_t)(x << (64 - bits)) >> (64 - bits) >> by);
        r |= (x & lane_mask(lane)) << at;
    }
    return r;
}

/** PSLLW and the like by a constant: ModRM.reg tells which. */
static u64 shift_group(u64 v, unsigned lane, unsigned op, unsigned by)
{
    return shift(v, op == 6 ? SHIFT_LEFT : op == 4 ? SHIFT_SIGNED : SHIFT_RIGHT, lane, by);
}

/** Lanes of the low halves of @p x and @p y in turn. */
static u64 unpack(u64 x, u64 y, unsigned lane)
{
    u64 r = 0;
    for (unsigned i = 0; i < 4 / lane; i++) {
        r |= (x >> 8 * lane * i & lane_mask(lane)) << 16 * lane * i;
        r |= (y >> 8 * lane * i & lane_mask(lane)) << (16 * lane * i + 8 * lane);
    }
    return r;
}

/** One lane of @p lane bytes from each that is twice as wide. */
static u64 pack(u64 x, u64 y, unsigned lane)
{
    u64 r = 0;
    x = smear_lanes(x, 2 * lane);
    y = smear_lanes(y, 2 * lane);
    for (unsigned i = 0; i < 4 / lane; i++) {
        r |= (x >> 16 * lane * i & lane_mask(lane)) << 8 * lane * i;
        r |= (y >> 16 * lane * i & lane_mask(lane)) << (8 * lane * i + 32);
    }
    return r;
}

static u64 shuffle(u64 v, unsigned imm)
{
    u64 r = 0;
    for (unsigned i = 0; i < 4; i++)
        r |= (v >> 16 * (imm >> 2 * i & 3) & 0xffff) << 16 * i;
    return r;
}

static u64 shuffle_bytes(u64 v, u64 control, u64 v_control)
{
    u64 r = smear_lanes(v_control & 0x8787878787878787, 1);
    for (unsigned i = 0; i < 64; i += 8)
        if (!(control >> i & 0x80))
            r |= (v >> 8 * (control >> i & 7) & 0xff) << i;
    return r;
}

static u64 align(u64 low, u64 high, unsigned bytes)
{
    __uint128_t v = ((__uint128_t)high << 64 | low) >> (bytes < 16 ? 8 * bytes : 127);
    return (u64)v;
}

static u64 sign_bits(u64 v)
{
    u64 r = 0;
    for (unsigned i = 0; i < 8; i++)
        r |= (v >> (8 * i + 7) & 1) << i;
    return r;
}

/* ---- the helper --------------------------------------------------------------------- */

/** What the helper must know. */
typedef union Word {
    struct {
        uint64_t kind : 8, lane : 8, modrm : 8, imm : 8;
        uint64_t in_memory : 1; /**< the second operand is no MMX register */
    };
    uint64_t word;
} Word;

/** V bits of the result of @p w from two registers or a register and memory. */
static u64 combine(Word w, u64 x, u64 y, u64 vx, u64 vy)
{
    bool count_is_undefined = vy != 0;
    switch ((Kind)w.kind) {
    case AND:
        return (vx | vy) & (x | vx) & (y | vy);
    case ANDN:
        return (vx | vy) & (~x | vx) & (y | vy);
    case OR:
        return (vx | vy) & (~x | vx) & (~y | vy);
    case XOR:
        return vx | vy;
    case LANES:
        return smear_lanes(vx | vy, w.lane);
    case UNARY_LANES:
        return smear_lanes(vy, w.lane);
    case CONVERT_IN:
        return smear(vy);
    case SUM:
        return left(vx | vy, w.lane);
    case EQUAL: /* decided if bits differ that are defined in both */
        return smear_lanes(vx | vy, w.lane) & ~smear_lanes((x ^ y) & ~(vx | vy), w.lane);
    case SHIFT_LEFT:
    case SHIFT_RIGHT:
    case SHIFT_SIGNED:
        return count_is_undefined ? ~0ull : shift(vx, (Kind)w.kind, w.lane, y);
    case UNPACK_LOW:
        return unpack(vx, vy, w.lane);
    case UNPACK_HIGH:
        return unpack(vx >> 32, vy >> 32, w.lane);
    case PACK:
        return pack(vx, vy, w.lane);
    case SHUFFLE:
        return shuffle(vy, w.imm);
    case SHUFFLE_BYTES:
        return shuffle_bytes(vx, y, vy);
    case ALIGN:
        return align(vy, vx, w.imm);
    case INSERT:
        return (vx & ~(0xffffull << 16 * (w.imm & 3))) | (vy & 0xffff) << 16 * (w.imm & 3);
    case COPY:
    case FROM_VECTOR:
        return vy;
    default:
        return smear(vx | vy);
    }
}

/** MASKMOVQ: the bytes of @p reg that the sign bits of @p mask select are stored at @p a. */
static void masked_store(struct VexState *s, unsigned reg, unsigned mask, GuestAddr a)
{
    u64 selected = x87_value(s, mask), v = *x87_vbits(s, reg), v_mask = *x87_vbits(s, mask);
    for (unsigned i = 0; i < 8; i++) {
        uint8_t byte = (uint8_t)(v >> 8 * i);
        if (v_mask >> 8 * i & 0x80)
            byte = 0xff;
        else if (!(selected >> 8 * i & 0x80))
            continue;
        if (!shadow_is_addressable(a + i)) {
            mc_error_access(gimle_thread_of_state(s), a + i, 1, true);
            continue;
        }
        if (byte == SH_NOACCESS)
            shadow_note_pattern(a + i);
        *gimle_shadow(a + i) = byte;
    }
}

/** Do V bits of @p w depend on the values of its inputs? */
static bool looks_at_values(Word w)
{
    return w.kind == AND || w.kind == ANDN || w.kind == OR || w.kind == EQUAL ||
           w.kind == SHUFFLE_BYTES || (w.kind >= SHIFT_LEFT && w.kind <= SHIFT_SIGNED);
}

/**
 * @p v: V bits of memory, general or vector register inputs, @p y: value of the memory operand, or
 * the address of one that is implied.
 */
static uint64_t mmx(struct VexState *s, uint64_t word, uint64_t v, uint64_t y)
{
    Word w = { .word = word };
    unsigned reg = w.modrm >> 3 & 7, rm = w.modrm & 7;
    u64 *to = x87_vbits(s, reg), *other = x87_vbits(s, rm);
    switch ((Kind)w.kind) {
    case EMPTY: /* EMMS: nobody looks at them any more */
        for (unsigned i = 0; i < 8; i++)
            *x87_vbits(s, i) = 0;
        return 0;
    case MASKED_STORE:
        masked_store(s, reg, rm, y);
        return 0;
    case CONVERT_OUT:
        return smear(w.in_memory ? v : *other);
    case OUT: /* MOVD, MOVQ, MOVNTQ */
        return *to;
    case OUT_REG: /* MOVQ */
        if (!w.in_memory)
            *other = *to;
        return *to;
    case EXTRACT:
        return *other >> 16 * (w.imm & 3) & 0xffff;
    case SIGNS:
        return sign_bits(*other);
    case TO_VECTOR:
        return *other;
    case SHIFT_GROUP:
        *other = shift_group(*other, w.lane, reg, w.imm);
        return 0;
    case COPY:
    case INSERT:
    case FROM_VECTOR:
        break;
    default:
        if (!w.in_memory)
            v |= *other, y = x87_value(s, rm);
        if (!w.in_memory && reg == rm && (w.kind == XOR || w.kind == EQUAL))
            return *to = 0;
    }
    if (w.kind == COPY && !w.in_memory)
        v |= *other;
    u64 x = looks_at_values(w) ? x87_value(s, reg) : 0;
    *to = combine(w, x, y, *to, v);
    return smear(v | *to);
}

static const IrCallee callee_mmx = { "mc_mmx", (void *)mmx, CALLEE_FULL, TY_I64, 3 };

/* ---- the rule ----------------------------------------------------------------------- */

/** V bits of general and vector registers that are read, IR_NONE if defined; is there one? */
static bool register_inputs(Nat *t, bool exact, IrRef *v)
{
    IrBlock *b = t->b;
    bool found = false;
    for (unsigned k = 0; k < t->n->n_ops; k++) {
        const NativeOp *o = &t->n->op[k];
        if (!(o->access & NA_READ) || (o->cls != RC_GPR && o->cls != RC_VEC))
            continue;
        found = true;
        if (o->cls == RC_GPR)
            *v = vbits_or(b, *v, native_op_vbits(t, o));
        else if (exact)
            *v = vbits_or(b, *v, ir_get(b, TY_I64, REG_SHADOW_OF(o->reg)));
        else
            *v = vbits_or(b, *v, vbits_smear(b, TY_I64, native_op_vbits(t, o)));
    }
    return found;
}

/** V bits of a vector register after MOVQ2DQ or a conversion. */
static void put_vector(Nat *t, const NativeOp *o, Kind kind, IrRef v)
{
    IrBlock *b = t->b;
    bool zeroes = kind == TO_VECTOR;
    IrInsn make = { .op = OP_VMAKE64, .type = TY_V128,
                    .arg = { v, zeroes ? c64(b, 0) : v, IR_NONE } };
    IrRef all = ir_emit(b, &make);
    if (!zeroes) /* a part may stay as it was */
        all = ir_binop(b, OP_OR, all, ir_get(b, TY_V128, REG_SHADOW_OF(o->reg)));
    native_out_vec(t, o, all);
}

static void put_outputs(Nat *t, Kind kind, IrRef v)
{
    if (t->writes_mem)
        x87_memory_output(t, v);
    for (unsigned k = 0; k < t->n->n_ops; k++) {
        const NativeOp *o = &t->n->op[k];
        if (!(o->access & NA_WRITE))
            continue;
        if (o->cls == RC_GPR)
            native_out_int(t, o, v);
        else if (o->cls == RC_VEC)
            put_vector(t, o, kind, v);
    }
}

/** The third argument of the helper. */
static IrRef memory_value(Nat *t, Word w)
{
    const NativeInsn *n = t->n;
    if (w.kind == MASKED_STORE && n->n_ops && n->op[0].cls == RC_GPR)
        return ir_get(t->b, TY_I64, n->op[0].reg);
    if (t->reads_mem && n->mem_size == 8 && looks_at_values(w))
        return ir_load(t->b, SPACE_GUEST, TY_I64, t->m);
    return c64(t->b, 0);
}

void native_rule_mmx(Nat *t)
{
    IrBlock *b = t->b;
    const NativeInsn *n = t->n;
    Row row = row_of(n);
    IrRef v = t->reads_mem ? x87_memory_input(t) : IR_NONE;
    bool outside = register_inputs(t, row.kind == FROM_VECTOR, &v) || n->mem_access;
    Word w = { .kind = row.kind, .lane = row.lane,
               .modrm = n->off_modrm ? n->bytes[n->off_modrm] : 0,
               .imm = n->imm_len ? n->bytes[n->off_imm] : 0, .in_memory = outside };
    IrRef args[3] = { c64(b, w.word), vbits_full(b, TY_I64, v), memory_value(t, w) };
    IrRef out = ir_call(b, &callee_mmx, IR_NONE, args, 3);
    slow_note_written(t->s, x87_register());
    put_outputs(t, (Kind)row.kind, out);
}

bool native_has_implied_store(const NativeInsn *n)
{
    return n->flags & NF_X87 && !n->mem_access && row_of(n).kind == MASKED_STORE;
}
