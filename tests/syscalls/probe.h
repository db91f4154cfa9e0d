/* SPDX-License-Identifier: MIT */
/*
 * What cases.def is written in: the arguments of a system call as data, and objects that have to
 * be made before it (makers.c).
 */
#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_ARGS = 6 };

typedef long Maker(void);

typedef enum ArgKind {
    ARG_NONE,
    ARG_VALUE,  /* an integer */
    ARG_FD,     /* a descriptor, made by a function */
    ARG_MADE,   /* an integer, made by a function */
    ARG_STRING, /* a string that is read */
    ARG_IN,     /* an object that is read */
    ARG_OUT,    /* room for what is written */
    ARG_INOUT   /* an object that is read and written */
} ArgKind;

typedef struct Arg {
    ArgKind kind;
    long value;
    const void *data;
    unsigned size;
    Maker *make;
} Arg;

typedef struct Case {
    int number;
    const char *name;
    const char *flags;
    Arg arg[MAX_ARGS];
} Case;

#define V(x) { ARG_VALUE, (long)(x), 0, 0, 0 }
#define FD(maker) { ARG_FD, 0, 0, 0, make_##maker }
#define F(maker) { ARG_MADE, 0, 0, 0, make_##maker }
#define S(text) { ARG_STRING, 0, text, sizeof text, 0 }
#define IN(type, ...) { ARG_IN, 0, &(const type){ __VA_ARGS__ }, sizeof(type), 0 }
#define INV(type, ...) { ARG_IN, 0, (const type[]){ __VA_ARGS__ }, sizeof((const type[]){ __VA_ARGS__ }), 0 }
#define OUT(size) { ARG_OUT, 0, 0, size, 0 }
#define IO(type, ...) { ARG_INOUT, 0, &(const type){ __VA_ARGS__ }, sizeof(type), 0 }

/** Buffers that structures in cases.def point to; g_out is undefined before each call. */
extern char g_in[256], g_out[256], g_out2[64];
extern char *const g_argv[], *const g_envp[];

/** An address where nothing is. */
#define NOWHERE ((void *)16)

#define MAKER(name) Maker make_##name;
#include "makers.def"
#undef MAKER

#endif
