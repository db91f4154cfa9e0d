/* SPDX-License-Identifier: MIT */
/*
 * How `gimle monitor' reaches a process that runs under Gimle.  Until it is asked such a process keeps
 * nothing open and no file anywhere for it: the asker listens on an abstract socket and sends a signal
 * whose value names that socket; the process connects, gets one command, answers, and closes.  Both
 * sides ask the kernel who the other is.
 */
#ifndef COREGRIND_MONITOR_PROTOCOL_H
#define COREGRIND_MONITOR_PROTOCOL_H

/**
 * The C library keeps this signal to itself (SIGCANCEL), lets no program block it, and takes no notice of
 * one that another process queued.  (33 is not as good: the core's own C library has a handler for it for
 * a moment, when the first thread is made.)
 */
#define MONITOR_SIGNAL 32
/** Upper half of the signal's value; the lower half is the number in the socket's name, not zero. */
#define MONITOR_MAGIC 0x676d6c65u
/** Name of the socket, after the byte 0 that makes it abstract. */
#define MONITOR_SOCKET_FORMAT "gimle-monitor-%08x"

enum { MONITOR_MAX_COMMAND = 4096 };

#endif
