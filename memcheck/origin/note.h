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

#endif
