/* SPDX-License-Identifier: MIT */
/*
 * The core's own file descriptors.  They live above every number the client can be given, so that
 * `exec 3>file` and loops over descriptors in the client work as without us.
 */
#ifndef COREGRIND_HOST_FD_H
#define COREGRIND_HOST_FD_H

#include <stdbool.h>

/** Call first: notes RLIMIT_NOFILE and raises it for us where possible. */
void host_fd_init(void);
/** The RLIMIT_NOFILE soft limit that the client is to see. */
unsigned long host_fd_client_limit(void);
/** The client's descriptors are below this: where ours had to go below its limit. */
unsigned long host_fd_client_end(void);
/** The client's limit is @p soft from now on: the host allows as many, and ours. */
void host_fd_raise_limit(unsigned long soft);
/** Move @p fd (closing it) above the client's, close-on-exec; the new one, or -1 (fd stays open). */
int host_fd_move(int fd);
/** As host_fd_move, leaving @p fd open. */
int host_fd_dup(int fd);
/** True if @p fd is one of ours: the client must get EBADF for it. */
bool host_fd_is_core(int fd);
/** False if RLIMIT_FSIZE is set: growing a file of ours, a memfd too, might end us with SIGXFSZ. */
bool host_fd_files_may_grow(void);
/** The table of descriptors is about to be shared with a new process: what is open now stays so. */
void host_fd_share(void);
/** The client is about to forbid itself system calls, and so us: what can be done without is not done. */
void host_fd_stop_opening(void);
/** May files be opened (and memory given back) that nothing depends on? */
bool host_fd_may_open(void);
/** Close one of ours, unless it is shared. */
void host_fd_close(int fd);

#endif
