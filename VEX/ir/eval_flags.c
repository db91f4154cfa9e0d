/* SPDX-License-Identifier: MIT */
/*
 * What the condition codes are after each kind of operation, as the amd64 manuals define them;
 * where they leave one undefined, the value here is the one everybody (interpreter, constant
 * folding, back end) agrees on.
 */
#include "base/check.h"
#include "eval.h"
#include "ir_internal.h"

/** The operands of one operation, and its result. */
typedef struct FlagOp {
    unsigned bits;
    uint64_t mask, a, b, c;
    uint64_t r;    /**< set by the kind's function */
    IrType width;
} FlagOp;

typedef uint64_t (*FlagFn)(FlagOp *o);

static uint64_t msb(const FlagOp *o, uint64_t v)
{
    return v >> (o->bits - 1) & 1;
}

static uint64_t flag(uint64_t on, uint64_t bit)
{
    return on & 1 ? bit : 0;
}

/** SF, ZF, PF of the result. */
static uint64_t result_flags(const FlagOp *o)
{
    return flag(msb(o, o->r), RF_SF) | flag(o->r == 0, RF_ZF) |
           flag(!__builtin_parity(o->r & 0xff), RF_PF);
}

static uint64_t half_carry(const FlagOp *o, uint64_t b)
{
    return (o->a ^ b ^ o->r) & RF_AF;
}

static uint64_t add_with(FlagOp *o, uint64_t carry_in)
{
    o->r = (o->a + o->b + carry_in) & o->mask;
    uint64_t carry = carry_in ? o->r <= o->a : o->r < o->a;
    uint64_t over = msb(o, (o->a ^ o->r) & (o->b ^ o->r));
    return result_flags(o) | half_carry(o, o->b) | flag(carry, RF_CF) | flag(over, RF_OF);
}

static uint64_t sub_with(FlagOp *o, uint64_t carry_in)
{
    o->r = (o->a - o->b - carry_in) & o->mask;
    uint64_t borrow = carry_in ? o->a <= o->b : o->a < o->b;
    uint64_t over = msb(o, (o->a ^ o->b) & (o->a ^ o->r));
    return result_flags(o) | half_carry(o, o->b) | flag(borrow, RF_CF) | flag(over, RF_OF);
}

static uint64_t of_add(FlagOp *o) { return add_with(o, 0); }
static uint64_t of_adc(FlagOp *o) { return add_with(o, o->c & 1); }
static uint64_t of_sub(FlagOp *o) { return sub_with(o, 0); }
static uint64_t of_sbb(FlagOp *o) { return sub_with(o, o->c & 1); }

static uint64_t of_logic(FlagOp *o)
{
    o->r = o->a;
    return result_flags(o);
}

static uint64_t of_inc(FlagOp *o)
{
    o->b = 1;
    return (add_with(o, 0) & ~(uint64_t)RF_CF) | (o->c & RF_CF);
}

static uint64_t of_dec(FlagOp *o)
{
    o->b = 1;
    return (sub_with(o, 0) & ~(uint64_t)RF_CF) | (o->c & RF_CF);
}

/* Shifts: counts up to 63; those beyond the width move out everything. AF is clear. */

static uint64_t of_shl(FlagOp *o)
{
    uint64_t n = o->b;
    if (n == 0)
        return o->c;
    o->r = n < o->bits ? o->a << n & o->mask : 0;
    uint64_t carry = n <= o->bits ? o->a >> (o->bits - n) & 1 : 0;
    return result_flags(o) | flag(carry, RF_CF) | flag(carry ^ msb(o, o->r), RF_OF);
}

static uint64_t of_shr(FlagOp *o)
{
    uint64_t n = o->b;
    if (n == 0)
        return o->c;
    o->r = n < o->bits ? o->a >> n : 0;
    uint64_t carry = n <= o->bits ? o->a >> (n - 1) & 1 : 0;
    return result_flags(o) | flag(carry, RF_CF) | flag(msb(o, o->r ^ o->r << 1), RF_OF);
}

static uint64_t of_sar(FlagOp *o)
{
    uint64_t n = o->b;
    if (n == 0)
        return o->c;
    int64_t a = ir_sext(o->width, o->a);
    o->r = (uint64_t)(a >> n) & o->mask;
    return result_flags(o) | flag((uint64_t)(a >> (n - 1)), RF_CF);
}

/* Rotates: any count that is not 0 sets CF and OF, even a multiple of the width. */

static uint64_t of_rol(FlagOp *o)
{
    if (o->b == 0)
        return o->c;
    o->r = eval_binop(OP_ROL, o->width, o->a, o->b);
    return (o->c & ~(uint64_t)(RF_CF | RF_OF)) | flag(o->r, RF_CF) |
           flag(o->r ^ msb(o, o->r), RF_OF);
}

static uint64_t of_ror(FlagOp *o)
{
    if (o->b == 0)
        return o->c;
    o->r = eval_binop(OP_ROR, o->width, o->a, o->b);
    return (o->c & ~(uint64_t)(RF_CF | RF_OF)) | flag(msb(o, o->r), RF_CF) |
           flag(msb(o, o->r ^ o->r << 1), RF_OF);
}

static uint64_t of_muls(FlagOp *o)
{
    o->r = o->a * o->b & o->mask;
    __int128 full = (__int128)ir_sext(o->width, o->a) * ir_sext(o->width, o->b);
    bool lost = full != ir_sext(o->width, o->r);
    return result_flags(o) | (lost ? RF_CF | RF_OF : 0);
}

static const FlagFn flag_fn[FK_COUNT] = {
    [FK_ADD] = of_add, [FK_ADC] = of_adc, [FK_SUB] = of_sub, [FK_SBB] = of_sbb,
    [FK_LOGIC] = of_logic, [FK_INC] = of_inc, [FK_DEC] = of_dec, [FK_SHL] = of_shl,
    [FK_SHR] = of_shr, [FK_SAR] = of_sar, [FK_ROL] = of_rol, [FK_ROR] = of_ror,
    [FK_MULS] = of_muls,
};

uint64_t eval_flags(IrFlagKind k, IrType width, uint64_t a, uint64_t b, uint64_t c)
{
    CHECK(k < FK_COUNT && ir_is_int(width), "kind %d width %d", k, width);
    FlagOp o = { .bits = ir_bits(width), .mask = ir_mask(width), .a = a, .b = b, .c = c,
                 .width = width };
    return flag_fn[k](&o);
}

bool eval_cond(IrCond cc, uint64_t f)
{
    bool cf = f & RF_CF, zf = f & RF_ZF, sf = f & RF_SF, of = f & RF_OF, pf = f & RF_PF;
    /* In pairs: the odd member is the negation. */
    const bool even[8] = { of, cf, zf, cf || zf, sf, pf, sf != of, zf || sf != of };
    return even[cc >> 1] ^ (cc & 1);
}
