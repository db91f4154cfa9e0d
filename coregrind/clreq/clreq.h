/* SPDX-License-Identifier: MIT */
/*
 * Client requests: the program under test talks to the core and the tool through a magic
 * instruction sequence, with the numbers of Valgrind's public headers.
 */
#ifndef COREGRIND_CLREQ_H
#define COREGRIND_CLREQ_H

#include <stdbool.h>
#include <stdint.h>

#include "gimle/thread.h"

/** The tool's handlers (GimleTool.client_request, .monitor); NULL: none. Set once at start. */
void clreq_set_tool(bool (*handler)(Thread *t, const uint64_t args[6], uint64_t *result),
                    bool (*monitor)(Thread *t, const char *command));

/** Other modules' parts of requests, set once at start by main; NULL members answer 0. */
typedef struct ClreqHooks {
    /** Discard translations of [a,a+len). */
    void (*discard)(GuestAddr a, uint64_t len);
    /** Call client function @p fn with n arguments, then put its result in RDX (CLIENT_CALLn). */
    void (*client_call)(Thread *t, GuestAddr fn, const uint64_t *args, unsigned n);
    /** Registered stacks; returns an id. */
    uint64_t (*stack_register)(GuestAddr lo, GuestAddr hi);
    void (*stack_deregister)(uint64_t id);
    void (*stack_change)(uint64_t id, GuestAddr lo, GuestAddr hi);
    /** "--option=value" is to hold from now on (CLO_CHANGE). */
    void (*change_option)(const char *text);
    /** The numbers of --stats=yes (for a monitor command). */
    void (*print_stats)(void);
} ClreqHooks;
void clreq_set_hooks(const ClreqHooks *h);

/**
 * The guest executed a client request (JK_CLIENT_REQ): RAX points at six words (request and five
 * arguments), RDX holds the default result and receives the result. Never faults.
 */
void clreq_handle(Thread *t);
/** Somebody asks from outside. */
void clreq_answer(Thread *t, uint32_t number);

#endif
