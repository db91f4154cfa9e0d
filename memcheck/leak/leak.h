/* SPDX-License-Identifier: MIT */
/*
 * The leak check: which blocks of the heap can still be reached from registers, stacks and
 * static data, and what is said about the others.
 */
#ifndef MEMCHECK_LEAK_H
#define MEMCHECK_LEAK_H

#include "../errors.h"

/** Totals of a leak check, by LeakKind, suppressed ones apart. */
typedef struct LeakTotals {
    uint64_t bytes[LEAK_KINDS], blocks[LEAK_KINDS];
    uint64_t suppressed_bytes, suppressed_blocks;
} LeakTotals;

/** Which records a check prints. */
typedef enum LeakDelta { LEAK_DELTA_ANY, LEAK_DELTA_INCREASED, LEAK_DELTA_CHANGED } LeakDelta;

typedef struct LeakRequest {
    bool full;            /**< print loss records */
    LeakDelta delta;
    unsigned show_kinds, error_kinds, heuristics;
    bool count_errors;
    bool summary;         /**< print LEAK SUMMARY */
    bool xml;
    const char *tree;     /**< pattern of the file that gets the records instead of the report, or NULL */
    unsigned limit;       /**< print at most so many records, the largest; 0: all */
    bool by_monitor;      /**< asked for by a monitor command: other hints */
    Thread *thread;       /**< who asked, or NULL */
} LeakRequest;

/** Search and report. */
void leak_check(const LeakRequest *r);
/** The check at the end of the program, as the options say. */
void leak_check_at_exit(bool quiet, bool xml);
/** Totals of the last check; zeros if there was none. */
LeakTotals leak_last_totals(void);

/* ---- questions about the last check ------------------------------------------------- */

/** Print record @p number and its blocks; @p heuristics, not 0: those that one of these found. False: no such. */
bool leak_list_blocks(unsigned number, uint64_t limit, unsigned heuristics);
/** Print where thread @p t's program has pointers to @p a, or, if @p len > 1, into [a, a+len). */
void leak_who_points_at(Thread *t, GuestAddr a, uint64_t len);

/* ---- between the search and the records --------------------------------------------- */

typedef enum LeakHeuristic {
    HEUR_NONE, HEUR_STDSTRING, HEUR_LENGTH64, HEUR_NEWARRAY, HEUR_MULTIPLE_INHERITANCE, HEUR_COUNT
} LeakHeuristic;

/** A live block and what the search found out about it. */
typedef struct LeakBlock {
    GuestAddr addr;
    size_t size;
    const StackTrace *where;
    uint8_t kind;       /**< LeakKind */
    uint8_t heuristic;  /**< LeakHeuristic that made it reachable */
    uint8_t alloc_kind; /**< HeapAllocKind */
    bool pending;       /**< on the mark stack */
    uint32_t leader;    /**< unreached: index of the block that it hangs on */
    uint64_t indirect;  /**< leader: bytes of the blocks that hang on it */
} LeakBlock;

typedef struct LeakHeap {
    LeakBlock *block; /**< by address */
    size_t n, cap;
} LeakHeap;

/** Find all live blocks and their kinds; free with leak_search_free(). @p ending has called exit(). */
void leak_search(LeakHeap *h, unsigned heuristics, const Thread *ending);
void leak_search_free(LeakHeap *h);

/** Record @p number of the last check that a thread asked for, or NULL. */
const McLoss *leak_record(unsigned number);
/** The blocks that it found. */
const LeakHeap *leak_last_heap(void);
/** Number of the record that block @p b of leak_last_heap() belongs to, 0: none. */
unsigned leak_record_of(const LeakBlock *b);

#endif
