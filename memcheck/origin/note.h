/* SPDX-License-Identifier: MIT */
/* --track-origins: notes that translated code leaves. */
#ifndef MEMCHECK_NOTE_H
#define MEMCHECK_NOTE_H

#include "gimle/ir.h"
#include "note_layout.h"

/**
 * (address, pc | size << ORIGIN_SIZE_AT): undefined bytes are stored at the address; the tool word
 * TW_NOTE has the one that they were loaded from.
 */
extern const IrEntry mc_helper_note;
/**
 * (address): an undefined register is popped from there.  TW_NOTE becomes the address that it came from
 * when it was pushed: later, when the function that did that has returned, the note would not count.
 */
extern const IrEntry mc_helper_popped;

#endif
