/* SPDX-License-Identifier: MIT */
/*
 * Events that the core publishes: the tool's table (gimle/tool.h), copied here when the tool is
 * loaded, so that lower layers need not know who listens.
 */
#ifndef COREGRIND_EVENTS_H
#define COREGRIND_EVENTS_H

#include "gimle/tool.h"

/** All entries NULL until a tool is loaded; constant afterwards. */
extern GimleEvents core_events;

/** Publish: EVENT(mem_map, MEM_MMAP, addr, len, prot). */
#define EVENT(name, ...)                                                                   \
    do {                                                                                   \
        if (core_events.name)                                                              \
            core_events.name(__VA_ARGS__);                                                 \
    } while (0)

#endif
