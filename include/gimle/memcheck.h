/* SPDX-License-Identifier: MIT */
/* For programs under test: what memcheck can be told and asked (see client.h). */
#ifndef GIMLE_MEMCHECK_H
#define GIMLE_MEMCHECK_H

#include "client.h"

enum {
    VG_USERREQ__MAKE_MEM_NOACCESS = VG_USERREQ_TOOL_BASE('M', 'C'),
    VG_USERREQ__MAKE_MEM_UNDEFINED,
    VG_USERREQ__MAKE_MEM_DEFINED,
    VG_USERREQ__DISCARD,
    VG_USERREQ__CHECK_MEM_IS_ADDRESSABLE,
    VG_USERREQ__CHECK_MEM_IS_DEFINED,
    VG_USERREQ__DO_LEAK_CHECK,
    VG_USERREQ__COUNT_LEAKS,
    VG_USERREQ__GET_VBITS,
    VG_USERREQ__SET_VBITS,
    VG_USERREQ__CREATE_BLOCK,
    VG_USERREQ__MAKE_MEM_DEFINED_IF_ADDRESSABLE,
    VG_USERREQ__COUNT_LEAK_BLOCKS,
    VG_USERREQ__ENABLE_ADDR_ERROR_REPORTING_IN_RANGE,
    VG_USERREQ__DISABLE_ADDR_ERROR_REPORTING_IN_RANGE
};

#define GIMLE_MEMCHECK_RANGE(request, addr, len)                                           \
    VALGRIND_DO_CLIENT_REQUEST_EXPR(0, request, addr, len, 0, 0, 0)

/** May not be touched any more. */
#define VALGRIND_MAKE_MEM_NOACCESS(addr, len)                                              \
    GIMLE_MEMCHECK_RANGE(VG_USERREQ__MAKE_MEM_NOACCESS, addr, len)
/** May be touched; its contents are not yet defined. */
#define VALGRIND_MAKE_MEM_UNDEFINED(addr, len)                                             \
    GIMLE_MEMCHECK_RANGE(VG_USERREQ__MAKE_MEM_UNDEFINED, addr, len)
#define VALGRIND_MAKE_MEM_DEFINED(addr, len)                                               \
    GIMLE_MEMCHECK_RANGE(VG_USERREQ__MAKE_MEM_DEFINED, addr, len)
/** Defined where it may be touched, nothing elsewhere. */
#define VALGRIND_MAKE_MEM_DEFINED_IF_ADDRESSABLE(addr, len)                                \
    GIMLE_MEMCHECK_RANGE(VG_USERREQ__MAKE_MEM_DEFINED_IF_ADDRESSABLE, addr, len)

/** Report if some of it may not be touched (is undefined); the first such address, 0 if none. */
#define VALGRIND_CHECK_MEM_IS_ADDRESSABLE(addr, len)                                       \
    GIMLE_MEMCHECK_RANGE(VG_USERREQ__CHECK_MEM_IS_ADDRESSABLE, addr, len)
#define VALGRIND_CHECK_MEM_IS_DEFINED(addr, len)                                           \
    GIMLE_MEMCHECK_RANGE(VG_USERREQ__CHECK_MEM_IS_DEFINED, addr, len)
#define VALGRIND_CHECK_VALUE_IS_DEFINED(lvalue)                                            \
    VALGRIND_CHECK_MEM_IS_DEFINED(&(lvalue), sizeof(lvalue))

/** Describe addresses in the range by @p text in reports; the result is for DISCARD. */
#define VALGRIND_CREATE_BLOCK(addr, len, text)                                             \
    VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__CREATE_BLOCK, addr, len, text, 0, 0)
#define VALGRIND_DISCARD(id) GIMLE_MEMCHECK_RANGE(VG_USERREQ__DISCARD, 0, id)

/** Search for leaks now: all; only more than last time; more or fewer; only a summary. */
#define VALGRIND_DO_LEAK_CHECK                                                             \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DO_LEAK_CHECK, 0, 0, 0, 0, 0)
#define VALGRIND_DO_ADDED_LEAK_CHECK                                                       \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DO_LEAK_CHECK, 0, 1, 0, 0, 0)
#define VALGRIND_DO_CHANGED_LEAK_CHECK                                                     \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DO_LEAK_CHECK, 0, 2, 0, 0, 0)
#define VALGRIND_DO_QUICK_LEAK_CHECK                                                       \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DO_LEAK_CHECK, 1, 0, 0, 0, 0)

#define GIMLE_MEMCHECK_COUNT(request, leaked, dubious, reachable, suppressed)              \
    do {                                                                                   \
        unsigned long leaked_ = 0, dubious_ = 0, reachable_ = 0, suppressed_ = 0;          \
        VALGRIND_DO_CLIENT_REQUEST_STMT(request, &leaked_, &dubious_, &reachable_, &suppressed_, 0); \
        (leaked) = leaked_;                                                                \
        (dubious) = dubious_;                                                              \
        (reachable) = reachable_;                                                          \
        (suppressed) = suppressed_;                                                        \
    } while (0)
/** Bytes (blocks) found by earlier leak checks. */
#define VALGRIND_COUNT_LEAKS(leaked, dubious, reachable, suppressed)                       \
    GIMLE_MEMCHECK_COUNT(VG_USERREQ__COUNT_LEAKS, leaked, dubious, reachable, suppressed)
#define VALGRIND_COUNT_LEAK_BLOCKS(leaked, dubious, reachable, suppressed)                 \
    GIMLE_MEMCHECK_COUNT(VG_USERREQ__COUNT_LEAK_BLOCKS, leaked, dubious, reachable, suppressed)

/** Copy the definedness bits of [addr, addr+len) to or from the bytes at @p bits: 1 done, 3 not addressable. */
#define VALGRIND_GET_VBITS(addr, bits, len)                                                \
    ((unsigned)VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__GET_VBITS, addr, bits, len, 0, 0))
#define VALGRIND_SET_VBITS(addr, bits, len)                                                \
    ((unsigned)VALGRIND_DO_CLIENT_REQUEST_EXPR(0, VG_USERREQ__SET_VBITS, addr, bits, len, 0, 0))

/** Errors about addresses in the range are (not) reported. */
#define VALGRIND_DISABLE_ADDR_ERROR_REPORTING_IN_RANGE(addr, len)                          \
    GIMLE_MEMCHECK_RANGE(VG_USERREQ__DISABLE_ADDR_ERROR_REPORTING_IN_RANGE, addr, len)
#define VALGRIND_ENABLE_ADDR_ERROR_REPORTING_IN_RANGE(addr, len)                           \
    GIMLE_MEMCHECK_RANGE(VG_USERREQ__ENABLE_ADDR_ERROR_REPORTING_IN_RANGE, addr, len)

#endif
