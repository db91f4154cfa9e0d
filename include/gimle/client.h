/* SPDX-License-Identifier: MIT */
/*
 * For programs under test: talk to the tool that runs them.  A request is an instruction sequence
 * that does nothing on a bare processor, so a program with requests in it runs anywhere; it then
 * gets the default result.  Names and numbers are those that other checkers of this family use, so
 * the same source works with them.  Define NVALGRIND to leave all requests out.
 */
#ifndef GIMLE_CLIENT_H
#define GIMLE_CLIENT_H

#include <stdarg.h>

/** The version of Valgrind whose requests these are. */
#define __VALGRIND_MAJOR__ 3
#define __VALGRIND_MINOR__ 19

typedef unsigned long GimleWord;

/** Perform request @p request with five arguments; @p otherwise is the result without a tool. */
__attribute__((always_inline)) static inline GimleWord
gimle_client_request(GimleWord otherwise, GimleWord request, GimleWord a1, GimleWord a2, GimleWord a3,
                     GimleWord a4, GimleWord a5)
{
#if defined(__x86_64__) && defined(__linux__) && !defined(NVALGRIND)
    volatile GimleWord block[6] = { request, a1, a2, a3, a4, a5 };
    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(otherwise)
                     : "a"(block)
                     : "cc", "memory");
#else
    (void)request, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
#endif
    return otherwise;
}

#define VALGRIND_DO_CLIENT_REQUEST_EXPR(otherwise, request, a1, a2, a3, a4, a5)            \
    gimle_client_request((GimleWord)(otherwise), (GimleWord)(request), (GimleWord)(a1),    \
                         (GimleWord)(a2), (GimleWord)(a3), (GimleWord)(a4), (GimleWord)(a5))
#define VALGRIND_DO_CLIENT_REQUEST_STMT(request, a1, a2, a3, a4, a5)                       \
    ((void)VALGRIND_DO_CLIENT_REQUEST_EXPR(0, request, a1, a2, a3, a4, a5))

/** An older form: the result goes into @p result. */
#define VALGRIND_DO_CLIENT_REQUEST(result, otherwise, request, a1, a2, a3, a4, a5)         \
    ((result) = VALGRIND_DO_CLIENT_REQUEST_EXPR(otherwise, request, a1, a2, a3, a4, a5))

/** First number of a tool's requests. */
#define VG_USERREQ_TOOL_BASE(a, b) ((unsigned)(((a) & 0xff) << 24 | ((b) & 0xff) << 16))
#define VG_IS_TOOL_USERREQ(a, b, v) (VG_USERREQ_TOOL_BASE(a, b) == ((v) & 0xffff0000u))

enum {
    VG_USERREQ__RUNNING_ON_VALGRIND = 0x1001,
    VG_USERREQ__DISCARD_TRANSLATIONS = 0x1002,
    VG_USERREQ__CLIENT_CALL0 = 0x1101,
    VG_USERREQ__CLIENT_CALL1 = 0x1102,
    VG_USERREQ__CLIENT_CALL2 = 0x1103,
    VG_USERREQ__CLIENT_CALL3 = 0x1104,
    VG_USERREQ__COUNT_ERRORS = 0x1201,
    VG_USERREQ__GDB_MONITOR_COMMAND = 0x1202,
    VG_USERREQ__CLO_CHANGE = 0x1203,
    VG_USERREQ__MALLOCLIKE_BLOCK = 0x1301,
    VG_USERREQ__FREELIKE_BLOCK = 0x1302,
    VG_USERREQ__CREATE_MEMPOOL = 0x1303,
    VG_USERREQ__DESTROY_MEMPOOL = 0x1304,
    VG_USERREQ__MEMPOOL_ALLOC = 0x1305,
    VG_USERREQ__MEMPOOL_FREE = 0x1306,
    VG_USERREQ__MEMPOOL_TRIM = 0x1307,
    VG_USERREQ__MOVE_MEMPOOL = 0x1308,
    VG_USERREQ__MEMPOOL_CHANGE = 0x1309,
    VG_USERREQ__MEMPOOL_EXISTS = 0x130a,
    VG_USERREQ__RESIZEINPLACE_BLOCK = 0x130b,
    VG_USERREQ__PRINTF = 0x1401,
    VG_USERREQ__PRINTF_BACKTRACE = 0x1402,
    VG_USERREQ__PRINTF_VALIST_BY_REF = 0x1403,
    VG_USERREQ__PRINTF_BACKTRACE_VALIST_BY_REF = 0x1404,
    VG_USERREQ__STACK_REGISTER = 0x1501,
    VG_USERREQ__STACK_DEREGISTER = 0x1502,
    VG_USERREQ__STACK_CHANGE = 0x1503,
    VG_USERREQ__LOAD_PDB_DEBUGINFO = 0x1601,
    VG_USERREQ__MAP_IP_TO_SRCLOC = 0x1701,
    VG_USERREQ__CHANGE_ERR_DISABLEMENT = 0x1801,
    VG_USERREQ__VEX_INIT_FOR_IRI = 0x1901,
    VG_USERREQ__INNER_THREADS = 0x1902
};

/** 1 under a tool (more for nested ones), 0 without. */
#define RUNNING_ON_VALGRIND                                                                \
    ((unsigned)VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0))

/** Code in [addr, addr+len) has changed in a way that the processor's own rules would not show. */
#define VALGRIND_DISCARD_TRANSLATIONS(addr, len)                                           \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DISCARD_TRANSLATIONS, addr, len, 0, 0, 0)

/** Errors reported so far. */
#define VALGRIND_COUNT_ERRORS                                                              \
    ((unsigned)VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__COUNT_ERRORS, 0, 0, 0, 0, 0))

/** This thread's errors are not reported until as many ENABLEs. */
#define VALGRIND_DISABLE_ERROR_REPORTING                                                   \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__CHANGE_ERR_DISABLEMENT, 1, 0, 0, 0, 0)
#define VALGRIND_ENABLE_ERROR_REPORTING                                                    \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__CHANGE_ERR_DISABLEMENT, -1L, 0, 0, 0, 0)

/** Call fn(tid, ...) outside any instrumentation that the tool would add on the way. */
#define VALGRIND_NON_SIMD_CALL0(fn)                                                        \
    VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__CLIENT_CALL0, fn, 0, 0, 0, 0)
#define VALGRIND_NON_SIMD_CALL1(fn, a1)                                                    \
    VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__CLIENT_CALL1, fn, a1, 0, 0, 0)
#define VALGRIND_NON_SIMD_CALL2(fn, a1, a2)                                                \
    VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__CLIENT_CALL2, fn, a1, a2, 0, 0)
#define VALGRIND_NON_SIMD_CALL3(fn, a1, a2, a3)                                            \
    VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__CLIENT_CALL3, fn, a1, a2, a3, 0)

/** "file.c:12" of code address @p pc into a buffer of 64 bytes. */
#define VALGRIND_MAP_IP_TO_SRCLOC(pc, buf64)                                               \
    ((unsigned)VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__MAP_IP_TO_SRCLOC, pc, buf64, 0, 0, 0))
/** For Wine; understood and ignored. */
#define VALGRIND_LOAD_PDB_DEBUGINFO(fd, ptr, size, delta)                                  \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__LOAD_PDB_DEBUGINFO, fd, ptr, size, delta, 0)
#define VALGRIND_MONITOR_COMMAND(command)                                                  \
    VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__GDB_MONITOR_COMMAND, command, 0, 0, 0, 0)
#define VALGRIND_CLO_CHANGE(option)                                                        \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__CLO_CHANGE, option, 0, 0, 0, 0)

/* ---- stacks of the program's own making: lo is the lowest, hi the highest address ---------- */

#define VALGRIND_STACK_REGISTER(lo, hi)                                                    \
    ((unsigned)VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__STACK_REGISTER, lo, hi, 0, 0, 0))
#define VALGRIND_STACK_DEREGISTER(id)                                                      \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__STACK_DEREGISTER, id, 0, 0, 0, 0)
#define VALGRIND_STACK_CHANGE(id, lo, hi)                                                  \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__STACK_CHANGE, id, lo, hi, 0, 0)

/* ---- allocators of the program's own ---------------------------------------------------------- */

/** A block now belongs to the program, with @p red_zone bytes around it that do not. */
#define VALGRIND_MALLOCLIKE_BLOCK(addr, size, red_zone, is_zeroed)                         \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__MALLOCLIKE_BLOCK, addr, size, red_zone, is_zeroed, 0)
#define VALGRIND_RESIZEINPLACE_BLOCK(addr, old_size, new_size, red_zone)                   \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__RESIZEINPLACE_BLOCK, addr, old_size, new_size, \
                                    red_zone, 0)
#define VALGRIND_FREELIKE_BLOCK(addr, red_zone)                                            \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__FREELIKE_BLOCK, addr, red_zone, 0, 0, 0)

enum { VALGRIND_MEMPOOL_AUTO_FREE = 1, VALGRIND_MEMPOOL_METAPOOL = 2 };
#define VALGRIND_CREATE_MEMPOOL(pool, red_zone, is_zeroed)                                 \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__CREATE_MEMPOOL, pool, red_zone, is_zeroed, 0, 0)
#define VALGRIND_CREATE_MEMPOOL_EXT(pool, red_zone, is_zeroed, flags)                      \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__CREATE_MEMPOOL, pool, red_zone, is_zeroed, flags, 0)
#define VALGRIND_DESTROY_MEMPOOL(pool)                                                     \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DESTROY_MEMPOOL, pool, 0, 0, 0, 0)
#define VALGRIND_MEMPOOL_ALLOC(pool, addr, size)                                           \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__MEMPOOL_ALLOC, pool, addr, size, 0, 0)
#define VALGRIND_MEMPOOL_FREE(pool, addr)                                                  \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__MEMPOOL_FREE, pool, addr, 0, 0, 0)
#define VALGRIND_MEMPOOL_TRIM(pool, addr, size)                                            \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__MEMPOOL_TRIM, pool, addr, size, 0, 0)
#define VALGRIND_MOVE_MEMPOOL(pool_a, pool_b)                                              \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__MOVE_MEMPOOL, pool_a, pool_b, 0, 0, 0)
#define VALGRIND_MEMPOOL_CHANGE(pool, old_addr, new_addr, size)                            \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__MEMPOOL_CHANGE, pool, old_addr, new_addr, size, 0)
#define VALGRIND_MEMPOOL_EXISTS(pool)                                                      \
    ((unsigned)VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__MEMPOOL_EXISTS, pool, 0, 0, 0, 0))

/* ---- lines in the log, marked **PID** ------------------------------------------------------------ */

__attribute__((format(printf, 1, 2), unused)) static int VALGRIND_PRINTF(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    GimleWord n = VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__PRINTF_VALIST_BY_REF, format, &args,
                                                  0, 0, 0);
    va_end(args);
    return (int)n;
}

/** The same, followed by the stack trace. */
__attribute__((format(printf, 1, 2), unused)) static int VALGRIND_PRINTF_BACKTRACE(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    GimleWord n = VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__PRINTF_BACKTRACE_VALIST_BY_REF,
                                                  format, &args, 0, 0, 0);
    va_end(args);
    return (int)n;
}

#endif
