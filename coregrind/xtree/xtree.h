/* SPDX-License-Identifier: MIT */
/* Between the writers of execution trees: stack traces as functions. */
#ifndef COREGRIND_XTREE_XTREE_H
#define COREGRIND_XTREE_XTREE_H

#include <stdio.h>

#include "gimle/xtree.h"

/** A function of a stack trace. */
typedef struct XtreeFrame {
    GuestAddr pc;
    unsigned inlined;                /**< 0: not; else how many functions away from that */
    unsigned line;
    const char *fn, *file, *text;    /**< file: path; text: "0x1234: f (file.c:12)" */
} XtreeFrame;

/** An entry with its functions, outermost first. */
typedef struct XtreePath {
    const XtreeEntry *entry;
    XtreeFrame *frame;
    unsigned n;
} XtreePath;

void xtree_write_callgrind(FILE *f, const Xtree *x, const XtreePath *path);
void xtree_write_massif(FILE *f, const Xtree *x, const XtreePath *path);

#endif
