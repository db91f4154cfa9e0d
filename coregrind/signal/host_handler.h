/* SPDX-License-Identifier: MIT */
/* What the host's handler asks the layers above. */
#ifndef COREGRIND_HOST_HANDLER_H
#define COREGRIND_HOST_HANDLER_H

#include "coregrind/thread/thread.h"

/** Result of a system call that was not made or was interrupted and may be made again. */
#define SIGNAL_RESTART (-512)

/** exec_handle_fault(): true if it was the guest's or otherwise mended. */
typedef bool (*FaultHandler)(Thread *t, int sig, siginfo_t *info, void *ucontext);
void signal_set_fault_handler(FaultHandler h);

/** Report and summary before the process dies of @p info's signal (set by main.c). */
typedef void (*FatalSignalHook)(Thread *t, const siginfo_t *info);
void signal_set_fatal_hook(FatalSignalHook h);

/** Called where thread @p t was asked to connect to the socket of that number (monitor_protocol.h). */
void signal_set_asked_hook(void (*h)(Thread *t, uint32_t number));
/** At a safe point: call the hook if @p t was asked. */
void signal_answer(Thread *t);

/** The host's C library has installed handlers for the signals of its threads: the client's are put back. */
void signal_host_take_back(void);

#endif
