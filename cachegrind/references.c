/* SPDX-License-Identifier: MIT */
/* Opcodes that are told apart by their bytes: a table of the few that are not one access. */
#include "references.h"

#include <string.h>

#include "cache_sim.h"

/** Opcode maps and mandatory prefixes as VEX numbers them. */
enum { MAP_1BYTE, MAP_0F, MAP_0F38, MAP_0F3A };
enum { PP_NONE, PP_66, PP_F3, PP_F2, PP_ANY };

typedef struct Opcode {
    uint8_t map, pp, code;
    bool vex, w;
} Opcode;

static Opcode opcode_of(const NativeInsn *n)
{
    const uint8_t *p = n->bytes + n->off_prefix, *code = n->bytes + n->off_opcode;
    if (n->enc == NE_VEX && p[0] == 0xc4)
        return (Opcode){ p[1] & 31, p[2] & 3, code[0], true, p[2] >> 7 };
    if (n->enc == NE_VEX)
        return (Opcode){ MAP_0F, p[1] & 3, code[0], true, false };
    Opcode o = { MAP_1BYTE, PP_NONE, code[n->opcode_len - 1], false, false };
    if (n->opcode_len == 2 && code[0] == 0x0f)
        o.map = MAP_0F;
    else if (n->opcode_len == 3)
        o.map = code[1] == 0x38 ? MAP_0F38 : MAP_0F3A;
    for (p = n->bytes; p < code; p++)
        o.pp = *p == 0x66 ? PP_66 : *p == 0xf3 ? PP_F3 : *p == 0xf2 ? PP_F2 : o.pp;
    return o;
}

/** Loads that fall into lanes. */
static const struct {
    uint8_t map, pp, code, lane;
    uint8_t step;   /**< from one lane to the next */
    int8_t vex;     /**< 1: with VEX only, 0: without, -1: either */
    uint8_t vl;     /**< vector length, 0: any */
} split[] = {
    { MAP_0F,   PP_NONE, 0x5a, 4, 4, -1, 0 },  /* cvtps2pd */
    { MAP_0F,   PP_NONE, 0x2c, 4, 4, 0, 0 },   /* cvttps2pi */
    { MAP_0F,   PP_NONE, 0x2d, 4, 4, 0, 0 },   /* cvtps2pi */
    { MAP_0F,   PP_66,   0x2c, 8, 8, 0, 0 },   /* cvttpd2pi */
    { MAP_0F,   PP_66,   0x2d, 8, 8, 0, 0 },   /* cvtpd2pi */
    { MAP_0F,   PP_F2,   0x12, 8, 16, 1, 32 },  /* vmovddup */
    { MAP_0F3A, PP_66,   0x08, 4, 4, 0, 0 },   /* roundps */
    { MAP_0F3A, PP_66,   0x09, 8, 8, 0, 0 },   /* roundpd */
};

/** vfmadd213ps and its like: two columns of three rows of the opcode map. */
static bool is_packed_fma(const Opcode *o)
{
    static const uint16_t columns = 1 << 6 | 1 << 7 | 1 << 8 | 1 << 0xa | 1 << 0xc | 1 << 0xe;
    uint8_t row = o->code >> 4;
    return o->vex && o->map == MAP_0F38 && row >= 9 && row <= 0xb && (columns >> (o->code & 15) & 1);
}

/** Bytes of the lanes that are loaded one by one, 0: all at once. */
static unsigned lane_of(const NativeInsn *n, const Opcode *o, unsigned *step)
{
    *step = o->w ? 8 : 4;
    if (is_packed_fma(o))
        return *step;
    for (size_t i = 0; i < sizeof split / sizeof split[0]; i++)
        if (split[i].map == o->map && split[i].pp == o->pp && split[i].code == o->code &&
            (split[i].vex < 0 || split[i].vex == o->vex) && (!split[i].vl || split[i].vl == n->vl)) {
            *step = split[i].step;
            return split[i].lane;
        }
    return 0;
}

/** cmpxchg, cmpxchg8b and cmpxchg16b are one compare and swap anyway. */
static bool is_cmpxchg(const Opcode *o)
{
    return o->map == MAP_0F && !o->vex && (o->code == 0xb0 || o->code == 0xb1 || o->code == 0xc7);
}

bool references_retry(const NativeInsn *n)
{
    Opcode o = opcode_of(n);
    bool swap = o.map == MAP_1BYTE && (o.code == 0x86 || o.code == 0x87);
    return n->mem_access && n->enc == NE_LEGACY && ((n->flags & NF_LOCK) || swap) && !is_cmpxchg(&o);
}

static uint8_t cut(unsigned size)
{
    unsigned most = cache_sim_max_access();
    return (uint8_t)(size > most ? most : size ? size : 1);
}

/** clflush and its like name memory and access none. */
static bool is_hint(const Opcode *o, const NativeInsn *n)
{
    return o->map == MAP_0F && !o->vex && o->code == 0xae && n->off_modrm &&
           (n->bytes[n->off_modrm] >> 3 & 7) >= 6;
}

unsigned references_of_native(const NativeInsn *n, Ref out[MAX_REFS])
{
    if (!n->mem_access || n->mem_size == 0)
        return 0;
    Opcode o = opcode_of(n);
    if (is_hint(&o, n))
        return 0;
    uint8_t kind = n->mem_access & NA_READ ? COST_DR : COST_DW;
    unsigned step, lane = lane_of(n, &o, &step), count = 0;
    for (unsigned at = 0; lane && at < n->mem_size && count < MAX_REFS; at += step)
        out[count++] = (Ref){ (int16_t)at, (uint8_t)lane, kind };
    if (count == 0)
        out[count++] = (Ref){ 0, cut(n->mem_size), kind };
    if (references_retry(n))
        out[count++] = out[0];
    return count;
}

static RegId reg_named(const char *name)
{
    for (unsigned i = 0; i < gimle_guest->n_regs; i++)
        if (strcmp(gimle_guest->regs[i].name, name) == 0)
            return (RegId)i;
    return gimle_guest->sp;
}

/** bt, bts, btr, btc with a register for the bit's number. */
static bool is_bit_test(const Opcode *o)
{
    return o->map == MAP_0F && !o->vex && (o->code & 0xe7) == 0xa3;
}

unsigned references_implied(const NativeInsn *n, RegId *base, int64_t *offset, Ref out[MAX_REFS])
{
    enum { BIT_TEST = 0xa3, MASKMOVQ = 0xf7, BELOW_STACK = 288, MMX_BYTES = 8 };
    if (n->mem_access || n->enc != NE_LEGACY || n->n_ops == 0)
        return 0;
    Opcode o = opcode_of(n);
    if (is_bit_test(&o)) {
        uint8_t size = cut(n->op[0].size);
        *base = gimle_guest->sp;
        *offset = -BELOW_STACK;
        out[0] = (Ref){ 0, size, COST_DW };
        out[1] = out[2] = (Ref){ 0, size, COST_DR };
        return o.code == BIT_TEST ? 2 : 3;
    }
    if (o.map == MAP_0F && o.pp == PP_NONE && o.code == MASKMOVQ) {
        *base = reg_named("rdi");
        *offset = 0;
        out[0] = (Ref){ 0, MMX_BYTES, COST_DR };
        return 1;
    }
    return 0;
}

unsigned references_of_call(const IrCallee *c, Ref out[MAX_REFS])
{
    enum { X87_BYTES = 160, MXCSR = 24, MXCSR_BYTES = 8, XMM = 160, XMM_BYTES = 16, XMMS = 16 };
    bool save = strcmp(c->name, "amd64_state_to_memory") == 0;
    if (!save && strcmp(c->name, "amd64_state_from_memory") != 0)
        return 0;
    uint8_t kind = save ? COST_DW : COST_DR;
    out[0] = (Ref){ 0, cut(X87_BYTES), kind };
    out[1] = (Ref){ MXCSR, MXCSR_BYTES, kind };
    for (int i = 0; i < XMMS; i++)
        out[2 + i] = (Ref){ (int16_t)(XMM + i * XMM_BYTES), cut(XMM_BYTES), kind };
    return 2 + XMMS;
}

static const NativeOp *op_in(const NativeInsn *n, NativeSlot slot)
{
    for (unsigned i = 0; i < n->n_ops; i++)
        if (n->op[i].slot == slot)
            return &n->op[i];
    return NULL;
}

/** vgatherdps and its like: with VEX the mask is the operand that vvvv names; it selects nothing here. */
static bool gather_lanes(const NativeInsn *n, const Opcode *o, unsigned scale, Lanes *out)
{
    const NativeOp *index = op_in(n, NS_VSIB);
    if (!index || n->vl == 0)
        return false;
    unsigned bytes = o->w ? 8 : 4, index_bytes = o->code & 1 ? 8 : 4;
    unsigned widest = bytes > index_bytes ? bytes : index_bytes;
    *out = (Lanes){ .n = (uint8_t)(n->vl / widest), .size = (uint8_t)bytes,
                    .kind = n->mem_access & NA_WRITE ? COST_DW : COST_DR,
                    .index_size = (uint8_t)index_bytes, .scale = (uint8_t)scale,
                    .index = gimle_reg_offset(index->reg) };
    return true;
}

/** vmaskmov and vpmaskmov. */
static bool is_masked_move(const Opcode *o)
{
    return o->vex && o->map == MAP_0F38 &&
           ((o->code >= 0x2c && o->code <= 0x2f) || o->code == 0x8c || o->code == 0x8e);
}

bool references_lanes(const NativeInsn *n, unsigned scale, Lanes *out)
{
    Opcode o = opcode_of(n);
    if (!n->mem_access)
        return false;
    if (n->flags & NF_VSIB) {
        if (n->enc == NE_EVEX) /* W is elsewhere, the rest is the same */
            o = (Opcode){ MAP_0F38, PP_66, n->bytes[n->off_opcode], true,
                          n->bytes[n->off_prefix + 2] >> 7 };
        return gather_lanes(n, &o, scale, out);
    }
    const NativeOp *mask = op_in(n, NS_VVVV);
    if (!is_masked_move(&o) || !mask)
        return false;
    bool doubles = o.code >= 0x80 ? o.w : o.code & 1;
    *out = (Lanes){ .n = (uint8_t)(n->vl / (doubles ? 8 : 4)), .size = doubles ? 8 : 4,
                    .kind = n->mem_access & NA_WRITE ? COST_DW : COST_DR, .masked = true,
                    .mask = gimle_reg_offset(mask->reg) };
    return true;
}
