/* SPDX-License-Identifier: MIT */
/* Finding and loading the tool's shared object. */
#ifndef COREGRIND_TOOL_LOADER_H
#define COREGRIND_TOOL_LOADER_H

#include "gimle/tool.h"

/**
 * Load tool @p name: "memcheck" from @p lib_dir, or a path if it contains a slash. A tool that is not
 * there or not a tool ends the program with one line and status 1.
 */
const GimleTool *tool_load(const char *name, const char *lib_dir);
/** The loaded tool's short name ("memcheck"), for --NAME:option and XML. */
const char *tool_short_name(void);
/** The file it was loaded from. */
const char *tool_path(void);
/** The loaded tool; NULL before tool_load(). */
const GimleTool *tool_current(void);

#endif
