/* SPDX-License-Identifier: MIT */
/* Translation modes: how a tool wants guest code lifted and what it adds to it. */
#ifndef GIMLE_MODE_H
#define GIMLE_MODE_H

#include "ir.h"

struct Arena;

/** Properties of a translation mode. */
enum {
    VM_PINNED = 1, /**< guest registers live in host registers across blocks */
    VM_NATIVE = 2, /**< lift to NATIVE wherever possible (no dataflow visible) instead of to IR ops */
    VM_PIN_TOOL0 = 4, /**< REG_TOOL(0), as a 32-bit mask, has a host register (pinned modes) */
    /**
     * The tool does not look at the memory accesses of repeated string instructions, so they may
     * run as one NATIVE instruction (pinned native modes; implied if there is no instrumentation).
     */
    VM_NATIVE_STRINGS = 8,
    /**
     * What instrument() makes depends on the guest's code, the tool's options and VexMode.key only,
     * and has no addresses of this process but those of IrCallee functions and of IrBlock.data:
     * translations may be kept on disk, and instrument() is then not called for blocks of
     * earlier runs, but place() for those that have data.
     */
    VM_PORTABLE = 16,
    /**
     * Blocks go on past two conditional jumps, not one: fewer and larger blocks, of which more is never
     * run.  Pays where little is added to the guest's code.
     */
    VM_LONG_BLOCKS = 32
};

/**
 * A translation mode.  The key of a translation is (guest address, mode); exits of a block name
 * the mode to go on in.
 */
typedef struct VexMode {
    const char *name;
    unsigned flags; /**< VM_* */
    /**
     * Instrument: returns the new block (memory from @p arena) or @p in itself.  Runs on any
     * thread, possibly on several at once.  NULL: no instrumentation.
     */
    IrBlock *(*instrument)(void *ctx, IrBlock *in, struct Arena *arena);
    void *ctx;
    /**
     * A block of an earlier run comes back: @p data has the places and sizes of its data then, and
     * for IR_DATA_RECORD the address of a copy of the contents.  Find places for them and set the
     * addresses to these; false: do without the block.
     */
    bool (*place)(void *ctx, GuestAddr addr, IrData data[IR_DATA_KINDS]);
    uint64_t key; /**< of whatever else translations depend on */
} VexMode;

#endif
