/* SPDX-License-Identifier: MIT */
/*
 * Recorded errors.  An error is the same as an earlier one if kind, the innermost frames and the
 * tool agree; it is then only counted.  A new one is entered first, so that another thread with
 * the same error finds it, and looked up and printed with LOCK_errors released, since describing
 * and suppressing need locks of lower rank; `state` tells where it is on that way.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hashmap.h"
#include "base/ranked_lock.h"
#include "base/vec.h"
#include "coregrind/report/report_internal.h"
#include "coregrind/report/trace_memo.h"

enum {
    MAX_CONTEXTS = 1000,      /**< different errors shown before giving up */
    MAX_ERRORS = 10000000,    /**< errors in all before giving up */
    DETAILED_CONTEXTS = 100,  /**< afterwards fewer frames are compared */
    FRAMES_DETAILED = 4, FRAMES_COARSE = 2
};

typedef enum RecordState { RECORD_NEW, RECORD_SHOWN, RECORD_SUPPRESSED } RecordState;

typedef struct Record {
    GimleError e;
    RecordState state;
    size_t supp; /**< number of the suppression, if suppressed */
    struct Record *next; /**< with the same hash */
} Record;

static VEC(Record *) records;      /* in order of discovery */
static HashMap by_hash;
static uint64_t found;             /* errors seen, the source of `unique` */
static uint64_t shown, shown_contexts, suppressed, suppressed_contexts;
static bool stopped, coarse;
static bool asking = true;         /* --gen-suppressions=yes: until told to stop */
static _Atomic int disabled_any;   /* some thread has error reporting disabled */
static HashMap disabled;           /* tid → nesting */

uint64_t gimle_error_count(void) { return shown; }
uint64_t gimle_error_contexts(void) { return shown_contexts; }
uint64_t report_error_count(void) { return shown; }

uint64_t error_store_suppressed(uint64_t *contexts)
{
    *contexts = suppressed_contexts;
    return suppressed;
}

/* ---- errors that a thread does not want reported -------------------------------------------- */

void report_change_disabled(Thread *t, int delta)
{
    uint64_t n = 0, tid = gimle_thread_id(t);
    lock_take(LOCK_errors);
    hashmap_get(&disabled, tid, &n);
    if (delta > 0 && n++ == 0)
        disabled_any++;
    else if (delta < 0 && n > 0 && --n == 0)
        disabled_any--;
    hashmap_put(&disabled, tid, n);
    lock_release(LOCK_errors);
}

void report_thread_ended(unsigned tid)
{
    trace_memo_forget();
    uint64_t n = 0;
    lock_take(LOCK_errors);
    if (hashmap_get(&disabled, tid, &n) && n > 0) {
        disabled_any--;
        hashmap_remove(&disabled, tid);
    }
    lock_release(LOCK_errors);
    if (n == 0 || core_options->xml)
        return;
    gimle_umsg("WARNING: exiting thread has error reporting disabled.\n");
    gimle_umsg("WARNING: possibly as a result of some mistake in the use\n");
    gimle_umsg("WARNING: of the VALGRIND_DISABLE_ERROR_REPORTING macros.\n");
}

static bool is_disabled(unsigned tid)
{
    uint64_t n = 0;
    if (disabled_any == 0)
        return false;
    lock_take(LOCK_errors);
    hashmap_get(&disabled, tid, &n);
    lock_release(LOCK_errors);
    return n > 0;
}

/* ---- the same error again ---------------------------------------------------------------------- */

static uint64_t hash_error(const GimleError *e)
{
    uint64_t h = (uint64_t)e->kind + 1;
    for (unsigned i = 0; e->where && i < e->where->n && i < FRAMES_COARSE; i++)
        h = hash_mix64(h ^ e->where->pc[i]);
    return h ? h : 1;
}

static bool same_frames(const StackTrace *a, const StackTrace *b)
{
    unsigned want = coarse ? FRAMES_COARSE : FRAMES_DETAILED;
    if (a == b)
        return true;
    if (!a || !b)
        return false;
    unsigned n = a->n < want ? a->n : want;
    if (b->n < want && b->n != n)
        return false;
    return (a->n >= want || a->n == b->n) && memcmp(a->pc, b->pc, n * sizeof *a->pc) == 0;
}

/** Count @p e if it is known. LOCK_errors is held. */
static Record *find_same(const GimleError *e, uint64_t hash)
{
    const GimleErrorOps *ops = report_tool->errors;
    for (Record *r = hashmap_get_ptr(&by_hash, hash); r; r = r->next) {
        if (r->e.kind != e->kind || !same_frames(r->e.where, e->where))
            continue;
        if (!ops->equal || ops->equal(&r->e, e))
            return r;
    }
    return NULL;
}

static void count_again(Record *r)
{
    size_t n;
    found++;
    r->e.count++;
    if (r->state == RECORD_SHOWN) {
        shown++;
    } else if (r->state == RECORD_SUPPRESSED) {
        suppressed++;
        suppress_list(&n)[r->supp].used++;
    }
}

static Record *enter_new(const GimleError *e, uint64_t hash)
{
    Record *r = calloc(1, sizeof *r);
    CHECK(r != NULL, "out of memory");
    r->e = *e;
    r->e.count = 1;
    r->e.unique = (uint32_t)found++;
    r->next = hashmap_get_ptr(&by_hash, hash);
    hashmap_put(&by_hash, hash, (uint64_t)(uintptr_t)r);
    vec_push(&records, r);
    return r;
}

/* ---- limits ---------------------------------------------------------------------------------------- */

/** The report ends here: say so once. LOCK_errors is held. */
static bool limit_reached(void)
{
    if (stopped || !core_options->error_limit)
        return stopped;
    if (shown_contexts < MAX_CONTEXTS && shown < MAX_ERRORS)
        return false;
    stopped = true;
    if (!core_options->xml) {
        gimle_umsg("\n");
        if (shown >= MAX_ERRORS)
            gimle_umsg("More than %d total errors detected.  I'm not reporting any more.\n", MAX_ERRORS);
        else
            gimle_umsg("More than %d different errors detected.  I'm not reporting any more.\n",
                       MAX_CONTEXTS);
        gimle_umsg("Final error counts will be inaccurate.  Go fix your program!\n");
        gimle_umsg("Rerun with --error-limit=no to disable this cutoff.  Note\n");
        gimle_umsg("that errors may occur in your program without prior warning from\n");
        gimle_umsg("Gimle, because errors are no longer being displayed.\n");
        gimle_umsg("\n");
    }
    return true;
}

/** From the 101st on errors are compared less closely. LOCK_errors is held. */
static void note_many(void)
{
    if (coarse || shown_contexts < DETAILED_CONTEXTS)
        return;
    coarse = true;
    if (!core_options->xml) {
        gimle_umsg("\n");
        gimle_umsg("More than %d errors detected.  Subsequent errors\n", DETAILED_CONTEXTS);
        gimle_umsg("will still be recorded, but in less detail than before.\n");
    }
}

/* ---- after printing ------------------------------------------------------------------------------- */

/** --gen-suppressions=yes: ask whether to print one for @p e. */
static void ask_suppression(const GimleError *e)
{
    static const char prompt[] = "---- Print suppression ? --- [Return/N/n/Y/y/C/c] ---- ";
    StrBuf b = { 0 };
    char c = '\n', rest = 0;
    if (!asking || core_options->gen_suppressions != GEN_SUPP_YES || !sink_is_open(SINK_LOG))
        return;
    strbuf_printf(&b, "==%d== \n==%d== %s", (int)getpid(), (int)getpid(), prompt);
    sink_write(SINK_LOG, b.s, b.len);
    strbuf_clear(&b);
    if (read((int)core_options->input_fd, &c, 1) != 1)
        c = 'c';
    while (c != '\n' && c != 'c' && read((int)core_options->input_fd, &rest, 1) == 1 && rest != '\n')
        continue;
    if (c == 'c' || c == 'C')
        asking = false;
    else if (c == 'y' || c == 'Y')
        suppress_generate(e, &b);
    sink_write(SINK_LOG, strbuf_text(&b), b.len);
    strbuf_free(&b);
}

static void exit_on_first_error(void)
{
    if (!core_options->exit_on_first_error)
        return;
    if (!core_options->xml) {
        gimle_umsg("\n");
        gimle_umsg("Exit program on first error (--exit-on-first-error=yes)\n");
    }
    report_close();
    _exit((int)core_options->error_exitcode);
}

/** --vgdb-error: where Valgrind would wait for a debugger. */
static void would_wait(void)
{
    static bool told;
    if (told || core_options->vgdb == VGDB_NO || shown < (uint64_t)core_options->vgdb_error)
        return;
    told = true;
    gimle_umsg("(action on error) no debugger can be attached: the program goes on, in spite of "
               "--vgdb-error=%lld\n", (long long)core_options->vgdb_error);
}

static void show(GimleError *e)
{
    message_flush();
    printer_error(e, false);
    would_wait();
    ask_suppression(e);
    exit_on_first_error();
}

/* ---- entry points ------------------------------------------------------------------------------------ */

static GimleError make_error(Thread *t, int kind, GuestAddr addr, const char *string, void *extra,
                             const StackTrace *where)
{
    return (GimleError){ .kind = kind, .thread = t, .tid = t ? gimle_thread_id(t) : 0, .addr = addr,
                         .string = string, .extra = extra, .where = where, .count = 1 };
}

bool gimle_error(Thread *t, int kind, GuestAddr addr, const char *string, void *extra,
                 const StackTrace *where)
{
    const GimleErrorOps *ops = report_tool->errors;
    if (!ops || (t && is_disabled(gimle_thread_id(t))))
        return false;
    if (!where && t)
        where = gimle_stack_trace(t);
    GimleError e = make_error(t, kind, addr, string, extra, where);
    uint64_t hash = hash_error(&e);

    lock_take(LOCK_errors);
    if (limit_reached()) {
        lock_release(LOCK_errors);
        return false;
    }
    note_many();
    Record *r = find_same(&e, hash);
    if (r) {
        count_again(r);
        lock_release(LOCK_errors);
        return false;
    }
    r = enter_new(&e, hash);
    lock_release(LOCK_errors);

    if (ops->complete)
        ops->complete(&r->e);
    Suppression *s = suppress_match(&r->e);
    size_t known;

    lock_take(LOCK_errors);
    r->supp = s ? (size_t)(s - suppress_list(&known)) : 0;
    r->state = s ? RECORD_SUPPRESSED : RECORD_SHOWN;
    if (s) {
        suppressed += r->e.count;
        suppressed_contexts++;
        s->used += r->e.count;
    } else {
        shown += r->e.count;
        shown_contexts++;
    }
    lock_release(LOCK_errors);
    if (!s)
        show(&r->e);
    return !s;
}

bool gimle_error_unique(Thread *t, int kind, GuestAddr addr, const char *string, void *extra,
                        const StackTrace *where, bool print, bool count_it)
{
    const GimleErrorOps *ops = report_tool->errors;
    if (!ops)
        return false;
    GimleError e = make_error(t, kind, addr, string, extra, where);
    if (ops->complete)
        ops->complete(&e);
    Suppression *s = suppress_match(&e);
    lock_take(LOCK_errors);
    if (s) {
        s->used++;
        suppressed++;
        suppressed_contexts++;
    } else if (count_it) {
        shown++;
        shown_contexts++;
    }
    if (print && !s)
        e.unique = (uint32_t)found++;
    lock_release(LOCK_errors);
    if (!s && print)
        show(&e);
    return !s;
}

/* ---- for the summary ------------------------------------------------------------------------------- */

static int by_count(const void *a, const void *b)
{
    const GimleError *x = *(const GimleError *const *)a, *y = *(const GimleError *const *)b;
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    return x->unique < y->unique ? 1 : -1; /* newest first */
}

const GimleError **error_store_newest_first(size_t *n)
{
    const GimleError **list = calloc(records.n + 1, sizeof *list);
    CHECK(list != NULL, "out of memory");
    *n = 0;
    for (size_t i = records.n; i-- > 0;)
        if (records.data[i]->state == RECORD_SHOWN)
            list[(*n)++] = &records.data[i]->e;
    return list;
}

const GimleError **error_store_sorted(size_t *n)
{
    const GimleError **list = error_store_newest_first(n);
    qsort(list, *n, sizeof *list, by_count);
    return list;
}

void error_store_forget_all(void)
{
    for (size_t i = 0; i < records.n; i++)
        free(records.data[i]);
    vec_free(&records);
    hashmap_free(&by_hash);
    hashmap_free(&disabled);
    found = shown = shown_contexts = suppressed = suppressed_contexts = 0;
    stopped = coarse = false;
    disabled_any = 0;
}
