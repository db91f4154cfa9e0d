/* SPDX-License-Identifier: MIT */
/* Other processes that run under Gimle, as they tell of themselves (signal/tracee.h). */
#ifndef SYSCALL_OTHER_PROCESS_H
#define SYSCALL_OTHER_PROCESS_H

#include "coregrind/signal/tracee.h"

/** What runs in a process, as far as Gimle is concerned. */
typedef enum OtherKind {
    OTHER_NATIVE,
    OTHER_STARTS, /**< launcher or core that a traced program has executed: the client is still to come */
    OTHER_RUNS
} OtherKind;

OtherKind other_process_kind(pid_t pid);
/** Where in process @p pid its TraceArea is, and a copy; 0: it does not run under Gimle. */
uint64_t other_process_area(pid_t pid, TraceArea *out);
/** Memory of process @p pid; false if not all could be copied. */
bool other_process_read(pid_t pid, void *to, uint64_t from, size_t len);
bool other_process_write(pid_t pid, uint64_t to, const void *from, size_t len);
/**
 * The descriptor @p fd gets what PID's file @p entry ("maps" ...) would say of its client; false: it is
 * as the kernel has it.
 */
bool other_process_describe(pid_t pid, const TraceArea *area, const char *entry, int fd);

#endif
