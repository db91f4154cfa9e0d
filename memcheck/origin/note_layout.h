/* SPDX-License-Identifier: MIT */
/* Where notes of origins are; for C and assembly (origin.h, note_amd64.S). */
#ifndef MEMCHECK_NOTE_LAYOUT_H
#define MEMCHECK_NOTE_LAYOUT_H

/* The table stands where the second shadow begins: at the same address in each process, as stored
   translations need it.  Behind it the clock, which counts allocations. */
#define ORIGIN_TABLE_BIT 46
#define ORIGIN_TABLE 0x400000000000
#define ORIGIN_NOTES_LOG 16
#define ORIGIN_NOTE_LOG 5
#define ORIGIN_TABLE_SIZE (1 << (ORIGIN_NOTES_LOG + ORIGIN_NOTE_LOG))

/* The last argument of mc_helper_note: the program counter, and from this bit on the size. */
#define ORIGIN_SIZE_AT 56

#endif
