/* SPDX-License-Identifier: MIT */
/* Which register has which bit of the mask: made once from the guest's register table. */
#include "regmask.h"

#include "base/check.h"
#include "../memcheck.h"

enum { GPR_BITS = 16, VEC_BITS = 15, MAX_REGS = 256 };

RegmaskRow regmask_rows[MAX_REGS];
unsigned regmask_n_rows;
const RegmaskRow *regmask_of_bit[32];
uint32_t mc_tool_words;
uint32_t mc_result_bit, mc_argument_bit[2];

static void set_bit(RegId r, uint32_t bit)
{
    regmask_rows[r] = (RegmaskRow){ bit, gimle_reg_offset(REG_SHADOW_OF(r)), gimle_reg_size(r) };
    if (bit != RM_GROUP)
        regmask_of_bit[__builtin_ctz(bit)] = &regmask_rows[r];
}

void regmask_init(void)
{
    unsigned gpr = 0, vec = 0;
    const GuestInfo *g = gimle_guest;
    CHECK(g->n_regs <= MAX_REGS);
    for (unsigned r = 0; r < g->n_regs; r++) {
        switch (g->regs[r].cls) {
        case RC_GPR:
            /* The flags take the place that the stack pointer does not need. */
            set_bit(r == g->sp ? g->flags : (RegId)r, gpr < GPR_BITS ? 1u << gpr++ : RM_GROUP);
            break;
        case RC_VEC:
            set_bit((RegId)r, vec < VEC_BITS ? 1u << (GPR_BITS + vec++) : RM_GROUP);
            break;
        case RC_MASK:
        case RC_FPU:
            set_bit((RegId)r, RM_GROUP);
            break;
        case RC_FLAG:
        case RC_PC:
        case RC_SYS:
            break;
        }
    }
    regmask_n_rows = g->n_regs;
    mc_tool_words = gimle_reg_offset(REG_TOOL(0));
    mc_result_bit = regmask_bit(g->result);
    mc_argument_bit[0] = regmask_bit(g->arg[0]);
    mc_argument_bit[1] = regmask_bit(g->arg[1]);
}
