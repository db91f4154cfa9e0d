/* SPDX-License-Identifier: MIT */
/*
 * Which condition codes may still be read after each instruction of a block, so that dead ones
 * are neither computed nor kept.  At exits a few instructions of the target are looked at.  The
 * answer errs on the side of 'live'.
 */
#include "flags_flow.h"

#include <Zydis/Mnemonic.h>

#include "insn_table.h"

enum { PEEK_INSNS = 6, PEEK_JUMPS = 2 };

static bool is_direct_jump(const Insn *in)
{
    return in->operand[0].kind == OPK_IMM;
}

/** Is control certain to go on at the next instruction? */
static bool falls_through(const InsnRow *row)
{
    return !(row->props & (RP_END | RP_BRANCH));
}

unsigned flags_peek(const Amd64Decoder *d, CodeWindow *w, GuestAddr target)
{
    unsigned undecided = CCB_ALL, jumps = 0;
    for (unsigned i = 0; i < PEEK_INSNS; i++) {
        Insn in;
        size_t avail = code_window_at(w, target);
        if (amd64_decode(d, (const uint8_t *)target, avail, target, &in) != DECODE_OK)
            return undecided;
        if (in.n.cc_read & undecided)
            return undecided;
        undecided &= ~(unsigned)in.n.cc_write;
        if (!undecided)
            return 0;
        const InsnRow *row = insn_row(in.mnemonic);
        if (falls_through(row))
            target = in.next;
        else if (in.mnemonic == ZYDIS_MNEMONIC_JMP && is_direct_jump(&in) &&
                 jumps++ < PEEK_JUMPS)
            target = in.next + in.imm[0];
        else
            return undecided;
    }
    return undecided;
}

/** Live codes after the last instruction of a block. */
static unsigned live_at_end(const Amd64Decoder *d, CodeWindow *w, Insn *last)
{
    const InsnRow *row = insn_row(last->mnemonic);
    if (!(row->props & RP_END))
        return flags_peek(d, w, last->next);
    bool direct = (last->mnemonic == ZYDIS_MNEMONIC_JMP || row->props & RP_CALL) &&
                  is_direct_jump(last);
    return last->cc_target = direct ? (uint16_t)flags_peek(d, w, last->next + last->imm[0]) : CCB_ALL;
}

void flags_flow_block(const Amd64Decoder *d, CodeWindow *w, Insn **insns, unsigned n)
{
    unsigned live = live_at_end(d, w, insns[n - 1]);
    for (unsigned i = n; i-- > 0;) {
        Insn *in = insns[i];
        in->cc_live = (uint16_t)live;
        if (insn_row(in->mnemonic)->props & RP_BRANCH) {
            in->cc_target = (uint16_t)flags_peek(d, w, in->next + in->imm[0]);
            live |= in->cc_target;
        }
        live = (live & ~(unsigned)in->n.cc_write) | in->n.cc_read;
    }
}
