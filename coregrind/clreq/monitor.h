/* SPDX-License-Identifier: MIT */
/* Monitor commands of the core (VALGRIND_MONITOR_COMMAND, `gimle monitor'); the tool has its own. */
#ifndef COREGRIND_MONITOR_H
#define COREGRIND_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "gimle/thread.h"

/** What others do for commands; members as in ClreqHooks. */
typedef struct MonitorHooks {
    void (*change_option)(const char *text);
    /** The tool's commands. */
    bool (*tool)(Thread *t, const char *command);
    /** The numbers of --stats=yes. */
    void (*print_stats)(void);
} MonitorHooks;

/** Do @p command, which thread @p t asked for, and print its results to the log; false: not known. */
bool monitor_do(Thread *t, const char *command, const MonitorHooks *hooks);
/** Do the command that waits at the socket with @p number (monitor_protocol.h) and answer there. */
void monitor_answer(Thread *t, uint32_t number, const MonitorHooks *hooks);

#endif
