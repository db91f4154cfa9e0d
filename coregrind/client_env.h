/* SPDX-License-Identifier: MIT */
/* The client's environment and limits, taken apart from what the launcher added (launcher.h). */
#ifndef COREGRIND_CLIENT_ENV_H
#define COREGRIND_CLIENT_ENV_H

#include <stdint.h>

/** The environment that the client gets: a new NULL-terminated array. */
char **client_env_build(void);
/** Value of @p name in @p envp, or NULL. */
const char *client_env_get(char **envp, const char *name);
/** Directory of the core and the tools. */
const char *client_env_lib_dir(void);
/** The soft stack limit that the user set, in bytes or RLIM_INFINITY. */
uint64_t client_env_stack_limit(void);

#endif
