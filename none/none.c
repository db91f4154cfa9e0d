/* SPDX-License-Identifier: MIT */
/*
 * The tool that adds nothing: one mode, no instrumentation, no events.  It shows what the core
 * alone costs, and is the smallest complete example of a tool.
 */
#include "gimle/tool.h"

static const VexMode none_modes[] = {
    { .name = "native", .flags = VM_PINNED | VM_NATIVE | VM_PORTABLE | VM_LONG_BLOCKS },
};

const GimleTool gimle_tool = {
    .api = GIMLE_TOOL_API,
    .name = "Nulgrind",
    .description = "the minimal Valgrind tool",
    .copyright = "Copyright (C) the Gimle authors, and MIT licensed.",
    .flags = TOOL_PARALLEL,
    .modes = none_modes,
    .n_modes = 1,
};
