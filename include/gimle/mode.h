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
     * What instrument() makes depends on the guest's code and the tool's options only, and has no
     * addresses of this process but those of IrCallee functions: translations may be kept on
     * disk, and instrument() is then not called for blocks of earlier runs.
     */
    VM_PORTABLE = 16
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
} VexMode;

#endif
