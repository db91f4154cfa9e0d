/* SPDX-License-Identifier: MIT */
/*
 * Vector accesses of which a mask selects the lanes, gathers and scatters: only the lanes that
 * are accessed must be addressable, and each has V bits of its own.  A helper looks at the
 * registers, which slow mode has in the state, lane by lane.
 */
#include <string.h>

#include "base/check.h"
#include "helpers.h"
#include "native.h"
#include "../errors.h"

enum { NO_REG = 0x1ff, VECTOR_BYTES = 64 };

/** What the helper must know, in one word. */
typedef union Lanes {
    struct {
        uint64_t write : 1, zeroing : 1, contiguous : 1, broadcast : 1, wide_index : 1;
        uint64_t by_mask_register : 1; /**< else by sign bits of a vector */
        uint64_t scale : 2, mem_lane : 4, reg_lane : 4, count : 7;
        uint64_t data : 9, selector : 9, index : 9;
    };
    uint64_t word;
} Lanes;

/* ---- the helper --------------------------------------------------------------------- */

typedef struct Access {
    struct VexState *s;
    Lanes l;
    GuestAddr base;
    uint64_t undefined; /**< V bits of all lanes together */
} Access;

static uint8_t *reg_bytes(const Access *x, RegId r)
{
    return (uint8_t *)x->s + gimle_reg_offset(r);
}

/** The selector bit of lane @p i, or of its shadow. */
static bool selector_bit(const Access *x, unsigned i, bool shadow)
{
    if (x->l.selector == NO_REG)
        return !shadow;
    RegId r = (RegId)x->l.selector;
    const uint8_t *p = reg_bytes(x, shadow ? REG_SHADOW_OF(r) : r);
    if (!x->l.by_mask_register)
        return p[(i + 1) * x->l.mem_lane - 1] >> 7;
    if (!x->l.broadcast)
        return p[i / 8] >> i % 8 & 1;
    uint64_t all;
    memcpy(&all, p, sizeof all);
    return all != 0;
}

static GuestAddr lane_address(const Access *x, unsigned i, unsigned nth)
{
    if (x->l.index == NO_REG)
        return x->base + (uint64_t)(x->l.contiguous ? nth : i) * x->l.mem_lane;
    const uint8_t *p = reg_bytes(x, (RegId)x->l.index), *v;
    unsigned size = x->l.wide_index ? 8 : 4;
    v = reg_bytes(x, REG_SHADOW_OF((RegId)x->l.index)) + i * size;
    for (unsigned k = 0; k < size; k++) {
        if (v[k]) {
            mc_error_value(gimle_thread_of_state(x->s), 8, 0);
            break;
        }
    }
    int32_t narrow;
    int64_t wide;
    memcpy(&narrow, p + i * 4, 4);
    memcpy(&wide, p + i * size, size);
    return x->base + ((uint64_t)(x->l.wide_index ? wide : narrow) << x->l.scale);
}

/** Check a lane; V bits of it to @p v if it is read, else from there. */
static void access_lane(Access *x, GuestAddr a, uint8_t *v)
{
    bool bad = false;
    for (unsigned k = 0; k < x->l.mem_lane; k++) {
        if (!shadow_is_addressable(a + k)) {
            bad = true;
        } else if (!x->l.write) {
            v[k] = *gimle_shadow(a + k);
        } else {
            if (v[k] == SH_NOACCESS)
                shadow_note_pattern(a + k);
            *gimle_shadow(a + k) = v[k];
        }
        if (!x->l.write)
            x->undefined |= v[k];
    }
    if (bad)
        mc_error_access(gimle_thread_of_state(x->s), a, x->l.mem_lane, x->l.write);
}

/** V bits of lane @p i in the register, cut to the size in memory: undefined if cut and any is. */
static void lane_to_store(const Access *x, const uint8_t *reg, unsigned i, uint8_t *v)
{
    const uint8_t *p = reg + i * x->l.reg_lane;
    memcpy(v, p, x->l.mem_lane);
    if (x->l.reg_lane == x->l.mem_lane)
        return;
    uint8_t any = 0;
    for (unsigned k = 0; k < x->l.reg_lane; k++)
        any |= p[k];
    memset(v, any ? 0xff : 0, x->l.mem_lane);
}

/** What an unselected lane, or one whose selector is undefined, leaves in the register. */
static void settle_lane(const Access *x, unsigned i, bool active, uint8_t *v)
{
    if (selector_bit(x, i, true))
        memset(v, 0xff, x->l.mem_lane);
    else if (!active && x->l.zeroing)
        memset(v, 0, x->l.mem_lane);
}

static uint64_t lanes(struct VexState *s, uint64_t base, uint64_t word)
{
    Access x = { .s = s, .l = { .word = word }, .base = base };
    uint8_t *reg = x.l.data == NO_REG ? NULL : reg_bytes(&x, REG_SHADOW_OF((RegId)x.l.data));
    unsigned nth = 0;
    for (unsigned i = 0; i < x.l.count; i++) {
        uint8_t v[8] = { 0 };
        bool active = selector_bit(&x, i, false);
        if (active) {
            if (x.l.write && reg)
                lane_to_store(&x, reg, i, v);
            access_lane(&x, lane_address(&x, i, nth++), v);
        }
        if (x.l.write || !reg)
            continue;
        uint8_t *to = reg + i * x.l.mem_lane;
        if (active)
            memcpy(to, v, x.l.mem_lane);
        settle_lane(&x, i, active, to);
    }
    unsigned used = x.l.count * x.l.mem_lane;
    if (!x.l.write && reg) /* above the vector length it is zero */
        memset(reg + used, 0, VECTOR_BYTES - used);
    return x.undefined ? ~0ull : 0;
}

static const IrCallee callee_lanes = { "mc_lanes", (void *)lanes, CALLEE_FULL, TY_I64, 2 };

/* ---- what an instruction does ------------------------------------------------------- */

static uint8_t opcode_of(const NativeInsn *n) { return n->bytes[n->off_opcode + n->opcode_len - 1]; }

/** The opcode map: 1 for 0F, 2 for 0F38. */
static unsigned map_of(const NativeInsn *n)
{
    return n->enc == NE_EVEX || n->prefix_len == 3 ? n->bytes[n->off_prefix + 1] & 7 : 1;
}

static bool is_one_of(const char *opcodes, size_t count, uint8_t op)
{
    return memchr(opcodes, op, count) != NULL;
}
#define ONE_OF(opcodes, op) is_one_of(opcodes, sizeof(opcodes) - 1, op)

/** Do lanes go between register and memory as they are? */
static bool moves_lanes(const NativeInsn *n)
{
    uint8_t op = opcode_of(n);
    if (n->flags & NF_VSIB)
        return true;
    if (n->enc != NE_EVEX)
        return map_of(n) == 2 && ONE_OF("\x2c\x2d\x2e\x2f\x8c\x8e", op);
    if (map_of(n) == 1)
        return ONE_OF("\x10\x11\x28\x29\x6f\x7f", op);
    bool narrows = (n->mem_access & NA_WRITE) && op >= 0x11 && op <= 0x35;
    return map_of(n) == 2 && (narrows || ONE_OF("\x62\x63\x88\x89\x8a\x8b", op));
}

static bool is_contiguous(const NativeInsn *n)
{
    return n->enc == NE_EVEX && map_of(n) == 2 && ONE_OF("\x62\x63\x88\x89\x8a\x8b", opcode_of(n));
}

static const NativeOp *data_operand(const NativeInsn *n, const NativeOp *selector)
{
    for (unsigned k = 0; k < n->n_ops; k++)
        if (n->op[k].cls == RC_VEC && n->op[k].slot == NS_REG && &n->op[k] != selector)
            return &n->op[k];
    return NULL;
}

static const NativeOp *operand_in(const NativeInsn *n, NativeSlot slot, RegClass cls)
{
    for (unsigned k = 0; k < n->n_ops; k++)
        if (n->op[k].slot == slot && n->op[k].cls == cls)
            return &n->op[k];
    return NULL;
}

static void set_gather(const NativeInsn *n, const NativeOp *data, Lanes *l)
{
    const NativeOp *index = operand_in(n, NS_VSIB, RC_VEC);
    CHECK(index && data, "gather without index");
    l->index = index->reg;
    l->wide_index = opcode_of(n) & 1;
    l->scale = n->bytes[n->off_modrm + 1] >> 6;
    unsigned by_index = index->size / (l->wide_index ? 8u : 4u), by_data = data->size / n->mem_lane;
    l->count = by_index < by_data ? by_index : by_data;
}

static Lanes describe(const NativeInsn *n)
{
    const NativeOp *mask = operand_in(n, NS_AAA, RC_MASK);
    const NativeOp *selector = mask || n->enc == NE_EVEX ? mask : operand_in(n, NS_VVVV, RC_VEC);
    const NativeOp *data = moves_lanes(n) ? data_operand(n, selector) : NULL;
    const uint8_t *prefix = n->bytes + n->off_prefix;
    Lanes l = { .write = (n->mem_access & NA_WRITE) != 0, .mem_lane = n->mem_lane,
                .reg_lane = n->mem_lane, .data = data ? data->reg : NO_REG, .index = NO_REG,
                .selector = selector ? selector->reg : NO_REG, .by_mask_register = mask != NULL,
                .contiguous = is_contiguous(n), .count = n->mem_size / n->mem_lane,
                .zeroing = n->enc != NE_EVEX || prefix[3] >> 7,
                .broadcast = n->enc == NE_EVEX && (prefix[3] >> 4 & 1) };
    if (n->flags & NF_VSIB) {
        set_gather(n, data, &l);
        l.zeroing = 0;
        l.broadcast = 0;
    } else if (data && l.write && l.count) {
        unsigned reg_lane = (unsigned)data->size / l.count;
        l.reg_lane = reg_lane <= 8 && reg_lane >= n->mem_lane ? reg_lane : n->mem_lane;
    }
    return l;
}

bool native_access_lanes(Nat *t)
{
    const NativeInsn *n = t->n;
    if (!(n->flags & (NF_MASKED_MEM | NF_VSIB)) || !n->mem_access || n->mem_lane < 1 ||
        n->mem_lane > 8 || n->mem_size < n->mem_lane || n->mem_size > VECTOR_BYTES)
        return false;
    Lanes l = describe(n);
    IrRef args[2] = { mem_address(t->b, t->m), c64(t->b, l.word) };
    IrRef any = ir_call(t->b, &callee_lanes, IR_NONE, args, 2);
    if (l.data == NO_REG) { /* computes with what it reads */
        if (n->mem_access & NA_READ) {
            t->mem.v[0] = any;
            t->mem.n = 1;
        }
        return false;
    }
    for (unsigned k = 0; k < n->n_ops; k++) {
        const NativeOp *o = &n->op[k];
        if (!(o->access & NA_WRITE))
            continue;
        if (o->reg == l.data)
            slow_note_written(t->s, o->reg);
        else if (o->cls == RC_MASK) /* a gather clears its mask */
            native_out_int(t, o, c64(t->b, 0));
        else
            native_out_vec(t, o, ir_const(t->b, native_vec_type(o->size), 0));
    }
    return true;
}
