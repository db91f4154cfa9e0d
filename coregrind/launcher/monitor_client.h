/* SPDX-License-Identifier: MIT */
/* `gimle monitor', also called as `vgdb': gives monitor commands to a process that runs under Gimle. */
#ifndef COREGRIND_MONITOR_CLIENT_H
#define COREGRIND_MONITOR_CLIENT_H

/** Do what @p args (ended by NULL) ask for; returns the exit status. @p name: as what we were called. */
int monitor_client_run(char **args, const char *name);

#endif
