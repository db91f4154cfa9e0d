/* SPDX-License-Identifier: MIT */
/* Tables about types and ops: names, sizes, shapes, numbers of arguments. */
#include "ir_internal.h"

static const struct {
    const char *name;
    uint8_t size;
} type_info[TY_COUNT] = {
    [TY_NONE] = { "NONE", 0 }, [TY_I1] = { "I1", 0 },      [TY_I8] = { "I8", 1 },
    [TY_I16] = { "I16", 2 },   [TY_I32] = { "I32", 4 },    [TY_I64] = { "I64", 8 },
    [TY_V128] = { "V128", 16 }, [TY_V256] = { "V256", 32 }, [TY_V512] = { "V512", 64 },
    [TY_FLAGS] = { "FLAGS", 0 },
};

unsigned ir_type_size(IrType t)
{
    return type_info[t].size;
}

const char *ir_type_name(IrType t)
{
    return t < TY_COUNT ? type_info[t].name : "?";
}

IrType ir_type_of_size(unsigned bytes)
{
    static const uint8_t of_log2[] = { TY_I8, TY_I16, TY_I32, TY_I64, TY_V128, TY_V256, TY_V512 };
    bool known = bytes <= 64 && __builtin_popcount(bytes) == 1;
    return known ? (IrType)of_log2[__builtin_ctz(bytes)] : TY_NONE;
}

/* Number of arguments: by shape, and for statements by op (CALL: its refs are found apart). */
#define NARGS_STMT(op)                                                                     \
    ((op) == OP_STORE                      ? 3                                              \
     : (op) == OP_LOAD || (op) == OP_NATIVE ? 2                                             \
     : (op) == OP_PUT || (op) == OP_EXIT_IF || (op) == OP_JUMP_IND || (op) == OP_COLD_BEGIN)
#define NARGS(op, sh)                                                                      \
    ((sh) == SHAPE_STMT                         ? NARGS_STMT(op)                            \
     : (sh) == SHAPE_NULLARY                    ? 0                                         \
     : (sh) == SHAPE_SEL || (sh) == SHAPE_FLAGS ? 3                                         \
     : (sh) == SHAPE_BIN || (sh) == SHAPE_BINI || (sh) == SHAPE_SHIFT || (sh) == SHAPE_CMP || \
             (sh) == SHAPE_LBIN || (sh) == SHAPE_VMAKE                                      \
         ? 2                                                                                \
         : 1)

const IrOpInfo ir_op_info[OP_COUNT] = {
#define OP(name, shape, flags) \
    [OP_##name] = { #name, SHAPE_##shape, flags, NARGS(OP_##name, SHAPE_##shape) },
#include "gimle/irops.def"
#undef OP
};

unsigned ir_op_flags(IrOp op)
{
    return ir_op_info[op].flags;
}

const char *ir_op_name(IrOp op)
{
    return op < OP_COUNT ? ir_op_info[op].name : "?";
}

unsigned ir_op_nargs(IrOp op)
{
    return ir_op_info[op].nargs;
}

const char *const ir_cond_name[16] = {
    [CC_O] = "O",   [CC_NO] = "NO", [CC_B] = "B",   [CC_AE] = "AE", [CC_E] = "E",   [CC_NE] = "NE",
    [CC_BE] = "BE", [CC_A] = "A",   [CC_S] = "S",   [CC_NS] = "NS", [CC_P] = "P",   [CC_NP] = "NP",
    [CC_L] = "L",   [CC_GE] = "GE", [CC_LE] = "LE", [CC_G] = "G",
};

const char *const ir_flag_kind_name[FK_COUNT] = {
    [FK_ADD] = "ADD", [FK_ADC] = "ADC", [FK_SUB] = "SUB", [FK_SBB] = "SBB", [FK_LOGIC] = "LOGIC",
    [FK_INC] = "INC", [FK_DEC] = "DEC", [FK_SHL] = "SHL", [FK_SHR] = "SHR", [FK_SAR] = "SAR",
    [FK_ROL] = "ROL", [FK_ROR] = "ROR", [FK_MULS] = "MULS",
};

const char *const ir_jump_kind_name[JK_COUNT] = {
    [JK_BORING] = "BORING",   [JK_CALL] = "CALL",         [JK_RET] = "RET",
    [JK_SYSCALL] = "SYSCALL", [JK_CLIENT_REQ] = "CLIENT_REQ", [JK_NO_REDIR] = "NO_REDIR",
    [JK_SIGILL] = "SIGILL",   [JK_SIGTRAP] = "SIGTRAP",   [JK_SIGSEGV] = "SIGSEGV",
    [JK_SIGFPE_DIV] = "SIGFPE_DIV", [JK_CODE_CHANGED] = "CODE_CHANGED",
    [JK_YIELD] = "YIELD",     [JK_NODECODE] = "NODECODE",
    [JK_TRAP_FLAG] = "TRAP_FLAG",
};

_Static_assert(JK_COUNT == 14 && FK_COUNT == 13, "every kind needs its name here");

const char *const ir_space_name[3] = { [SPACE_GUEST] = "GUEST", [SPACE_SHADOW] = "SHADOW",
                                       [SPACE_STATE] = "STATE" };
const char *const ir_callee_kind_name[5] = { [CALLEE_PURE] = "PURE", [CALLEE_LIGHT] = "LIGHT",
                                             [CALLEE_FULL] = "FULL", [CALLEE_QUICK] = "QUICK",
                                             [CALLEE_ENTRY] = "ENTRY" };
