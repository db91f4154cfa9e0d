/* SPDX-License-Identifier: MIT */
/* Memcheck's client requests. */
#ifndef MEMCHECK_CLIENT_REQUESTS_H
#define MEMCHECK_CLIENT_REQUESTS_H

#include "memcheck.h"

/** GimleTool.client_request. */
bool mc_client_request(Thread *t, const uint64_t args[6], uint64_t *result);

/** GimleTool.monitor. */
bool mc_monitor(Thread *t, const char *command);

#endif
