/* SPDX-License-Identifier: MIT */
/*
 * The intermediate representation: what a block of guest code becomes before a tool
 * instruments it.  This header is part of the installed API; tools, the lifter, the
 * optimiser, the interpreter and the back end meet here and nowhere else.
 *
 * A block is a flat array of instructions.  An instruction that yields a value is its own
 * temporary: an IrRef is the index of the instruction that defines it, so the IR is SSA by
 * construction (each ref is defined once, before its uses).  A block has one entry and
 * several exits (EXIT_IF), and ends with JUMP or JUMP_IND.
 *
 * Rules every producer keeps and ir_verify() checks:
 *  - an argument refers to an earlier instruction of the type that irops.def demands;
 *  - between two IMARKs, no PUT of a guest register stands before a LOAD, STORE, NATIVE,
 *    CALL or EXIT_IF of the same guest instruction that can fault or leave (precise state:
 *    at each such point all guest registers have the values of the instruction's start);
 *    the one exception is a NATIVE instruction itself, which changes its registers at once;
 *  - between COLD_BEGIN and COLD_END no value is defined that is used after COLD_END.
 */
#ifndef GIMLE_IR_H
#define GIMLE_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An address in the client's address space (identity-mapped into ours). */
typedef uint64_t GuestAddr;

/** Types of values.  Integers live in general registers, V* in vector registers. */
typedef enum IrType {
    TY_NONE, /**< no value */
    TY_I1,   /**< truth value, 0 or 1 */
    TY_I8, TY_I16, TY_I32, TY_I64,
    TY_V128, TY_V256, TY_V512,
    TY_FLAGS, /**< condition codes as one abstract value */
    TY_COUNT
} IrType;

/** Size in bytes of a value of type @p t when stored in memory (I1 and FLAGS: 0). */
unsigned ir_type_size(IrType t);
/** "I32" etc. */
const char *ir_type_name(IrType t);
/** The integer or vector type of @p bytes bytes (1,2,4,8,16,32,64), else TY_NONE. */
IrType ir_type_of_size(unsigned bytes);

/** Index of an instruction in its block. IR_NONE: argument absent. */
typedef uint32_t IrRef;
#define IR_NONE 0xffffffffu

/**
 * A register of the guest state.  0..255: the guest's own, numbered by the guest's register
 * table.  Bit 8: the shadow of the guest register in the low bits, same size and type, there
 * for the tool's use (0 at program start).  REG_TOOL(i): i-th 64-bit word of the tool
 * (i < REG_TOOL_WORDS); REG_TOOL(0) lives in a host register in pinned modes if the tool
 * says so, and is then used for 32-bit masks.
 */
typedef uint16_t RegId;
#define REG_NONE       0xffffu
#define REG_SHADOW     0x100u
#define REG_SHADOW_OF(r) ((RegId)((r) | REG_SHADOW))
#define REG_TOOL(i)    ((RegId)(0x200u + (i)))
#define REG_TOOL_WORDS 32

/** Lane widths of lane-wise vector operations, in IrInsn.sub. */
typedef enum IrLane { LANE_8, LANE_16, LANE_32, LANE_64 } IrLane;

/**
 * Conditions over FLAGS, in the order of the amd64 condition encodings so that `cc ^ 1`
 * negates; other guests map theirs onto these.
 */
typedef enum IrCond {
    CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A,
    CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G
} IrCond;

/**
 * How a FLAGS value was made (IrInsn.sub of OP_FLAGS); width is the type in IrInsn.aux,
 * a and b are the operands before the operation.  Flags that the guest leaves undefined have
 * the value that the interpreter's eval_flags() gives.
 */
typedef enum IrFlagKind {
    FK_ADD,   /**< of a + b */
    FK_ADC,   /**< of a + b + (c & 1), c: I64 */
    FK_SUB,   /**< of a - b (also compare) */
    FK_SBB,   /**< of a - b - (c & 1), c: I64 */
    FK_LOGIC, /**< of result a: OF=CF=0 */
    FK_INC,   /**< of a + 1, CF from c: FLAGS */
    FK_DEC,   /**< of a - 1, CF from c: FLAGS */
    FK_SHL,   /**< of a << b, b: I8 already masked; if b is 0 the flags are c: FLAGS */
    FK_SHR,   /**< likewise logical right shift */
    FK_SAR,   /**< likewise arithmetic right shift */
    FK_ROL,   /**< rotate left: CF and OF new, others from c */
    FK_ROR,   /**< rotate right */
    FK_MULS,  /**< of signed a * b truncated: OF=CF= it did not fit */
    FK_COUNT
} IrFlagKind;

/** Why control leaves a block (IrInsn.sub of JUMP, JUMP_IND, EXIT_IF). */
typedef enum IrJumpKind {
    JK_BORING,      /**< plain jump */
    JK_CALL,        /**< call: the return address is already pushed */
    JK_RET,         /**< return */
    JK_SYSCALL,     /**< run a system call, then go on at the target */
    JK_CLIENT_REQ,  /**< a client request, then go on at the target */
    JK_NO_REDIR,    /**< go on at the target without function redirection */
    JK_SIGILL,      /**< raise SIGILL at the target */
    JK_SIGTRAP,     /**< raise SIGTRAP (breakpoint); the target is the next instruction */
    JK_SIGSEGV,     /**< raise SIGSEGV (general protection: privileged instruction) */
    JK_SIGFPE_DIV,  /**< raise SIGFPE, FPE_INTDIV */
    JK_CODE_CHANGED,/**< the guest code at the target is no longer what was translated */
    JK_YIELD,       /**< spin-wait hint: let other threads run */
    JK_NODECODE,    /**< instruction that we cannot decode at the target: report, SIGILL */
    JK_TRAP_FLAG,   /**< the trap flag may have been set: let whoever runs blocks look */
    JK_COUNT
} IrJumpKind;

/** Address spaces of LOAD and STORE (IrInsn.space). */
typedef enum IrSpace {
    SPACE_GUEST,  /**< the client's memory */
    SPACE_SHADOW, /**< the shadow byte of each client byte (GIMLE_SHADOW_DELTA away), one instruction */
    SPACE_STATE   /**< disp bytes into the thread's VexState (tool counters); no base or index */
} IrSpace;

typedef enum IrOp {
#define OP(name, shape, flags) OP_##name,
#include "irops.def"
#undef OP
    OP_COUNT
} IrOp;

/** Properties of an op (irops.def). */
enum {
    OPF_PURE = 1,   /**< only yields a value: may be moved, merged, dropped */
    OPF_COMM = 2,   /**< arguments a and b may be swapped */
    OPF_MEM = 4,    /**< has a memory operand: base arg[0], index arg[1] << scale, disp imm */
    OPF_FAULT = 8,  /**< may fault or leave: precise state is needed here */
    OPF_END = 16,   /**< ends the block */
    OPF_EFFECT = 32 /**< must not be dropped */
};

typedef struct IrInsn {
    uint8_t op;       /**< IrOp */
    uint8_t type;     /**< IrType of the value, TY_NONE if none */
    uint8_t sub;      /**< IrLane, IrCond, IrFlagKind, IrJumpKind; CALL: number of arguments */
    uint8_t scale;    /**< log2 of the index scale of a memory operand, 0..3 */
    uint8_t space;    /**< IrSpace of LOAD/STORE */
    uint8_t mode;     /**< EXIT_IF, JUMP*: translation mode to go on in */
    uint16_t aux;     /**< GET/PUT: RegId; FLAGS: IrType; IMARK: length; NATIVE: payload index */
    IrRef arg[3];     /**< arguments; CALL: arg[0] first index in IrBlock.extra, arg[1] guard */
    union {
        uint64_t imm;     /**< CONST value, IMARK/JUMP/EXIT_IF address, lane or shift index */
        int64_t disp;     /**< memory operand's displacement */
        const struct IrCallee *callee; /**< CALL */
    };
} IrInsn;

/** How a helper called from translated code behaves. */
typedef enum IrCalleeKind {
    /**
     * Value in, value out; reads and writes no guest state and no client memory; may be
     * merged or dropped.  Compiled with general registers only (GIMLE_LIGHT).
     */
    CALLEE_PURE,
    /**
     * Light: may touch shadow memory, client memory and (in non-pinned modes) the guest
     * state through the state pointer; GIMLE_LIGHT; must not block.  vex_helper_pc() with
     * its return address tells the guest instruction.
     */
    CALLEE_LIGHT,
    /**
     * Full: any C code.  The whole guest state is in the VexState before the call, VexState.pc
     * is the guest instruction, and it is read back afterwards.  Dear: ~50 ns.
     */
    CALLEE_FULL,
    /**
     * As FULL, for functions that stand for a whole function of the guest's.  The first IR argument
     * points to a VexQuick (VEX/state.h): where guest registers are in host registers its quick
     * function is tried first, which costs some 3 ns; only if that declines the helper is called.
     */
    CALLEE_QUICK,
    /**
     * As LIGHT, and the IrCallee is the first member of an IrEntry.  Pinned code calls its entry,
     * which costs no more than what it does.
     */
    CALLEE_ENTRY
} IrCalleeKind;

/** A helper function. The first C argument is always the VexState*, then the IR arguments. */
typedef struct IrCallee {
    const char *name;
    void *fn;          /**< uint64_t fn(VexState *, uint64_t...) */
    IrCalleeKind kind;
    IrType ret;        /**< TY_NONE or an integer type */
    uint8_t nargs;     /**< 0..5, all passed as 64-bit integers */
} IrCallee;

/**
 * A helper with a second way in, written in assembly for the host.  On amd64: the arguments (at
 * most two) are in R10 and R11; R9, R10, R11 and the condition codes may be changed, nothing
 * else; RSP + 8 is the VexState.
 */
typedef struct IrEntry {
    IrCallee callee;   /**< CALLEE_ENTRY */
    const void *entry;
} IrEntry;

/** Attribute for CALLEE_PURE and CALLEE_LIGHT helpers: they must not touch vector registers. */
#define GIMLE_LIGHT __attribute__((target("general-regs-only"), noinline))

struct NativeInsn;

/** Memory of a block, the tool's, that I64 constants of a block may point into (mode.h, VM_PORTABLE). */
enum {
    IR_DATA_COUNTERS, /**< all zero when the block is made */
    IR_DATA_RECORD,   /**< with contents that hold in any run: no addresses */
    /**
     * All zero, too, and only added to, by a LOAD, an ADD and a STORE one after the other: words
     * whose addresses, constants of SPACE_SHADOW, are below 2 GiB, so that one short instruction
     * does it.  base is such an address, not one of ours.
     */
    IR_DATA_NEAR,
    IR_DATA_KINDS
};
typedef struct IrData {
    uint8_t *base;
    uint32_t len;
} IrData;

/** A block of IR.  Lives in an arena for the time of one translation. */
typedef struct IrBlock {
    IrInsn *insn;
    uint32_t n, cap;
    IrRef *extra;              /**< arguments of CALLs */
    uint32_t n_extra, cap_extra;
    struct NativeInsn **native; /**< payloads of NATIVE, by IrInsn.aux */
    uint32_t n_native, cap_native;
    GuestAddr addr;            /**< guest address of the first instruction */
    uint8_t mode;              /**< translation mode this block is for */
    bool flags_live_out;       /**< some successor may read the condition codes */
    uint16_t n_guest;          /**< guest instructions */
    IrData data[IR_DATA_KINDS];
    struct Arena *arena;
} IrBlock;

/* ---- building ------------------------------------------------------------------------- */

/** A new empty block whose memory comes from @p arena. */
IrBlock *ir_block_new(struct Arena *arena, GuestAddr addr, uint8_t mode);
/** Append a copy of @p insn; returns its ref. */
IrRef ir_emit(IrBlock *b, const IrInsn *insn);

IrRef ir_const(IrBlock *b, IrType t, uint64_t v);
IrRef ir_get(IrBlock *b, IrType t, RegId r);
void  ir_put(IrBlock *b, RegId r, IrRef v);
IrRef ir_unop(IrBlock *b, IrOp op, IrType t, IrRef a);
IrRef ir_binop(IrBlock *b, IrOp op, IrRef a, IrRef b2);      /**< type of a */
IrRef ir_cmp(IrBlock *b, IrOp op, IrRef a, IrRef b2);        /**< I1 */
IrRef ir_lane_op(IrBlock *b, IrOp op, IrLane lane, IrRef a, IrRef b2);
IrRef ir_select(IrBlock *b, IrRef cond, IrRef a, IrRef b2);
IrRef ir_flags(IrBlock *b, IrFlagKind k, IrType width, IrRef a, IrRef b2, IrRef c);
IrRef ir_cond(IrBlock *b, IrCond cc, IrRef flags);

/** A memory operand: base + (index << scale) + disp; base and index are I64 or IR_NONE. */
typedef struct IrMem {
    IrRef base, index;
    uint8_t scale;
    int64_t disp;
} IrMem;

IrRef ir_load(IrBlock *b, IrSpace space, IrType t, IrMem m);
void  ir_store(IrBlock *b, IrSpace space, IrMem m, IrRef v);
/**
 * Call @p c with @p n integer arguments (zero-extended to 64 bits); @p guard (I1) or IR_NONE:
 * only if it is 1; without the call the value, if any, is undefined.
 */
IrRef ir_call(IrBlock *b, const IrCallee *c, IrRef guard, const IrRef *args, unsigned n);
/** Execute the instruction @p n (gimle/native.h; kept by reference); @p m is its memory operand, if any. */
IrRef ir_native(IrBlock *b, struct NativeInsn *n, IrMem m);
void  ir_exit_if(IrBlock *b, IrRef cond, GuestAddr target, IrJumpKind k, uint8_t mode);
void  ir_jump(IrBlock *b, GuestAddr target, IrJumpKind k, uint8_t mode);
void  ir_jump_ind(IrBlock *b, IrRef target, IrJumpKind k, uint8_t mode);
/** The statements up to ir_cold_end() run only if @p cond; they are placed out of line. */
void  ir_cold_begin(IrBlock *b, IrRef cond);
void  ir_cold_end(IrBlock *b);
/** Memory operand of an OPF_MEM instruction. */
static inline IrMem ir_mem_of(const IrInsn *i)
{
    return (IrMem){ i->arg[0], i->arg[1], i->scale, i->disp };
}

/* ---- properties ------------------------------------------------------------------------ */

/** OPF_* of @p op. */
unsigned ir_op_flags(IrOp op);
const char *ir_op_name(IrOp op);
/** Number of entries of arg[], from the first, that are refs (CALL: 0, its guard is arg[1]). */
unsigned ir_op_nargs(IrOp op);

/**
 * Copying with changes, the way every instrumentation pass works: start with ir_copier(),
 * then for each instruction of the source either ir_copy_insn() it (arguments renamed through
 * the map) or emit something else and record it in map.
 */
typedef struct IrCopier {
    const IrBlock *src;
    IrBlock *dst;
    IrRef *map; /**< source ref → destination ref */
} IrCopier;
IrCopier ir_copier(const IrBlock *src, struct Arena *arena);
IrRef ir_copy_insn(IrCopier *c, IrRef i);
/** Rename the memory operand of source instruction @p i into the destination block. */
IrMem ir_copy_mem(const IrCopier *c, IrRef i);

/* ---- checking and printing --------------------------------------------------------------- */

/** NULL if @p b is well-formed, else a message (in the block's arena) naming the instruction. */
const char *ir_verify(const IrBlock *b);
/** Print as text that ir_parse() reads back. */
void ir_print(const IrBlock *b, void (*out)(void *ctx, const char *text), void *ctx);
/** Parse the text of ir_print(); NULL and a message in *err on failure. NATIVE lines carry bytes. */
IrBlock *ir_parse(struct Arena *arena, const char *text, const char **err);

#endif
