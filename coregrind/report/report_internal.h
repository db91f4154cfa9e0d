/* SPDX-License-Identifier: MIT */
/* What the files of this directory share. */
#ifndef COREGRIND_REPORT_INTERNAL_H
#define COREGRIND_REPORT_INTERNAL_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "coregrind/core/options.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/report/report.h"

/** A line of the banner with the version as argument; readers look for its beginning and its end. */
#define REPORT_USING \
    "Using Valgrind-" OPTIONS_VALGRIND_VERSION " compatible Gimle-%s and LibVEX; " \
    "rerun with -h for copyright info"

/* ---- sink.c: where output goes ----------------------------------------------------------- */

typedef enum SinkId { SINK_LOG, SINK_XML, SINK_JSON, SINK_COUNT } SinkId;

/** Open what the options ask for; a user's mistake ends the program. */
void sink_open_all(void);
/** Write raw text. Takes LOCK_report. Never fails visibly: a reader that went away is the user's choice. */
void sink_write(SinkId id, const char *text, size_t n);
/** Is there such an output? */
bool sink_is_open(SinkId id);
/** The log goes to a descriptor (stderr, --log-fd), not to a file or socket. */
bool sink_log_is_fd(void);
/** Colours may be used in the log. */
bool sink_color(void);
/** In a forked child: true if the log is a new file now (%p) and needs a banner. */
bool sink_after_fork(bool silent);
void sink_close_all(void);

/* ---- message.c: lines with prefixes ------------------------------------------------------ */

/** Write whole lines of @p text (each ends with \n) with the prefix of @p kind, as one piece. */
void message_lines(MsgKind kind, const char *text, size_t n);
/** Put a partial line of this thread out. */
void message_flush(void);
/** Milliseconds since the start as "00:00:00:00.123". */
const char *message_elapsed(char buf[32]);
void message_start_clock(void);

/* ---- frames.c: traces as lines ----------------------------------------------------------- */

/** @p n: 0 for the first line. Return false to stop. */
typedef bool FrameFn(void *ctx, const FrameInfo *f, unsigned n);
/** Describe the frames of @p t, inlined ones too; @p cut: stop after main as --show-below-main=no says. */
void frames_walk(const StackTrace *t, bool cut, FrameFn *fn, void *ctx);
/** "0x1091B3: main (a.c:2)". */
void frame_text(const FrameInfo *f, StrBuf *out);
/** Name for suppressions: raw, or "(below main)"; NULL if unknown. */
const char *frame_supp_name(const FrameInfo *f);

/** A message of the client and, in its last line if that is not ended, the trace. */
void report_stack_after(const char *text, const StackTrace *trace);

/* ---- printer.c, text.c, xml.c, json.c ---------------------------------------------------- */

typedef struct PrinterOps {
    void (*begin)(ErrorPrinter *p, const GimleError *e);
    void (*what)(ErrorPrinter *p, const char *kind, const char *text);
    void (*leak)(ErrorPrinter *p, const char *kind, uint64_t bytes, uint64_t blocks, const char *text);
    void (*stack)(ErrorPrinter *p, const StackTrace *t);
    void (*aux)(ErrorPrinter *p, const char *text);
    void (*suppression)(ErrorPrinter *p, const GimleError *e);
    void (*end)(ErrorPrinter *p, const GimleError *e);
} PrinterOps;

struct ErrorPrinter {
    const PrinterOps *ops;
    SinkId sink;
    StrBuf out;      /**< the report so far, without prefixes */
    unsigned parts;  /**< JSON: arrays opened so far */
    bool list;       /**< text of -s: no thread line, no markers */
};

extern const PrinterOps text_printer, xml_printer, json_printer;

/** Print @p e to every output that is on. @p list: for the list of -s. */
void printer_error(const GimleError *e, bool list);

void xml_escape(StrBuf *out, const char *s);
void xml_stack(StrBuf *out, const StackTrace *t, unsigned indent);
void xml_preamble(const ReportTool *tool, const char *const *argv);
/** "RUNNING" or "FINISHED". */
void xml_status(const char *state);
void xml_client_message(unsigned tid, const char *text, const StackTrace *trace);

/** The tool and its error operations; set by report_init(). */
extern const ReportTool *report_tool;
/** Not -q. */
bool report_talkative(void);
/** Name of thread @p tid in @p buf; "" if it has none. */
const char *report_thread_name(unsigned tid, char buf[32]);

/* ---- suppressions ------------------------------------------------------------------------- */

typedef enum SuppFrameKind { SUPP_FUN, SUPP_OBJ, SUPP_SRC, SUPP_ANY } SuppFrameKind;
typedef struct SuppFrame {
    SuppFrameKind kind;
    char *pattern;   /**< wildcards * and ?; SRC: the file part */
    unsigned line;   /**< SRC: 0 any */
} SuppFrame;

typedef struct Suppression {
    char *name;
    const char *file;    /**< where it was read from */
    unsigned line;       /**< of its name, as used_suppression shows */
    GimleSupp tool;      /**< what the tool made of the kind and extra lines */
    SuppFrame *frame;
    size_t n_frames;
    uint64_t used;       /**< under LOCK_errors */
} Suppression;

/** Parse @p text of the file called @p file; false and a sentence with the line in *line if malformed. */
bool suppress_parse(const char *file, char *text, unsigned *line, const char **why);
/** The suppressions that apply to this tool, in order of reading. */
Suppression *suppress_list(size_t *n);
void suppress_add(const Suppression *s);
/** The suppression that covers @p e, or NULL. */
Suppression *suppress_match(const GimleError *e);
/** Does the pattern (* and ?) match all of @p s? */
bool suppress_wildcard(const char *pattern, const char *s);
/** Text of a suppression for @p e, "" if the tool has no name for it. */
void suppress_generate(const GimleError *e, StrBuf *out);
/** As XML elements. */
void suppress_generate_xml(const GimleError *e, StrBuf *out);
/** -v: which files were read; from now on it is said when they are. */
void suppress_say_files(void);
/** For tests. */
void suppress_forget_all(void);

/* ---- error_store.c -------------------------------------------------------------------------- */

/** Recorded errors, newest first; *n of them; malloc'ed array. */
const GimleError **error_store_newest_first(size_t *n);
/** Recorded errors shown so far in order of count (for -s); malloc'ed array. */
const GimleError **error_store_sorted(size_t *n);
uint64_t error_store_suppressed(uint64_t *contexts);
void error_store_forget_all(void);

#endif
