/* SPDX-License-Identifier: MIT */
/*
 * PCMPISTRI and its relatives: what lies behind the end of either string has no influence, and
 * may be undefined.  The end is the first lane that is 0 and all defined, or a number of lanes.
 */
#include <string.h>

#include "native.h"

/** What the helper must know. */
typedef union Strings {
    struct {
        uint64_t first : 9, second : 9;      /**< vector registers */
        uint64_t length1 : 9, length2 : 9;   /**< general registers, if there are lengths */
        uint64_t lane : 2, in_memory : 1, has_lengths : 1, wide_lengths : 1;
    };
    uint64_t word;
} Strings;

enum { VECTOR = 16 };

/** Is one of @p n bytes not zero? */
static bool is_any(const uint8_t *p, unsigned n)
{
    uint8_t all = 0;
    for (unsigned i = 0; i < n; i++)
        all |= p[i];
    return all != 0;
}

/** Does a lane before the end of string @p x have V bits? */
static bool undefined_before_0(const uint8_t *x, const uint8_t *v, unsigned lane)
{
    for (unsigned i = 0; i < VECTOR; i += lane) {
        if (is_any(v + i, lane))
            return true;
        if (!is_any(x + i, lane))
            return false;
    }
    return false;
}

/** Do the first lanes, as many as register @p length says, have V bits? */
static bool undefined_in_first(const struct VexState *s, Strings w, RegId length, const uint8_t *v)
{
    int64_t n;
    int32_t narrow;
    memcpy(&n, (const char *)s + gimle_reg_offset(length), sizeof n);
    memcpy(&narrow, &n, sizeof narrow);
    if (!w.wide_lengths)
        n = narrow;
    uint64_t lanes = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    return is_any(v, lanes < VECTOR / w.lane ? (unsigned)lanes * w.lane : VECTOR);
}

/** @p memory: address of the second string if it is there, @p v0, @p v1: its V bits. */
static uint64_t strings(struct VexState *s, uint64_t word, uint64_t memory, uint64_t v0,
                        uint64_t v1)
{
    Strings w = { .word = word };
    uint8_t x[2][VECTOR], v[2][VECTOR];
    RegId reg[2] = { (RegId)w.first, (RegId)w.second };
    for (unsigned k = 0; k < 2; k++) {
        memcpy(x[k], (const char *)s + gimle_reg_offset(reg[k]), VECTOR);
        memcpy(v[k], (const char *)s + gimle_reg_offset(REG_SHADOW_OF(reg[k])), VECTOR);
    }
    if (w.in_memory) {
        memcpy(x[1], (const void *)(uintptr_t)memory, VECTOR);
        memcpy(v[1], &v0, 8);
        memcpy(v[1] + 8, &v1, 8);
    }
    bool any;
    if (w.has_lengths)
        any = undefined_in_first(s, w, (RegId)w.length1, v[0]) ||
              undefined_in_first(s, w, (RegId)w.length2, v[1]);
    else
        any = undefined_before_0(x[0], v[0], w.lane) || undefined_before_0(x[1], v[1], w.lane);
    return any ? ~0ull : 0;
}

static const IrCallee callee_strings = { "mc_strings", (void *)strings, CALLEE_FULL, TY_I64, 4 };

void native_rule_strings(Nat *t)
{
    IrBlock *b = t->b;
    const NativeInsn *n = t->n;
    uint8_t op = n->bytes[n->off_opcode + n->opcode_len - 1];
    Strings w = { .lane = n->bytes[n->off_imm] & 1 ? 2 : 1, .has_lengths = !(op & 2) };
    IrRef any = IR_NONE;
    unsigned lengths = 0;
    for (unsigned k = 0; k < n->n_ops; k++) {
        const NativeOp *o = &n->op[k];
        if (!(o->access & NA_READ))
            continue;
        if (o->cls == RC_VEC && o->slot == NS_REG) {
            w.first = o->reg;
        } else if (o->cls == RC_VEC) {
            w.second = o->reg;
        } else if (o->cls == RC_GPR && o->slot == NS_FIXED) {
            any = native_any(t, any, native_op_vbits(t, o));
            w.wide_lengths = o->size == 8;
            if (lengths++ == 0)
                w.length1 = o->reg;
            else
                w.length2 = o->reg;
        }
    }
    w.in_memory = t->reads_mem;
    if (lengths != (w.has_lengths ? 2u : 0u) || (t->reads_mem && t->mem.n != 2)) {
        native_rule_whole(t);
        return;
    }
    IrRef args[4] = { c64(b, w.word), t->reads_mem ? mem_address(b, t->m) : c64(b, 0),
                      t->reads_mem ? vbits_full(b, TY_I64, t->mem.v[0]) : c64(b, 0),
                      t->reads_mem ? vbits_full(b, TY_I64, t->mem.v[1]) : c64(b, 0) };
    any = native_any(t, any, ir_call(b, &callee_strings, IR_NONE, args, 4));
    native_out_rest(t, any, true, true);
}
