/* SPDX-License-Identifier: MIT */
/* Machine code of the instructions that the back end itself makes. */
#include "encode.h"

static const uint8_t pp_byte[4] = { 0, 0x66, 0xf3, 0xf2 };

static uint8_t *put_opcode(uint8_t *p, unsigned opc)
{
    switch (opc & O_MAP) {
    case O_0F:
        *p++ = 0x0f;
        break;
    case O_0F38:
        *p++ = 0x0f, *p++ = 0x38;
        break;
    case O_0F3A:
        *p++ = 0x0f, *p++ = 0x3a;
        break;
    }
    *p++ = (uint8_t)opc;
    return p;
}

/** The opcode for an operation of @p size bytes, and the prefixes before REX. */
static inline uint8_t *put_prefixes(uint8_t *p, unsigned *opc, unsigned size)
{
    if (size == 2)
        *p++ = 0x66;
    if (*opc & O_PP)
        *p++ = pp_byte[(*opc & O_PP) >> 10];
    if ((*opc & O_WB) && size > 1)
        *opc |= 1;
    return p;
}

void emit_rr(Code *c, unsigned opc, unsigned size, unsigned reg, unsigned rm)
{
    uint8_t *p = put_prefixes(c->p, &opc, size);
    unsigned rex = (size == 8 ? 8 : 0) | (reg >> 3 & 1) << 2 | (rm >> 3 & 1);
    bool byte_reg = (size == 1 && (reg >= 4 || rm >= 4)) || ((opc & O_RM8) && rm >= 4);
    if (rex || byte_reg)
        *p++ = (uint8_t)(0x40 | rex);
    p = put_opcode(p, opc);
    *p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    c->p = p;
}

uint8_t *put_mem(uint8_t *p, unsigned reg, const HMem *m, unsigned disp8_scale)
{
    reg = (reg & 7) << 3;
    if (m->base == H_NONE) {
        unsigned index = m->index == H_NONE ? 4 : m->index & 7;
        *p++ = (uint8_t)(reg | 4);
        *p++ = (uint8_t)(m->scale << 6 | index << 3 | 5);
        memcpy(p, &m->disp, 4);
        return p + 4;
    }
    unsigned base = m->base & 7;
    unsigned mod = 0x80;
    int32_t d8 = m->disp;
    if (disp8_scale > 1)
        d8 = m->disp % (int32_t)disp8_scale == 0 ? m->disp / (int32_t)disp8_scale : 0x1000;
    if (m->disp == 0 && base != 5)
        mod = 0;
    else if (fits_i8(d8))
        mod = 0x40;
    if (m->index != H_NONE || base == 4) {
        unsigned index = m->index == H_NONE ? 4 : m->index & 7;
        *p++ = (uint8_t)(mod | reg | 4);
        *p++ = (uint8_t)(m->scale << 6 | index << 3 | base);
    } else {
        *p++ = (uint8_t)(mod | reg | base);
    }
    if (mod == 0x40) {
        *p++ = (uint8_t)d8;
    } else if (mod == 0x80) {
        memcpy(p, &m->disp, 4);
        p += 4;
    }
    return p;
}

static inline unsigned mem_rex(const HMem *m)
{
    unsigned b = m->base == H_NONE ? 0 : m->base >> 3 & 1;
    unsigned x = m->index == H_NONE ? 0 : m->index >> 3 & 1;
    return b | x << 1;
}

void emit_rm(Code *c, unsigned opc, unsigned size, unsigned reg, const HMem *m)
{
    uint8_t *p = c->p;
    if (m->gs)
        *p++ = 0x65;
    p = put_prefixes(p, &opc, size);
    unsigned rex = (size == 8 ? 8 : 0) | (reg >> 3 & 1) << 2 | mem_rex(m);
    if (rex || (size == 1 && reg >= 4))
        *p++ = (uint8_t)(0x40 | rex);
    p = put_opcode(p, opc);
    c->p = put_mem(p, reg, m, 1);
}

void emit_imm(Code *c, unsigned size, int64_t v)
{
    if (size > 4)
        size = 4;
    memcpy(c->p, &v, size);
    c->p += size;
}

void emit_mov_imm(Code *c, unsigned dst, uint64_t v)
{
    unsigned b = dst >> 3, r = dst & 7;
    if (v <= 0xffffffff) {
        if (b)
            code_u8(c, 0x41);
        code_u8(c, 0xb8 | r);
        code_u32(c, (uint32_t)v);
    } else if (fits_i32((int64_t)v)) {
        emit_rr(c, 0xc7, 8, 0, dst);
        code_u32(c, (uint32_t)v);
    } else {
        code_u8(c, 0x48 | b);
        code_u8(c, 0xb8 | r);
        code_u64(c, v);
    }
}

void emit_load(Code *c, unsigned size, unsigned dst, const HMem *m)
{
    if (size == 1)
        emit_rm(c, O_MOVZX8, 4, dst, m);
    else if (size == 2)
        emit_rm(c, O_MOVZX16, 4, dst, m);
    else
        emit_rm(c, O_MOV_LOAD, size, dst, m);
}

void emit_store_imm(Code *c, unsigned size, int64_t v, const HMem *m)
{
    emit_rm(c, 0xc6 | O_WB, size, 0, m);
    emit_imm(c, size, v);
}

void emit_alu_ri(Code *c, AluOp op, unsigned size, unsigned dst, int64_t imm)
{
    if (size > 1 && fits_i8(imm)) {
        emit_rr(c, 0x83, size, op, dst);
        code_u8(c, (unsigned)imm);
        return;
    }
    if (dst == H_RAX) {
        if (size == 2)
            code_u8(c, 0x66);
        if (size == 8)
            code_u8(c, 0x48);
        code_u8(c, (unsigned)op << 3 | (size > 1 ? 5 : 4));
    } else {
        emit_rr(c, 0x80 | O_WB, size, op, dst);
    }
    emit_imm(c, size, imm);
}

void emit_alu_mi(Code *c, AluOp op, unsigned size, const HMem *m, int64_t imm)
{
    if (size > 1 && fits_i8(imm)) {
        emit_rm(c, 0x83, size, op, m);
        code_u8(c, (unsigned)imm);
        return;
    }
    emit_rm(c, 0x80 | O_WB, size, op, m);
    emit_imm(c, size, imm);
}

void emit_test_ri(Code *c, unsigned size, unsigned r, int64_t imm)
{
    if (size > 1 && imm >= 0 && imm <= 0x7f && r < 4)
        size = 1;
    else if (size == 8 && imm >= 0)
        size = 4;
    emit_rr(c, O_GROUP3, size, 0, r);
    emit_imm(c, size, imm);
}

void emit_test_mi(Code *c, unsigned size, const HMem *m, int64_t imm)
{
    emit_rm(c, O_GROUP3, size, 0, m);
    emit_imm(c, size, imm);
}

void emit_shift_ri(Code *c, ShiftOp op, unsigned size, unsigned r, unsigned n)
{
    emit_rr(c, (n == 1 ? 0xd0 : 0xc0) | O_WB, size, op, r);
    if (n != 1)
        code_u8(c, n);
}

/* ---- vectors ---------------------------------------------------------------------------- */

void emit_sse_rr(Code *c, unsigned opc, unsigned w, unsigned reg, unsigned rm)
{
    emit_rr(c, opc & ~(unsigned)O_WB, w ? 8 : 4, reg, rm);
}

void emit_sse_rm(Code *c, unsigned opc, unsigned w, unsigned reg, const HMem *m)
{
    emit_rm(c, opc & ~(unsigned)O_WB, w ? 8 : 4, reg, m);
}

static uint8_t *put_vex(uint8_t *p, unsigned opc, unsigned w, unsigned len, unsigned reg,
                        unsigned vvvv, unsigned rm_rex)
{
    unsigned pp = (opc & O_PP) >> 10, map = (opc & O_MAP) >> 8;
    unsigned last = (~vvvv & 15) << 3 | (len == 32 ? 4 : 0) | pp;
    unsigned not_r = reg >> 3 & 1 ? 0 : 0x80;
    if (map == 1 && rm_rex == 0 && !w) {
        *p++ = 0xc5;
        *p++ = (uint8_t)(not_r | last);
    } else {
        *p++ = 0xc4;
        *p++ = (uint8_t)(not_r | (~rm_rex & 3) << 5 | map);
        *p++ = (uint8_t)((w ? 0x80 : 0) | last);
    }
    *p++ = (uint8_t)opc;
    return p;
}

void emit_vex_rr(Code *c, unsigned opc, unsigned w, unsigned len, unsigned reg, unsigned vvvv,
                 unsigned rm)
{
    uint8_t *p = put_vex(c->p, opc, w, len, reg, vvvv, rm >> 3 & 1);
    *p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    c->p = p;
}

void emit_vex_rm(Code *c, unsigned opc, unsigned w, unsigned len, unsigned reg, unsigned vvvv,
                 const HMem *m)
{
    uint8_t *p = c->p;
    if (m->gs)
        *p++ = 0x65;
    p = put_vex(p, opc, w, len, reg, vvvv, mem_rex(m));
    c->p = put_mem(p, reg, m, 1);
}

void emit_evex_movups(Code *c, unsigned opc, unsigned reg, const HMem *m)
{
    uint8_t *p = c->p;
    if (m->gs)
        *p++ = 0x65;
    unsigned rex = mem_rex(m);
    *p++ = 0x62;
    /* R X B R' are stored inverted; then map 0F, no vvvv, 512 bits, no mask */
    *p++ = (uint8_t)((reg >> 3 & 1 ? 0 : 0x80) | (rex & 2 ? 0 : 0x40) | (rex & 1 ? 0 : 0x20) |
                     (reg >> 4 & 1 ? 0 : 0x10) | 1);
    *p++ = 0x7c;
    *p++ = 0x48;
    *p++ = (uint8_t)opc;
    c->p = put_mem(p, reg, m, 64);
}

void emit_nops(Code *c, unsigned n)
{
    static const uint8_t nop[4][3] = {
        { 0 }, { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }
    };
    while (n) {
        unsigned k = n > 3 ? 3 : n;
        memcpy(c->p, nop[k], k);
        c->p += k;
        n -= k;
    }
}
