/* SPDX-License-Identifier: MIT */
/*
 * Which condition codes may still be read after each instruction of a block, so that dead ones
 * are neither computed nor kept.  At exits a few instructions of the target are looked at.  The
 * answer errs on the side of 'live', with one exception: condition codes are taken as dead at
 * calls and returns, as every compiler's calling convention has it, unless the code says
 * otherwise.  It does when a function's first instructions read them, or those after a call (Go calls
 * functions that clear or copy memory between a comparison and its jump): such code is recognised as soon
 * as the call is seen, from then on nothing is assumed, and VexTranslation.assumption_failed asks for
 * older translations to be discarded.
 */
#include <stdatomic.h>

#include <Zydis/Mnemonic.h>

#include "flags_flow.h"
#include "guest/lift.h"
#include "insn_table.h"

enum { PEEK_INSNS = 8, PEEK_JUMPS = 2 };

/** Some code passes condition codes through a return. */
static atomic_bool codes_are_returned;

/** What code does with the condition codes: CCB_* sets. */
typedef struct Peek {
    unsigned read;      /**< surely reads these before it writes them */
    unsigned undecided; /**< neither read nor written as far as was looked */
    bool leaves;        /**< it ended at a call or return */
    GuestAddr behind;   /**< at a call: what is executed after it */
} Peek;

static bool is_direct_jump(const Insn *in)
{
    return in->operand[0].kind == OPK_IMM;
}

/** Is control certain to go on at the next instruction? */
static bool falls_through(const InsnRow *row)
{
    return !(row->props & (RP_END | RP_BRANCH));
}

/** Add what instruction @p e does to what is known so far. */
static void peek_at(Peek *p, const InsnEffect *e)
{
    unsigned read = e->cc_read, write = e->cc_write;
    if (e->cc_maybe) {
        read &= ~write; /* a shift by CL only seems to read what it may leave as it is */
        write = 0;
    }
    p->read |= read & p->undecided;
    p->undecided &= ~(read | write);
}

static Peek peek(const Amd64Decoder *d, CodeWindow *w, GuestAddr target)
{
    Peek p = { 0, CCB_ALL, false, 0 };
    unsigned jumps = 0;
    code_window_look(w, target, target);
    for (unsigned i = 0; i < PEEK_INSNS && p.undecided; i++) {
        InsnEffect e;
        size_t avail;
        const uint8_t *code = code_window_bytes(w, target, &avail);
        if (amd64_decode_effect(d, code, avail, target, &e) != DECODE_OK)
            return p;
        code_window_look(w, target, e.next);
        peek_at(&p, &e);
        const InsnRow *row = insn_row(e.mnemonic);
        if (falls_through(row)) {
            target = e.next;
        } else if (e.mnemonic == ZYDIS_MNEMONIC_JMP && e.direct && jumps++ < PEEK_JUMPS) {
            target = e.target;
        } else {
            p.leaves = row->props & RP_CALL;
            p.behind = e.mnemonic == ZYDIS_MNEMONIC_CALL ? e.next : 0;
            return p;
        }
    }
    return p;
}

unsigned guest_assumptions(void) { return flags_codes_are_returned(); }

bool flags_codes_are_returned(void)
{
    return atomic_load_explicit(&codes_are_returned, memory_order_relaxed);
}

/** Does the code at @p behind, where a call returns to, use codes of before?  Then nothing is assumed any more. */
static void look_behind_call(const Amd64Decoder *d, CodeWindow *w, GuestAddr behind, bool *assumption_failed)
{
    if (flags_codes_are_returned() || !peek(d, w, behind).read)
        return;
    atomic_store_explicit(&codes_are_returned, true, memory_order_relaxed);
    *assumption_failed = true;
}

/** The condition codes that code at @p target may read before it writes them. */
static unsigned live_at(const Amd64Decoder *d, CodeWindow *w, GuestAddr target, bool *assumption_failed)
{
    Peek p = peek(d, w, target);
    if (p.leaves && p.behind)
        look_behind_call(d, w, p.behind, assumption_failed);
    return p.leaves && !flags_codes_are_returned() ? p.read : p.read | p.undecided;
}

/** Live codes at a call; notices a caller that uses codes that its callee returns. */
static unsigned live_at_call(const Amd64Decoder *d, CodeWindow *w, const Insn *call,
                             bool *assumption_failed)
{
    look_behind_call(d, w, call->next, assumption_failed);
    bool returned = flags_codes_are_returned();
    if (!is_direct_jump(call))
        return returned ? CCB_ALL : 0;
    Peek p = peek(d, w, call->next + call->imm[0]);
    return returned ? p.read | p.undecided : p.read;
}

/** Live codes after the last instruction of a block. */
static unsigned live_at_end(const Amd64Decoder *d, CodeWindow *w, Insn *last,
                            bool *assumption_failed)
{
    if (!(insn_row(last->mnemonic)->props & RP_END))
        return live_at(d, w, last->next, assumption_failed);
    if (last->mnemonic == ZYDIS_MNEMONIC_CALL)
        return live_at_call(d, w, last, assumption_failed);
    if (last->mnemonic == ZYDIS_MNEMONIC_RET)
        return flags_codes_are_returned() ? CCB_ALL : 0;
    if (last->mnemonic == ZYDIS_MNEMONIC_JMP && is_direct_jump(last))
        return live_at(d, w, last->next + last->imm[0], assumption_failed);
    return CCB_ALL;
}

/**
 * Is the last to write codes a POPF? Then they were restored for whoever comes after a return: Go
 * resumes code that a signal has interrupted in this way.
 */
static bool ends_with_restored_codes(Insn **insns, unsigned n)
{
    while (n > 0 && insns[n - 1]->n.cc_write == 0)
        n--;
    return n > 0 && (insns[n - 1]->mnemonic == ZYDIS_MNEMONIC_POPFQ ||
                     insns[n - 1]->mnemonic == ZYDIS_MNEMONIC_POPF);
}

void flags_flow_block(const Amd64Decoder *d, CodeWindow *w, Insn **insns, unsigned n,
                      bool *assumption_failed)
{
    unsigned live = live_at_end(d, w, insns[n - 1], assumption_failed);
    if (ends_with_restored_codes(insns, n))
        live = CCB_ALL;
    insns[n - 1]->cc_target = (uint16_t)live;
    for (unsigned i = n; i-- > 0;) {
        Insn *in = insns[i];
        in->cc_live = (uint16_t)live;
        if (insn_row(in->mnemonic)->props & RP_BRANCH) {
            in->cc_target = (uint16_t)live_at(d, w, in->next + in->imm[0], assumption_failed);
            live |= in->cc_target;
        }
        live = (live & ~(unsigned)in->n.cc_write) | in->n.cc_read;
    }
}
