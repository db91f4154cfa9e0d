/* SPDX-License-Identifier: MIT */
/* syscalls.def made into rows; nothing else. */
#include "table.h"

#include "coregrind/os/kernel_abi.h"
#include "special.h"

enum { _ = 0, B = SF_BLOCKS, F = SF_NEW_FD, K = SF_FD_FIRST, W = SF_FD_WARN };

#define sys__ NULL

/* kind, bytes, dir, nullable, by_result, len_arg, unit, name */
#define I1(n) { SK_INT, 1, 0, 0, 0, -1, 0, n }
#define I2(n) { SK_INT, 2, 0, 0, 0, -1, 0, n }
#define I4(n) { SK_INT, 4, 0, 0, 0, -1, 0, n }
#define I8(n) { SK_INT, 8, 0, 0, 0, -1, 0, n }
#define MODE(n, k) { SK_MODE, 0, 0, 0, 0, k, 4, n }
#define H4(n) { SK_HANDLER, 0, 0, 0, 0, -1, 4, n }
#define H8(n) { SK_HANDLER, 0, 0, 0, 0, -1, 8, n }
#define FD(n) { SK_FD, 4, 0, 0, 0, -1, 0, n }
#define FDAT(n) { SK_FD_AT, 4, 0, 0, 0, -1, 0, n }
#define STR(n) { SK_STRING, 8, SYS_IN, 0, 0, -1, 0, n }
#define STR0(n) { SK_STRING, 8, SYS_IN, 1, 0, -1, 0, n }
#define PATH(n) { SK_PATH, 8, SYS_IN, 0, 0, -1, 0, n }
#define PATH0(n) { SK_PATH, 8, SYS_IN, 1, 0, -1, 0, n }
#define ADDR(n, k) { SK_ADDR, 8, 0, 0, 0, k, 1, n }
#define MEM(n, dir, null, res, k, s) { SK_MEM, 8, dir, null, res, k, s, n }
#define IN(n, k) MEM(n, SYS_IN, 0, 0, k, 1)
#define IN0(n, k) MEM(n, SYS_IN, 1, 0, k, 1)
#define INX(n, k, s) MEM(n, SYS_IN, 0, 0, k, s)
#define INX0(n, k, s) MEM(n, SYS_IN, 1, 0, k, s)
#define INS(n, s) MEM(n, SYS_IN, 0, 0, -1, s)
#define INS0(n, s) MEM(n, SYS_IN, 1, 0, -1, s)
#define OUT(n, k) MEM(n, SYS_OUT, 0, 0, k, 1)
#define OUTX(n, k, s) MEM(n, SYS_OUT, 0, 0, k, s)
#define OUTS(n, s) MEM(n, SYS_OUT, 0, 0, -1, s)
#define OUTS0(n, s) MEM(n, SYS_OUT, 1, 0, -1, s)
#define OUTR(n, k) MEM(n, SYS_OUT, 0, 1, k, 1)
#define OUTR0(n, k) MEM(n, SYS_OUT, 1, 1, k, 1)
#define OUTRX(n, k, s) MEM(n, SYS_OUT, 0, 1, k, s)
#define OUTRX0(n, k, s) MEM(n, SYS_OUT, 1, 1, k, s)
#define IOS(n, s) MEM(n, SYS_IN | SYS_OUT, 0, 0, -1, s)
#define IOS0(n, s) MEM(n, SYS_IN | SYS_OUT, 1, 0, -1, s)
#define IOV_IN(n, k) { SK_IOV, 8, SYS_IN, 0, 0, k, 16, n }
#define IOV_OUT(n, k) { SK_IOV, 8, SYS_OUT, 0, 0, k, 16, n }
#define SOCK_IN(n, k) { SK_SOCK_IN, 8, SYS_IN, 0, 0, k, 1, n }
#define SOCK_IN0(n, k) { SK_SOCK_IN, 8, SYS_IN, 1, 0, k, 1, n }
#define SOCK_OUT(n, k) { SK_SOCK_OUT, 8, SYS_OUT, 0, 0, k, 1, n }
#define SOCK_OUT0(n, k) { SK_SOCK_OUT, 8, SYS_OUT, 1, 0, k, 1, n }
#define LEN(n) { SK_LEN, 8, SYS_IN | SYS_OUT, 0, 0, -1, 4, n }
#define LEN0(n) { SK_LEN, 8, SYS_IN | SYS_OUT, 1, 0, -1, 4, n }
#define POLLFDS(n, k) { SK_POLLFDS, 8, SYS_IN | SYS_OUT, 0, 0, k, 8, n }
#define FDSET0(n) { SK_FDSET, 8, SYS_IN | SYS_OUT, 1, 0, 0, 1, n }

#define SYS(no, name, text, flags, handler, ...)                                           \
    [no] = { #name, text, flags, sizeof((SysArg[]){ __VA_ARGS__ }) / sizeof(SysArg),       \
             sys_##handler, { __VA_ARGS__ } },

static const SysRow rows[] = {
#include "syscalls.def"
};

const SysRow *sys_row(uint64_t no)
{
    return no < sizeof rows / sizeof rows[0] && rows[no].name ? &rows[no] : NULL;
}

unsigned sys_row_limit(void) { return sizeof rows / sizeof rows[0]; }
