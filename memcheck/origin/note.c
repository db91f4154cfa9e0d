/* SPDX-License-Identifier: MIT */
/* The helpers by which translated code leaves and reads notes where undefined bytes came from. */
#include "note.h"

#include "origin.h"

_Static_assert(ORIGIN_TABLE == GIMLE_SHADOW2_BASE, "the second shadow is free for it");
_Static_assert(ORIGIN_TABLE == 1ULL << ORIGIN_TABLE_BIT, "the entry sets one bit");
_Static_assert(sizeof(OriginNote) == 1 << ORIGIN_NOTE_LOG, "notes are found by shifting");
_Static_assert(ORIGIN_NOTES_LOG == 16, "the entry rotates 16 bits");
_Static_assert(TW_NOTE == 14, "the entry knows it");

/** Slow mode's way. */
static GIMLE_LIGHT uint64_t note(struct VexState *s, uint64_t to, uint64_t pc)
{
    GuestAddr from = *mc_tool_word(s, TW_NOTE);
    /* What was loaded from there tells nothing new. */
    if (from != to)
        *origin_note_at(to) = (OriginNote){ to, from, pc, origin_now() };
    return 0;
}

static GIMLE_LIGHT uint64_t popped(struct VexState *s, uint64_t a)
{
    const OriginNote *n = origin_note_at(a);
    bool is_pushed = n->to == a && n->pc >> ORIGIN_SIZE_AT == 8;
    *mc_tool_word(s, TW_NOTE) = is_pushed ? n->from : a;
    return 0;
}

extern const char mc_note_entry[], mc_popped_entry[]; /* note_amd64.S */
const IrEntry mc_helper_note = { { "mc_note", (void *)note, CALLEE_ENTRY, TY_NONE, 2 },
                                 mc_note_entry };
const IrEntry mc_helper_popped = { { "mc_popped", (void *)popped, CALLEE_ENTRY, TY_NONE, 1 },
                                   mc_popped_entry };
