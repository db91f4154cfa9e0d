/* SPDX-License-Identifier: MIT */
/* /proc/self and /proc/PID of the client as it would look without us. */
#ifndef SYSCALL_PROC_VIEW_H
#define SYSCALL_PROC_VIEW_H

#include "syscall.h"

void proc_view_init(const SyscallClient *c);
/** The program's path, "" before it is known. */
const char *proc_view_exe(void);
/** Where in its first stack the client's auxiliary vector is. */
void proc_view_auxv(GuestAddr *lo, GuestAddr *hi);
/** Is @p path a name of our /proc/self/exe? */
bool proc_view_is_exe(const char *path);
/** Is @p path the /proc/PID/exe of another process under Gimle?  Then its program. */
bool proc_view_others_exe(const char *path, char *exe, size_t size);
/**
 * Read the path at @p a if it begins with "/proc/", or is one of our files' names relative to
 * @p dfd; false if it is neither (or cannot be read).
 */
bool proc_view_fetch(int dfd, GuestAddr a, char *path, size_t size);
/**
 * Open @p path with @p flags for the client if it is one of the files that need another content:
 * true, and a descriptor or -errno in *result.
 */
bool proc_view_open(const char *path, int flags, int64_t *result);
/** Directory of descriptors (core descriptors are to be left out)? */
bool proc_view_is_fd_dir(int fd);

#endif
