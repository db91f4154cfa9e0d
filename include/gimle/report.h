/* SPDX-License-Identifier: MIT */
/*
 * Errors and messages.  A tool records an error; the core compares it with those seen, looks for
 * a suppression, and prints it once, in text (and XML when asked), in the form programs parse.
 */
#ifndef GIMLE_REPORT_H
#define GIMLE_REPORT_H

#include <stdarg.h>

#include "thread.h"

/* ---- messages ---------------------------------------------------------------------------- */

/** Kinds of line prefixes: ==PID==, --PID--, **PID**, none. */
typedef enum MsgKind { MSG_USER, MSG_DEBUG, MSG_CLIENT, MSG_PLAIN } MsgKind;
/** Print to the log; a prefix starts each line; one call may be part of a line. Thread-safe. */
void gimle_msg(MsgKind kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** As gimle_msg(MSG_USER, ...). */
void gimle_umsg(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void gimle_vmsg(MsgKind kind, const char *fmt, va_list ap);
/** A user's mistake found at start-up: "gimle: <line>" to stderr, exit status 1. */
_Noreturn void gimle_user_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- errors -------------------------------------------------------------------------------- */

typedef struct GimleError {
    int kind;                /**< the tool's number, >= 0 */
    Thread *thread;          /**< NULL for errors of no thread (leaks) */
    unsigned tid;
    GuestAddr addr;          /**< what it is about, or 0 */
    const char *string;      /**< interned or static text, or NULL */
    void *extra;             /**< tool's data; the core frees nothing */
    const StackTrace *where; /**< NULL: none */
    uint32_t count;          /**< occurrences */
    uint32_t unique;         /**< number in XML */
} GimleError;

/** Output of one error: text or XML, whichever is on. */
typedef struct ErrorPrinter ErrorPrinter;
/** First line: "Invalid read of size 4"; in XML <kind>@p xml_kind</kind><what>…</what>. */
void gimle_print_what(ErrorPrinter *p, const char *xml_kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** For leaks: XML gets xwhat with text, leakedbytes, leakedblocks. */
void gimle_print_xwhat_leak(ErrorPrinter *p, const char *xml_kind, uint64_t bytes, uint64_t blocks,
                            const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** A stack trace ("   at 0x…: f (file.c:1)"). */
void gimle_print_stack(ErrorPrinter *p, const StackTrace *t);
/** An indented extra line: " Address 0x… is …"; XML auxwhat. */
void gimle_print_aux(ErrorPrinter *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** True while printing XML. */
bool gimle_printer_is_xml(const ErrorPrinter *p);
/** For what belongs to no error: printed between these two, it goes to the log as text. */
ErrorPrinter *gimle_print_begin_apart(void);
void gimle_print_end_apart(ErrorPrinter *p);

/** A suppression as the tool sees it. */
typedef struct GimleSupp {
    int kind;            /**< tool's number, set by read_supp */
    const char *string;  /**< tool's extra line, or NULL */
    void *extra;
} GimleSupp;

typedef struct GimleErrorOps {
    /** Same kind already holds and the stacks match; are they otherwise the same error? */
    bool (*equal)(const GimleError *a, const GimleError *b);
    /** First occurrence, not suppressed: complete what printing needs (describe the address). */
    void (*complete)(GimleError *e);
    void (*print)(const GimleError *e, ErrorPrinter *p);
    /** Name in suppressions ("Addr4", "Cond", "Leak"); NULL: cannot be suppressed. */
    const char *(*supp_name)(const GimleError *e);
    /** Set s->kind for a suppression of this tool called @p name; false: not known. */
    bool (*supp_recognise)(const char *name, GimleSupp *s);
    /**
     * Lines between the name and the frames ("write(buf)", "match-leak-kinds: definite").
     * Returns 1 if the line was taken, 0 if it is not ours (a frame line), -1 if malformed.
     */
    int (*supp_line)(GimleSupp *s, const char *line);
    bool (*supp_match)(const GimleError *e, const GimleSupp *s);
    /** Extra lines for --gen-suppressions ("match-leak-kinds: definite"), or NULL. */
    const char *(*supp_extra)(const GimleError *e);
} GimleErrorOps;

/**
 * Record an error at the thread's present position (or @p where if not NULL). Returns true if
 * it was printed (new and not suppressed). @p extra must stay valid for ever if it is new.
 */
bool gimle_error(Thread *t, int kind, GuestAddr addr, const char *string, void *extra,
                 const StackTrace *where);
/**
 * For errors that are not recorded (leak records): test suppressions, print unless suppressed,
 * and count if @p count_it. Returns true if it was not suppressed. @p print false: only test.
 */
bool gimle_error_unique(Thread *t, int kind, GuestAddr addr, const char *string, void *extra,
                        const StackTrace *where, bool print, bool count_it);
/** Errors shown so far. */
uint64_t gimle_error_count(void);
/** Distinct contexts shown so far. */
uint64_t gimle_error_contexts(void);

/* ---- describing addresses ------------------------------------------------------------------ */

/** What the core knows of an address that is not in a heap block of the tool's. */
typedef struct AddrDesc {
    enum { ADDR_UNKNOWN, ADDR_STACK, ADDR_BELOW_SP, ADDR_DATASYM, ADDR_SECTION, ADDR_MAPPED_FILE,
           ADDR_ANON_MAP, ADDR_BRK } kind;
    unsigned tid;          /**< STACK, BELOW_SP */
    int frame;             /**< STACK: frame number or -1 */
    const char *name;      /**< DATASYM: symbol; SECTION: section kind; MAPPED_FILE: path; STACK: function or NULL */
    const char *file;      /**< STACK: source file of the frame, or NULL */
    unsigned line;
    const char *object;
    uint64_t offset;       /**< DATASYM; BELOW_SP: bytes below */
    GuestAddr lo, hi;      /**< BRK: first and last address */
    char prot[4];          /**< MAPPED_FILE, ANON_MAP: "rw-" */
    /** STACK, DATASYM: "1 byte inside a[3].x," and "declared at ...", or NULL if no variable is known there. */
    const char *variable, *declared;
    bool guard;            /**< BELOW_SP: in the pages without access at the end of the stack */
} AddrDesc;
/** Describe @p a for an error in thread @p t; strings stay valid. */
void gimle_describe_addr(Thread *t, GuestAddr a, AddrDesc *out);
/** Print it as the line(s) after " Address 0x… is". */
void gimle_print_addr(ErrorPrinter *p, GuestAddr a, const AddrDesc *d);

/** Function name (demangled) at @p pc, "" if unknown; in a buffer of this thread. */
const char *gimle_function_name(GuestAddr pc);

/** One function at a place in the code; strings may be NULL. */
typedef struct CodeFrame {
    const char *fn;     /**< demangled */
    const char *file;   /**< base name of the source file */
    const char *dir;    /**< its directory */
    unsigned line;      /**< 0: unknown */
    const char *object; /**< path */
    bool inlined;       /**< was inlined into the next frame */
    bool is_main;       /**< main, or a function below it */
    const char *text;   /**< "0x1234: f (file.c:12)", as in stack traces */
} CodeFrame;
struct Arena;
/**
 * The functions at @p pc (of a caller: its return address - 1), inlined ones first; strings are in
 * @p arena. Returns how many, 1..max. If nothing is known the one frame has text only.
 */
unsigned gimle_describe_code(GuestAddr pc, CodeFrame *frames, unsigned max, struct Arena *arena);
/**
 * The position of the innermost code at @p pc and the function that it was compiled into: neither
 * object nor text.  Returns up to where the same is true, so that many addresses take one question.
 */
GuestAddr gimle_describe_line(GuestAddr pc, CodeFrame *out, struct Arena *arena);

#endif
