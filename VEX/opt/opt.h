/* SPDX-License-Identifier: MIT */
/* The optimiser of IR: linear passes that make a block shorter and its dataflow plainer. */
#ifndef VEX_OPT_H
#define VEX_OPT_H

#include "gimle/ir.h"

typedef enum OptStage {
    OPT_PRE, /**< before instrumentation: what the tool sees */
    OPT_POST /**< after it */
} OptStage;

/** The passes, numbered as in VexConfig.disabled_passes. */
typedef enum OptPass {
#define PASS(id, name, what) PASS_##id,
#include "passes.def"
#undef PASS
    PASS_COUNT
} OptPass;

/** Name of pass @p p for --disable-pass. */
const char *opt_pass_name(OptPass p);

/**
 * An equivalent block, in memory from @p arena (@p b itself is used up).  LOADs, STOREs, NATIVEs
 * and calls with effects all stay, in their order.
 */
IrBlock *opt_run(IrBlock *b, struct Arena *arena, OptStage stage);

#endif
