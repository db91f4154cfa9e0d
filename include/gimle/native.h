/* SPDX-License-Identifier: MIT */
/*
 * The payload of OP_NATIVE: one guest instruction to be executed by the host processor as it
 * is, with guest registers bound to whatever host registers the back end keeps them in, and
 * with everything a tool must know about it made explicit: each register it reads and writes
 * (implicit ones too) with byte range, its memory operand, the condition codes it reads,
 * writes and leaves undefined, and its row of the definedness table.
 *
 * Memory: base, index and scale are in the IR instruction (arg[0], arg[1], scale) and the
 * displacement in IrInsn.disp, exactly as for LOAD; segment bases and RIP-relative addresses
 * are already folded into them.  String instructions and others whose memory operand has a
 * fixed register (RSI, RDI) never become NATIVE with memory: they are lifted to IR.
 */
#ifndef GIMLE_NATIVE_H
#define GIMLE_NATIVE_H

#include "ir.h"

/** Where in the encoding a register operand stands. */
typedef enum NativeSlot {
    NS_REG,     /**< ModRM.reg (+ REX.R / VEX.R / EVEX.R') */
    NS_RM,      /**< ModRM.rm as a register (+ B, EVEX.X) */
    NS_VVVV,    /**< VEX/EVEX.vvvv (+ V') */
    NS_OPCODE,  /**< low three bits of the opcode (+ REX.B) */
    NS_IS4,     /**< bits 7:4 of the immediate */
    NS_AAA,     /**< EVEX opmask */
    NS_VSIB,    /**< vector index of a gather or scatter */
    NS_FIXED    /**< implicit: the host register of the same name must be used */
} NativeSlot;

/** Access to a register or to memory. */
enum { NA_READ = 1, NA_WRITE = 2, NA_COND = 4 /**< the write may not happen */ };

#define NATIVE_MAX_OPS 8

typedef struct NativeOp {
    RegId reg;       /**< guest register (or a shadow/tool register after rebinding) */
    uint8_t slot;    /**< NativeSlot */
    uint8_t access;  /**< NA_* */
    uint8_t cls;     /**< RegClass: GPR, VEC, MASK */
    uint8_t offset;  /**< first byte accessed in the register: 1 for AH, BH, CH, DH, else 0 */
    uint8_t size;    /**< bytes accessed by name (EAX: 4) */
    uint8_t wsize;   /**< bytes changed by a write, counted from offset (EAX: 8, VEX xmm: 64) */
} NativeOp;

/** How bytes are encoded. */
typedef enum NativeEnc { NE_LEGACY, NE_VEX, NE_EVEX, NE_XOP } NativeEnc;

/** What a tool may assume about how undefined inputs spread (guest/amd64/vec.def, int.def). */
typedef enum NativeRule {
    NR_WHOLE,    /**< any undefined input bit: every output bit undefined (the safe rule) */
    NR_MOVE,     /**< outputs are copies of inputs: apply the same instruction to the shadow */
    NR_PERMUTE,  /**< as MOVE, but a control operand (the last source or immediate) must be defined */
    NR_BITAND,   /**< bitwise and */
    NR_BITANDN,  /**< bitwise ~a & b */
    NR_BITOR,    /**< bitwise or */
    NR_BITXOR,   /**< bitwise xor */
    NR_LANES,    /**< each output lane depends on the same lane of the inputs, lane bytes wide */
    NR_LANE_SCALAR, /**< only the lowest lane is computed, the rest is moved through */
    NR_LANE_ADD, /**< lane-wise add or subtract: undefinedness moves to higher bits only */
    NR_LANE_SHIFT, /**< lane-wise shift by imm or a scalar count */
    NR_LANE_MINU,  /**< lane-wise unsigned minimum: a defined 0 decides, whatever the other lane is */
    NR_LANE_CMPEQ, /**< lane-wise equality: defined if any bits defined in both differ */
    NR_PACK,     /**< narrowing: output lane from one input lane of twice the width */
    NR_MOVMSK,   /**< sign bits of lanes to a general register */
    NR_PTEST,    /**< flags from and / andn of both inputs */
    NR_ADD, NR_SUB, NR_AND, NR_OR, NR_XOR, NR_SHIFT, /**< integer with flags */
    NR_ZEROING,  /**< result does not depend on inputs (xor r,r; pxor x,x; sbb handled apart) */
    NR_MASK,     /**< integer operation on AVX-512 masks of lane bytes */
    NR_MASK_TEST,/**< lane-wise: is the bitwise and zero? to a mask */
    NR_NARROW,   /**< each lane from one of twice the width, in the low part of the result */
    NR_WIDEN,    /**< each lane from one of half the width, from the low part of the source */
    NR_HORIZONTAL, /**< each lane from a pair of neighbours, in each 128 bits those of the first source first */
    NR_DOT,      /**< dot product, an immediate says of which lanes and to which */
    NR_STRINGS,  /**< PCMPISTRI and its relatives: nothing behind the end of a string counts */
    NR_CUSTOM,   /**< the tool knows the mnemonic (rule_aux) */
    NR_COUNT
} NativeRule;

/** Properties. */
enum {
    NF_MOVE = 1,        /**< plain register or memory move of a whole operand */
    NF_LOCK = 2,        /**< atomic read-modify-write */
    NF_X87 = 4,         /**< uses the x87/MMX unit: REG FPU is read and written */
    NF_MXCSR_W = 8,     /**< writes MXCSR other than sticky flags */
    NF_AVX512 = 16,     /**< needs EVEX or mask registers */
    NF_MASKED_MEM = 32, /**< only the lanes that a mask selects touch memory (see rule) */
    NF_VSIB = 64,       /**< gather/scatter: memory is not one range */
    NF_FLAGS_MAYBE = 128, /**< writes flags only in some cases (shift by CL): reads them too */
    NF_NT = 256,        /**< non-temporal or streaming */
    NF_SP_CONST = 512   /**< writes SP by adding sp_adjust */
};

typedef struct NativeInsn {
    uint8_t bytes[16];  /**< as in the guest, LOCK/REP/66 prefixes included */
    uint8_t len;
    uint8_t enc;        /**< NativeEnc */
    uint8_t off_prefix; /**< offset of the REX byte or of the VEX/EVEX/XOP prefix */
    uint8_t prefix_len; /**< 0: no REX; 1 REX; 2,3 VEX; 4 EVEX */
    uint8_t off_opcode; /**< offset of the first opcode byte (0F escapes included) */
    uint8_t opcode_len; /**< opcode bytes, escapes included */
    uint8_t off_modrm;  /**< 0: no ModRM */
    uint8_t off_imm, imm_len;
    uint8_t seg_prefix_off; /**< offset + 1 of a segment override to be dropped, or 0 */
    uint8_t addr32_off;     /**< offset + 1 of an address-size override to be dropped, or 0 */
    uint8_t n_ops;
    NativeOp op[NATIVE_MAX_OPS];
    bool mem_plain;     /**< the IR's memory operand may be what the bytes name: mem_base, mem_index */
    uint8_t mem_base, mem_index; /**< general registers; 0xff: none */
    uint8_t mem_scale;  /**< with mem_plain: log2, as the bytes have it */
    int32_t mem_disp;   /**< likewise */
    uint8_t mem_access; /**< NA_*; 0: no memory operand */
    uint16_t mem_size;  /**< bytes */
    uint8_t mem_lane;   /**< bytes per lane of the memory operand, if it is a vector */
    uint8_t disp8_scale;/**< EVEX compressed displacement: N, else 1 */
    uint8_t vl;         /**< vector length in bytes, 0 if not a vector instruction */
    uint8_t rule;       /**< NativeRule */
    uint8_t lane;       /**< bytes per lane for lane rules */
    uint16_t rule_aux;  /**< Zydis mnemonic, for NR_CUSTOM and printing */
    uint16_t flags;     /**< NF_* */
    int32_t sp_adjust;  /**< with NF_SP_CONST */
    uint16_t cc_read;   /**< RFLAGS bits read (CF 0x1 PF 0x4 AF 0x10 ZF 0x40 SF 0x80 OF 0x800) */
    uint16_t cc_write;  /**< RFLAGS bits written or left undefined */
} NativeInsn;

#endif
