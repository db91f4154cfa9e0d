/* SPDX-License-Identifier: MIT */
/* See tool_loader.h. The object stays loaded until the process ends. */
#include "tool_loader.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "coregrind/core/options.h"

static const GimleTool *tool;
static char short_name[64];
static char so_path[PATH_MAX];

const GimleTool *tool_current(void) { return tool; }
const char *tool_short_name(void) { return short_name; }
const char *tool_path(void) { return so_path; }

/** "memcheck" of "./dir/memcheck.so". */
static void tool_set_short_name(const char *name)
{
    const char *base = strrchr(name, '/');
    base = base ? base + 1 : name;
    snprintf(short_name, sizeof short_name, "%.*s", (int)strcspn(base, "."), base);
}

const GimleTool *tool_load(const char *name, const char *lib_dir)
{
    char *path = so_path;
    if (strchr(name, '/'))
        snprintf(path, sizeof so_path, "%s", name);
    else
        snprintf(path, sizeof so_path, "%s/%s.so", lib_dir, name);
    if (access(path, R_OK) != 0)
        gimle_user_error("unknown tool '%s' (no readable %s)", name, path);
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!so)
        gimle_user_error("cannot load tool '%s': %s", name, dlerror());
    tool = dlsym(so, "gimle_tool");
    if (!tool)
        gimle_user_error("%s is not a Gimle tool (it has no symbol gimle_tool)", path);
    if (tool->api != GIMLE_TOOL_API)
        gimle_user_error("%s was made for another version of Gimle (interface %u, this is %u)",
                         path, tool->api, GIMLE_TOOL_API);
    tool_set_short_name(name);
    return tool;
}
