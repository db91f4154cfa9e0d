/* SPDX-License-Identifier: MIT */
/*
 * Writing amd64 machine code.  Callers make sure that there is room (CODE_ROOM bytes before
 * each IR instruction); nothing here looks at the IR.
 */
#ifndef VEX_HOST_AMD64_ENCODE_H
#define VEX_HOST_AMD64_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Host registers; the vector registers follow in the allocator's numbering. */
typedef enum HostReg {
    H_RAX, H_RCX, H_RDX, H_RBX, H_RSP, H_RBP, H_RSI, H_RDI,
    H_R8, H_R9, H_R10, H_R11, H_R12, H_R13, H_R14, H_R15,
    H_XMM0, H_NREGS = 32, H_NONE = -1
} HostReg;

/** A memory operand. */
typedef struct HMem {
    int8_t base, index; /**< HostReg or H_NONE */
    uint8_t scale;      /**< log2 */
    bool gs;            /**< relative to the shadow base */
    int32_t disp;
} HMem;

/** A piece of code being written. */
typedef struct Code {
    uint8_t *start, *p, *end;
} Code;

/** Opcodes: byte, then where it is found and how its operand size works. */
enum {
    O_0F = 0x100, O_0F38 = 0x200, O_0F3A = 0x300, O_MAP = 0x300,
    O_66 = 0x400, O_F3 = 0x800, O_F2 = 0xc00, O_PP = 0xc00,
    O_WB = 0x1000, /**< low bit of the opcode is set unless the size is 1 */
    O_RM8 = 0x2000 /**< the r/m operand is a byte register whatever the size */
};

/** Arithmetic by their number in the opcode map. */
typedef enum AluOp {
    ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP
} AluOp;
typedef enum ShiftOp { SH_ROL = 0, SH_ROR = 1, SH_SHL = 4, SH_SHR = 5, SH_SAR = 7 } ShiftOp;

enum {
    O_MOV_STORE = 0x88 | O_WB, O_MOV_LOAD = 0x8a | O_WB, O_LEA = 0x8d, O_TEST = 0x84 | O_WB,
    O_GROUP3 = 0xf6 | O_WB, O_GROUP5 = 0xff, O_XCHG = 0x86 | O_WB,
    O_MOVZX8 = 0xb6 | O_0F | O_RM8, O_MOVZX16 = 0xb7 | O_0F, O_MOVSX8 = 0xbe | O_0F | O_RM8,
    O_MOVSX16 = 0xbf | O_0F, O_MOVSXD = 0x63, O_IMUL = 0xaf | O_0F, O_CMOV = 0x40 | O_0F,
    O_POPCNT = 0xb8 | O_0F | O_F3, O_LZCNT = 0xbd | O_0F | O_F3, O_TZCNT = 0xbc | O_0F | O_F3,
    O_BSR = 0xbd | O_0F, O_BSF = 0xbc | O_0F
};

static inline void code_u8(Code *c, unsigned v) { *c->p++ = (uint8_t)v; }
static inline void code_u32(Code *c, uint32_t v) { memcpy(c->p, &v, 4); c->p += 4; }
static inline void code_u64(Code *c, uint64_t v) { memcpy(c->p, &v, 8); c->p += 8; }

static inline bool fits_i8(int64_t v) { return v == (int8_t)v; }
static inline bool fits_i32(int64_t v) { return v == (int32_t)v; }

/** [rsp + disp]: a field of the state. */
static inline HMem mem_state(int32_t disp)
{
    return (HMem){ H_RSP, H_NONE, 0, false, disp };
}

/** @p opc with both operands registers; @p size in bytes. */
void emit_rr(Code *c, unsigned opc, unsigned size, unsigned reg, unsigned rm);
/** @p opc with a memory operand; @p imm_len: bytes of immediate that the caller appends. */
void emit_rm(Code *c, unsigned opc, unsigned size, unsigned reg, const HMem *m);
/** ModRM, SIB and displacement of @p m; returns the advanced pointer. @p disp8_scale: see EVEX. */
uint8_t *put_mem(uint8_t *p, unsigned reg, const HMem *m, unsigned disp8_scale);
/** Immediate of an operation of @p size bytes (at most 4). */
void emit_imm(Code *c, unsigned size, int64_t v);

static inline void emit_mov_rr(Code *c, unsigned size, unsigned dst, unsigned src)
{
    emit_rr(c, O_MOV_STORE, size, src, dst);
}
/** Full-register move; nothing if the same. */
static inline void emit_mov(Code *c, unsigned dst, unsigned src)
{
    if (dst != src)
        emit_rr(c, O_MOV_STORE, 8, src, dst);
}
/** Load the 64-bit constant in the shortest way that leaves the flags alone. */
void emit_mov_imm(Code *c, unsigned dst, uint64_t v);
/** Load @p size bytes, zero-extended. */
void emit_load(Code *c, unsigned size, unsigned dst, const HMem *m);
static inline void emit_store(Code *c, unsigned size, unsigned src, const HMem *m)
{
    emit_rm(c, O_MOV_STORE, size, src, m);
}
/** Store a constant that fits in 32 bits sign-extended. */
void emit_store_imm(Code *c, unsigned size, int64_t v, const HMem *m);
static inline void emit_lea(Code *c, unsigned size, unsigned dst, const HMem *m)
{
    emit_rm(c, O_LEA, size, dst, m);
}

/** dst op= src. */
static inline void emit_alu_rr(Code *c, AluOp op, unsigned size, unsigned dst, unsigned src)
{
    emit_rr(c, (unsigned)op << 3 | O_WB, size, src, dst);
}
/** dst op= [m]. */
static inline void emit_alu_rm(Code *c, AluOp op, unsigned size, unsigned dst, const HMem *m)
{
    emit_rm(c, ((unsigned)op << 3 | 2) | O_WB, size, dst, m);
}
/** [m] op= src. */
static inline void emit_alu_mr(Code *c, AluOp op, unsigned size, unsigned src, const HMem *m)
{
    emit_rm(c, (unsigned)op << 3 | O_WB, size, src, m);
}
void emit_alu_ri(Code *c, AluOp op, unsigned size, unsigned dst, int64_t imm);
void emit_alu_mi(Code *c, AluOp op, unsigned size, const HMem *m, int64_t imm);
void emit_test_ri(Code *c, unsigned size, unsigned r, int64_t imm);
void emit_test_mi(Code *c, unsigned size, const HMem *m, int64_t imm);
static inline void emit_test_rr(Code *c, unsigned size, unsigned a, unsigned b)
{
    emit_rr(c, O_TEST, size, b, a);
}
/** Shift or rotate by a constant. */
void emit_shift_ri(Code *c, ShiftOp op, unsigned size, unsigned r, unsigned n);
/** Shift or rotate by CL. */
static inline void emit_shift_cl(Code *c, ShiftOp op, unsigned size, unsigned r)
{
    emit_rr(c, 0xd2 | O_WB, size, op, r);
}
/** not (2), neg (3), mul (4), imul (5), div (6), idiv (7). */
static inline void emit_group3(Code *c, unsigned n, unsigned size, unsigned r)
{
    emit_rr(c, O_GROUP3, size, n, r);
}
static inline void emit_setcc(Code *c, unsigned cc, unsigned r)
{
    emit_rr(c, 0x90 | O_0F | cc, 1, 0, r);
}

/* ---- jumps ---- */

/** Within a short distance, target set later by patch_short(). */
static inline uint8_t *emit_jcc_short(Code *c, unsigned cc)
{
    code_u8(c, 0x70 | cc);
    code_u8(c, 0);
    return c->p;
}
static inline uint8_t *emit_jmp_short(Code *c)
{
    code_u8(c, 0xeb);
    code_u8(c, 0);
    return c->p;
}
/** Make the short jump that ends at @p from come here. */
static inline void patch_short(Code *c, uint8_t *from) { from[-1] = (uint8_t)(c->p - from); }

/* ---- vectors ---- */

/** Legacy SSE form; @p reg, @p rm are 0..15. */
void emit_sse_rr(Code *c, unsigned opc, unsigned w, unsigned reg, unsigned rm);
void emit_sse_rm(Code *c, unsigned opc, unsigned w, unsigned reg, const HMem *m);
/** VEX form, @p len 16 or 32 bytes. */
void emit_vex_rr(Code *c, unsigned opc, unsigned w, unsigned len, unsigned reg, unsigned vvvv,
                 unsigned rm);
void emit_vex_rm(Code *c, unsigned opc, unsigned w, unsigned len, unsigned reg, unsigned vvvv,
                 const HMem *m);
/** EVEX VMOVUPS of 64 bytes (opcode 0x10 load, 0x11 store); @p reg 0..31. */
void emit_evex_movups(Code *c, unsigned opc, unsigned reg, const HMem *m);

/** Multi-byte NOPs. */
void emit_nops(Code *c, unsigned n);

#endif
