/* SPDX-License-Identifier: MIT */
/*
 * The rows of syscalls.def as data, the call in progress, and what handlers of special calls
 * (special_*.c) may use.  Private to this directory.
 */
#ifndef SYSCALL_TABLE_H
#define SYSCALL_TABLE_H

#include <errno.h>

#include "coregrind/core/events.h"
#include "coregrind/thread/thread.h"

#define SYS_MAX_ARGS 6

/** What an argument is. */
typedef enum SysKind {
    SK_NONE, SK_INT, SK_HANDLER, SK_FD, SK_FD_AT, SK_STRING, SK_PATH, SK_ADDR, SK_MEM, SK_IOV,
    SK_SOCK_IN, SK_SOCK_OUT, SK_LEN, SK_POLLFDS, SK_FDSET, SK_MODE
} SysKind;

enum { SYS_IN = 1, SYS_OUT = 2 };

typedef struct SysArg {
    uint8_t kind;       /**< SysKind */
    uint8_t bytes;      /**< of the register that count; 0: the handler looks at it */
    uint8_t dir;        /**< MEM, IOV: SYS_IN, SYS_OUT */
    bool nullable;
    bool by_result;     /**< MEM: the result says how many units are defined afterwards */
    int8_t len_arg;     /**< argument with the count of units, -1: one unit */
    uint16_t unit;      /**< bytes of a unit */
    const char *name;
} SysArg;

enum { SF_BLOCKS = 1, SF_NEW_FD = 2, SF_FD_FIRST = 4, SF_FD_WARN = 8 };

typedef struct SysCall SysCall;
typedef void SysHandler(SysCall *c);

typedef struct SysRow {
    const char *name;   /**< NULL: no such call is known */
    const char *text;   /**< for memory in reports; NULL: name */
    uint8_t flags;      /**< SF_* */
    uint8_t n_args;
    SysHandler *handler;
    SysArg arg[SYS_MAX_ARGS];
} SysRow;

/** The row of call @p no, or NULL. */
const SysRow *sys_row(uint64_t no);
/** One more than the highest known number. */
unsigned sys_row_limit(void);

/** A call in progress. */
struct SysCall {
    Thread *t;
    const SysRow *row;
    uint64_t no;
    uint64_t arg[SYS_MAX_ARGS]; /**< handlers may change what the kernel is given */
    int64_t result;
    bool no_result;      /**< registers were set otherwise (rt_sigreturn, execve) */
    bool no_post;        /**< the handler has done the effects on memory itself */
};

/**
 * Have the kernel do the call with the arguments as they are now, as the row's flags say (it may
 * block); sets and returns c->result.
 */
int64_t sys_do(SysCall *c);
/** The same for a call that cannot block this time, whatever the row says. */
int64_t sys_do_now(SysCall *c);

/* ---- effects (effects.c) --------------------------------------------------------------------- */

/** "name(what)", a string that stays. */
const char *sys_text(const SysCall *c, const char *what);
/** The same with a printf format; use it only where an event will be sent. */
const char *sys_textf(const SysCall *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Argument @p i is read from its register, @p bytes of it; @p what as in the table. */
void sys_reg(SysCall *c, unsigned i, const char *what, unsigned bytes);
/**
 * The kernel will read (write) client memory: events to the tool.  False if the range is not the
 * client's: the call must fail with EFAULT.
 */
bool sys_reads(SysCall *c, const char *what, GuestAddr a, size_t len);
bool sys_reads_string(SysCall *c, const char *what, GuestAddr a);
bool sys_will_write(SysCall *c, const char *what, GuestAddr a, size_t len);
/** The same without an event, for memory that has been reported as read. */
bool sys_prepare_write(GuestAddr a, size_t len);
/** The kernel, or we for it, has written. */
void sys_wrote(SysCall *c, GuestAddr a, size_t len);

/** @p n iovecs at @p a: the array is read, the buffers in direction @p dir. 0 or -errno. */
int64_t sys_iov_pre(SysCall *c, const char *what, GuestAddr a, uint64_t n, int dir);
/** @p bytes were written into the buffers. */
void sys_iov_wrote(SysCall *c, GuestAddr a, uint64_t n, uint64_t bytes);
/** A socket address that is read, field by field; false: EFAULT. */
bool sys_sockaddr_reads(SysCall *c, const char *what, GuestAddr a, uint32_t len);

/** Copy in from the client; false (and c->result = -EFAULT) if it cannot be read. */
bool sys_fetch(SysCall *c, void *to, GuestAddr from, size_t len);
/** sys_reads() and sys_fetch() in one. */
bool sys_take(SysCall *c, const char *what, void *to, GuestAddr from, size_t len);
/** Copy a result to the client, with the events; false (and -EFAULT) if it cannot be written. */
bool sys_store(SysCall *c, const char *what, GuestAddr to, const void *from, size_t len);

/** What the row says, before the call: 0, or -errno if it must not reach the kernel. */
int64_t sys_effects_pre(SysCall *c);
/** After it succeeded. */
void sys_effects_post(SysCall *c);

/* ---- trace.c --------------------------------------------------------------------------------- */

void sys_trace_enter(const SysCall *c);
void sys_trace_leave(const SysCall *c);

#endif
