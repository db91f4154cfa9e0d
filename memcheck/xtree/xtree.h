/* SPDX-License-Identifier: MIT */
/*
 * Execution trees: numbers by stack trace, written as a profile for viewers of callgrind's format or, if the
 * file is named *.ms, of massif's.  heap_tree.h and the leak check fill them.
 */
#ifndef MEMCHECK_XTREE_H
#define MEMCHECK_XTREE_H

#include <stdio.h>

#include "../memcheck.h"
#include "base/vec.h"

enum { XTREE_EVENTS = 27 /**< most events of a tree */ };

typedef struct XtreeEvent {
    const char *name, *what; /**< "curB", "currently allocated Bytes" */
} XtreeEvent;

typedef struct XtreeEntry {
    const StackTrace *where; /**< may be NULL */
    uint64_t value[XTREE_EVENTS];
} XtreeEntry;

typedef struct Xtree {
    const XtreeEvent *event;
    unsigned n_events;
    bool skip_innermost;     /**< the innermost function is one of the heap's and not shown */
    VEC(XtreeEntry) entries; /**< sorted by xtree_write() */
} Xtree;

/** Write @p x to the file named by @p pattern, the value of @p option; say so after @p title. */
void xtree_write(Xtree *x, const char *title, const char *option, const char *pattern);

/* ---- between the writers ------------------------------------------------------------ */

struct Arena;

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
