/* SPDX-License-Identifier: MIT */
/*
 * Building blocks of IR, and copying them with changes.  Every translated guest instruction
 * comes through here several times, so appending is one bounds test and one 32-byte copy;
 * nothing is looked up or shared (that is the optimiser's job).
 */
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "ir_internal.h"
#include "gimle/native.h"

_Static_assert(sizeof(IrInsn) == 32, "two instructions per cache line");

enum { FIRST_CAP = 128 };

static IrBlock *block_new(struct Arena *arena, GuestAddr addr, uint8_t mode, uint32_t cap)
{
    IrBlock *b = arena_new(arena, IrBlock);
    b->insn = arena_alloc_raw(arena, cap * sizeof *b->insn);
    b->cap = cap;
    b->addr = addr;
    b->mode = mode;
    b->flags_live_out = true;
    b->arena = arena;
    return b;
}

IrBlock *ir_block_new(struct Arena *arena, GuestAddr addr, uint8_t mode)
{
    return block_new(arena, addr, mode, FIRST_CAP);
}

/** A copy of the @p n elements of @p size bytes at @p old with room for 2n (at least 16). */
static void *grow(struct Arena *a, const void *old, uint32_t n, size_t size, uint32_t *cap)
{
    *cap = n < 8 ? 16 : n * 2;
    void *p = arena_alloc_raw(a, *cap * size);
    if (n)
        memcpy(p, old, n * size);
    return p;
}

static __attribute__((noinline)) void grow_insns(IrBlock *b)
{
    b->insn = grow(b->arena, b->insn, b->n, sizeof *b->insn, &b->cap);
}

/** The place of the next instruction; its number is then b->n - 1. */
static inline IrInsn *next_place(IrBlock *b)
{
    if (__builtin_expect(b->n == b->cap, 0))
        grow_insns(b);
    return &b->insn[b->n++];
}

/** ir_emit() for the functions of this file. */
static inline __attribute__((always_inline)) IrRef append(IrBlock *b, IrInsn insn)
{
    *next_place(b) = insn;
    return b->n - 1;
}

IrRef ir_emit(IrBlock *b, const IrInsn *insn) { return append(b, *insn); }

static inline IrRef emit3(IrBlock *b, IrOp op, IrType t, unsigned sub, IrRef x, IrRef y, IrRef z)
{
    return append(b, (IrInsn){ .op = (uint8_t)op, .type = (uint8_t)t, .sub = (uint8_t)sub,
                                 .arg = { x, y, z } });
}

/** The bits of a constant that count. */
static const uint64_t const_mask[TY_COUNT] = {
    [TY_I1] = 1, [TY_I8] = 0xff, [TY_I16] = 0xffff, [TY_I32] = 0xffffffff, [TY_I64] = ~0ull,
    [TY_V128] = ~0ull, [TY_V256] = ~0ull, [TY_V512] = ~0ull, [TY_FLAGS] = ~0ull
};

IrRef ir_const(IrBlock *b, IrType t, uint64_t v)
{
    v &= const_mask[t];
    return append(b, (IrInsn){ .op = OP_CONST, .type = (uint8_t)t,
                                 .arg = { IR_NONE, IR_NONE, IR_NONE }, .imm = v });
}

IrRef ir_get(IrBlock *b, IrType t, RegId r)
{
    return append(b, (IrInsn){ .op = OP_GET, .type = (uint8_t)t, .aux = r,
                                 .arg = { IR_NONE, IR_NONE, IR_NONE } });
}

void ir_put(IrBlock *b, RegId r, IrRef v)
{
    append(b, (IrInsn){ .op = OP_PUT, .aux = r, .arg = { v, IR_NONE, IR_NONE } });
}

IrRef ir_unop(IrBlock *b, IrOp op, IrType t, IrRef a)
{
    return emit3(b, op, t, 0, a, IR_NONE, IR_NONE);
}

IrRef ir_binop(IrBlock *b, IrOp op, IrRef a, IrRef b2)
{
    return emit3(b, op, b->insn[a].type, 0, a, b2, IR_NONE);
}

IrRef ir_cmp(IrBlock *b, IrOp op, IrRef a, IrRef b2)
{
    return emit3(b, op, TY_I1, 0, a, b2, IR_NONE);
}

IrRef ir_lane_op(IrBlock *b, IrOp op, IrLane lane, IrRef a, IrRef b2)
{
    return emit3(b, op, b->insn[a].type, lane, a, b2, IR_NONE);
}

IrRef ir_select(IrBlock *b, IrRef cond, IrRef a, IrRef b2)
{
    return emit3(b, OP_SELECT, b->insn[a].type, 0, cond, a, b2);
}

IrRef ir_flags(IrBlock *b, IrFlagKind k, IrType width, IrRef a, IrRef b2, IrRef c)
{
    return append(b, (IrInsn){ .op = OP_FLAGS, .type = TY_FLAGS, .sub = (uint8_t)k,
                                 .aux = (uint16_t)width, .arg = { a, b2, c } });
}

IrRef ir_cond(IrBlock *b, IrCond cc, IrRef flags)
{
    return emit3(b, OP_COND, TY_I1, cc, flags, IR_NONE, IR_NONE);
}

IrRef ir_load(IrBlock *b, IrSpace space, IrType t, IrMem m)
{
    return append(b, (IrInsn){ .op = OP_LOAD, .type = (uint8_t)t, .space = (uint8_t)space,
                                 .scale = m.scale, .arg = { m.base, m.index, IR_NONE },
                                 .disp = m.disp });
}

void ir_store(IrBlock *b, IrSpace space, IrMem m, IrRef v)
{
    append(b, (IrInsn){ .op = OP_STORE, .space = (uint8_t)space, .scale = m.scale,
                          .arg = { m.base, m.index, v }, .disp = m.disp });
}

IrRef ir_call(IrBlock *b, const IrCallee *c, IrRef guard, const IrRef *args, unsigned n)
{
    CHECK(n == c->nargs && n <= 5, "%u arguments for %s", n, c->name);
    while (b->n_extra + n > b->cap_extra)
        b->extra = grow(b->arena, b->extra, b->n_extra, sizeof *b->extra, &b->cap_extra);
    IrInsn i = { .op = OP_CALL, .type = (uint8_t)c->ret, .sub = (uint8_t)n,
                 .arg = { b->n_extra, guard, IR_NONE }, .callee = c };
    if (n)
        memcpy(&b->extra[b->n_extra], args, n * sizeof *args);
    b->n_extra += n;
    return append(b, i);
}

void ir_exit_if(IrBlock *b, IrRef cond, GuestAddr target, IrJumpKind k, uint8_t mode)
{
    append(b, (IrInsn){ .op = OP_EXIT_IF, .sub = (uint8_t)k, .mode = mode,
                          .arg = { cond, IR_NONE, IR_NONE }, .imm = target });
}

void ir_jump(IrBlock *b, GuestAddr target, IrJumpKind k, uint8_t mode)
{
    append(b, (IrInsn){ .op = OP_JUMP, .sub = (uint8_t)k, .mode = mode,
                          .arg = { IR_NONE, IR_NONE, IR_NONE }, .imm = target });
}

void ir_jump_ind(IrBlock *b, IrRef target, IrJumpKind k, uint8_t mode)
{
    append(b, (IrInsn){ .op = OP_JUMP_IND, .sub = (uint8_t)k, .mode = mode,
                          .arg = { target, IR_NONE, IR_NONE } });
}

void ir_cold_begin(IrBlock *b, IrRef cond)
{
    emit3(b, OP_COLD_BEGIN, TY_NONE, 0, cond, IR_NONE, IR_NONE);
}

void ir_cold_end(IrBlock *b)
{
    emit3(b, OP_COLD_END, TY_NONE, 0, IR_NONE, IR_NONE, IR_NONE);
}

IrRef ir_native(IrBlock *b, struct NativeInsn *n, IrMem m)
{
    if (b->n_native == b->cap_native)
        b->native = grow(b->arena, b->native, b->n_native, sizeof *b->native, &b->cap_native);
    CHECK(b->n_native < UINT16_MAX, "too many native instructions in one block");
    b->native[b->n_native] = n;
    return append(b, (IrInsn){ .op = OP_NATIVE, .aux = (uint16_t)b->n_native++, .scale = m.scale,
                                 .arg = { m.base, m.index, IR_NONE }, .disp = m.disp });
}

IrCopier ir_copier(const IrBlock *src, struct Arena *arena)
{
    /* Room for a typical instrumentation at once: growing copies. */
    IrBlock *dst = block_new(arena, src->addr, src->mode, src->n + src->n / 2 + 16);
    dst->flags_live_out = src->flags_live_out;
    dst->n_guest = src->n_guest;
    /* Payloads are shared: both blocks see the same ones under the same numbers. */
    dst->native = src->native;
    dst->n_native = dst->cap_native = src->n_native;
    IrCopier c = { src, dst, arena_alloc_raw(arena, src->n * sizeof *c.map) };
    memset(c.map, 0xff, sizeof *c.map * src->n);
    return c;
}

static inline IrRef mapped(const IrCopier *c, IrRef r)
{
    return r == IR_NONE ? IR_NONE : c->map[r];
}

IrMem ir_copy_mem(const IrCopier *c, IrRef i)
{
    const IrInsn *s = &c->src->insn[i];
    return (IrMem){ mapped(c, s->arg[0]), mapped(c, s->arg[1]), s->scale, s->disp };
}

static __attribute__((noinline)) IrRef copy_call(IrCopier *c, const IrInsn *s)
{
    IrRef args[5];
    CHECK(s->sub <= 5, "CALL with %u arguments", s->sub);
    for (unsigned k = 0; k < s->sub; k++)
        args[k] = c->map[c->src->extra[s->arg[0] + k]];
    return ir_call(c->dst, s->callee, mapped(c, s->arg[1]), args, s->sub);
}

IrRef ir_copy_insn(IrCopier *c, IrRef i)
{
    const IrInsn *s = &c->src->insn[i];
    if (s->op == OP_CALL)
        return c->map[i] = copy_call(c, s);
    IrInsn *n = next_place(c->dst);
    unsigned nargs = ir_op_info[s->op].nargs;
    *n = *s;
    if (nargs > 0)
        n->arg[0] = mapped(c, s->arg[0]);
    if (nargs > 1)
        n->arg[1] = mapped(c, s->arg[1]);
    if (nargs > 2)
        n->arg[2] = mapped(c, s->arg[2]);
    return c->map[i] = c->dst->n - 1;
}
