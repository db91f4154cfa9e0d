/* SPDX-License-Identifier: MIT */
/*
 * IR as text, in the form that parse.c reads back.  One instruction a line:
 *
 *   block 0x401000 mode 0 guest 2 flags_live_out 1
 *     IMARK 0x401000, 3
 *     t1:I64 = GET rax
 *     t2:I32 = LOAD.GUEST [t1 + t0<<2 + 0x10]
 *     t3:FLAGS = FLAGS.SUB.I32 t2, t2, -
 *     NATIVE [t1 + 0x8] {bytes=48010b enc=0 ... op=rax:1:3:0:0:8:8 }
 *     t9:I64 = CALL.LIGHT helper@0x55d0(t1, t2) if t8
 *     EXIT_IF t8, 0x401010 BORING mode 1
 *   end
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ir_internal.h"
#include "text.h"

/** One line being made; longer ones are cut, which only a malformed block can cause. */
typedef struct Line {
    char s[2048];
    size_t n;
} Line;

static void add(Line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(Line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(l->s + l->n, sizeof l->s - l->n, fmt, ap);
    va_end(ap);
    if (n > 0)
        l->n += (size_t)n < sizeof l->s - l->n ? (size_t)n : sizeof l->s - l->n - 1;
}

static void add_ref(Line *l, IrRef r)
{
    if (r == IR_NONE)
        add(l, "-");
    else
        add(l, "t%u", r);
}

static void add_mem(Line *l, const IrInsn *i)
{
    const char *sep = "";
    add(l, "[");
    if (i->arg[0] != IR_NONE) {
        add(l, "t%u", i->arg[0]);
        sep = " + ";
    }
    if (i->arg[1] != IR_NONE) {
        add(l, "%st%u<<%u", sep, i->arg[1], i->scale);
        sep = " + ";
    }
    if (i->disp < 0)
        add(l, "%s0x%llx]", *sep ? " - " : "-", -(unsigned long long)i->disp);
    else
        add(l, "%s0x%llx]", sep, (unsigned long long)i->disp);
}

static void add_native(Line *l, const NativeInsn *n)
{
    char name[24];
    add(l, " {bytes=");
    for (unsigned k = 0; k < n->len && k < sizeof n->bytes; k++)
        add(l, "%02x", n->bytes[k]);
    for (const NativeField *f = ir_native_fields; f->name; f++) {
        int64_t v = ir_native_field_get(n, f);
        if (v)
            add(l, " %s=%lld", f->name, (long long)v);
    }
    for (unsigned k = 0; k < n->n_ops && k < NATIVE_MAX_OPS; k++) {
        const NativeOp *o = &n->op[k];
        add(l, " op=%s:%u:%u:%u:%u:%u:%u", gimle_reg_name(o->reg, name), o->slot, o->access, o->cls,
            o->offset, o->size, o->wsize);
    }
    add(l, " }");
}

static void add_call(Line *l, const IrBlock *b, const IrInsn *i)
{
    const IrCallee *c = i->callee;
    add(l, ".%s %s@%p(", ir_callee_kind_name[c->kind], c->name, c->fn);
    for (unsigned k = 0; k < i->sub; k++) {
        add(l, "%s", k ? ", " : "");
        add_ref(l, b->extra[i->arg[0] + k]);
    }
    add(l, ")");
    if (i->arg[1] != IR_NONE)
        add(l, " if t%u", i->arg[1]);
}

static void add_where(Line *l, const IrInsn *i)
{
    add(l, " %s mode %u", i->sub < JK_COUNT ? ir_jump_kind_name[i->sub] : "?", i->mode);
}

static void add_statement(Line *l, const IrBlock *b, const IrInsn *i)
{
    char name[24];
    switch (i->op) {
    case OP_IMARK:
        add(l, " 0x%llx, %u", (unsigned long long)i->imm, i->aux);
        break;
    case OP_PUT:
        add(l, " %s, ", gimle_reg_name(i->aux, name));
        add_ref(l, i->arg[0]);
        break;
    case OP_LOAD:
    case OP_STORE:
        add(l, ".%s ", ir_space_name[i->space]);
        add_mem(l, i);
        if (i->op == OP_STORE)
            add(l, ", t%u", i->arg[2]);
        break;
    case OP_NATIVE:
        add(l, " ");
        add_mem(l, i);
        add_native(l, b->native[i->aux]);
        break;
    case OP_CALL:
        add_call(l, b, i);
        break;
    case OP_EXIT_IF:
        add(l, " t%u, 0x%llx", i->arg[0], (unsigned long long)i->imm);
        add_where(l, i);
        break;
    case OP_JUMP:
        add(l, " 0x%llx", (unsigned long long)i->imm);
        add_where(l, i);
        break;
    case OP_JUMP_IND:
        add(l, " t%u", i->arg[0]);
        add_where(l, i);
        break;
    case OP_COLD_BEGIN:
        add(l, " t%u", i->arg[0]);
        break;
    default:
        break;
    }
}

/** What follows the op's name in lane ops, FLAGS and COND. */
static void add_suffix(Line *l, const IrInsn *i)
{
    switch (ir_op_info[i->op].shape) {
    case SHAPE_LUN:
    case SHAPE_LBIN:
    case SHAPE_LSHIFT:
        add(l, ".%u", 8u << (i->sub & 3));
        break;
    case SHAPE_FLAGS:
        add(l, ".%s.%s", i->sub < FK_COUNT ? ir_flag_kind_name[i->sub] : "?",
            ir_type_name((IrType)i->aux));
        break;
    case SHAPE_COND:
        add(l, ".%s", ir_cond_name[i->sub & 15]);
        break;
    default:
        break;
    }
}

static void add_value_op(Line *l, const IrInsn *i)
{
    char name[24];
    const IrOpInfo *info = &ir_op_info[i->op];
    add_suffix(l, i);
    for (unsigned k = 0; k < info->nargs; k++) {
        add(l, k ? ", " : " ");
        add_ref(l, i->arg[k]);
    }
    if (i->op == OP_GET)
        add(l, " %s", gimle_reg_name(i->aux, name));
    else if (i->op == OP_CONST)
        add(l, " 0x%llx", (unsigned long long)i->imm);
    else if (info->shape == SHAPE_LSHIFT || info->shape == SHAPE_VGET)
        add(l, ", %llu", (unsigned long long)i->imm);
}

static void add_insn(Line *l, const IrBlock *b, IrRef r)
{
    const IrInsn *i = &b->insn[r];
    l->n = 0;
    add(l, "  ");
    if (i->type != TY_NONE)
        add(l, "t%u:%s = ", r, ir_type_name((IrType)i->type));
    add(l, "%s", ir_op_name((IrOp)i->op));
    if (i->op >= OP_COUNT)
        add(l, " %u", i->op);
    else if (ir_op_info[i->op].shape == SHAPE_STMT)
        add_statement(l, b, i);
    else
        add_value_op(l, i);
    add(l, "\n");
}

void ir_print(const IrBlock *b, void (*out)(void *ctx, const char *text), void *ctx)
{
    Line l = { .n = 0 };
    add(&l, "block 0x%llx mode %u guest %u flags_live_out %u\n", (unsigned long long)b->addr,
        b->mode, b->n_guest, b->flags_live_out);
    out(ctx, l.s);
    for (IrRef r = 0; r < b->n; r++) {
        add_insn(&l, b, r);
        out(ctx, l.s);
    }
    out(ctx, "end\n");
}
