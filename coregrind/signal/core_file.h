/* SPDX-License-Identifier: MIT */
/* Core files of the client, as the kernel would have written them had it run natively. */
#ifndef COREGRIND_CORE_FILE_H
#define COREGRIND_CORE_FILE_H

#include "coregrind/thread/thread.h"

/** Does signal @p sig dump core by default, and do the client's limits want that? */
bool core_file_wanted(int sig);
/** Write it: vgcore.PID, or LOG.core.PID if the log is a file. The world is stopped. */
void core_file_write(Thread *t, const siginfo_t *info, GuestAddr auxv, size_t auxv_len);
/** The kernel is not to dump us: it would be Gimle with all of its memory.
 *  @p shares_memory: a child that does, whose parent must stay as it is. */
void core_file_forbid_host(bool shares_memory);

#endif
