/* SPDX-License-Identifier: MIT */
/*
 * A decoded amd64 instruction, in the form that the lifters want: operands in our register
 * numbers, the memory operand taken apart, and the NATIVE payload ready for use.  Only
 * decode.c knows more about Zydis than the names of mnemonics.
 */
#ifndef VEX_GUEST_AMD64_INSN_H
#define VEX_GUEST_AMD64_INSN_H

#include "gimle/guest.h"
#include "gimle/ir.h"
#include "gimle/native.h"
#include "guest_amd64.h"

/** The condition codes among the bits of RFLAGS. */
enum {
    CCB_CF = 0x1, CCB_PF = 0x4, CCB_AF = 0x10, CCB_ZF = 0x40, CCB_SF = 0x80, CCB_OF = 0x800,
    CCB_ALL = 0x8d5
};

typedef enum OperandKind { OPK_NONE, OPK_REG, OPK_MEM, OPK_IMM, OPK_OTHER } OperandKind;

/** An operand that assembly language shows. */
typedef struct Operand {
    uint8_t kind;   /**< OperandKind */
    uint8_t cls;    /**< RegClass, if a register */
    uint8_t offset; /**< first byte in the register: 1 for AH, BH, CH, DH */
    uint8_t access; /**< NA_* */
    uint16_t size;  /**< bytes */
    RegId reg;
    uint8_t native; /**< which of NativeInsn.op it is, if a register */
} Operand;

#define INSN_MAX_OPERANDS 5

/** Prefixes that change what an instruction does. */
enum { INP_LOCK = 1, INP_REP = 2, INP_REPNE = 4, INP_ADDR32 = 8 };

typedef struct Insn {
    GuestAddr addr, next;
    uint16_t mnemonic;    /**< ZydisMnemonic */
    uint8_t len;
    uint8_t prefixes;     /**< INP_* */
    uint8_t opsize;       /**< effective operand size in bytes */
    uint8_t n_operands;
    bool has_mem;         /**< an explicit memory operand (also of LEA) */
    bool same_sources;    /**< both sources are one register that does not matter (RP_SAME) */
    bool mem_is_address;  /**< LEA: the operand is an address, not an access */
    Operand operand[INSN_MAX_OPERANDS];
    uint64_t imm[2];
    RegId mem_base;       /**< AMD64_PC: disp is relative to next; REG_NONE: none */
    RegId mem_index;
    RegId mem_seg;        /**< AMD64_FSBASE, AMD64_GSBASE or REG_NONE */
    uint8_t mem_scale;    /**< log2 */
    int64_t mem_disp;
    uint16_t cc_live;     /**< condition codes that may be read after this instruction */
    uint16_t cc_target;   /**< condition codes that may be read at the branch target */
    NativeInsn n;
} Insn;

/** What an instruction that is only looked at does with control and with the condition codes. */
typedef struct InsnEffect {
    GuestAddr next;
    GuestAddr target;     /**< if direct */
    uint16_t mnemonic;
    uint16_t cc_read, cc_write;
    bool direct;          /**< its first operand is a constant: a jump's or call's target */
    bool cc_maybe;        /**< it may leave the condition codes as they are */
} InsnEffect;

#endif
