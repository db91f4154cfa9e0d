/* SPDX-License-Identifier: MIT */
/*
 * The client's descriptors: its limit, and, for --track-fds, where each was opened.  All functions
 * but the limit's do nothing unless descriptors are tracked.
 */
#ifndef SYSCALL_FD_TABLE_H
#define SYSCALL_FD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "gimle/thread.h"

/** Record the inherited descriptors. */
void fd_table_init(void);
/**
 * The client got @p fd: returns fd, or -EMFILE if it is above the client's limit (it is closed
 * then).
 */
int64_t fd_table_opened(Thread *t, int64_t fd);
void fd_table_closed(int fd);
void fd_table_closed_range(unsigned first, unsigned last);
/** "FILE DESCRIPTORS: ..." and the list; @p when: "at exit" or nothing. */
void fd_table_report(const char *when);

/** RLIMIT_NOFILE as the client set it. */
uint64_t fd_table_limit(void);
/** Could @p fd be a descriptor?  If not there is a warning that names the call. */
bool fd_table_allowed(int fd, const char *call_fmt, ...) __attribute__((format(printf, 2, 3)));
void fd_table_set_limit(uint64_t soft);

#endif
