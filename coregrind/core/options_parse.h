/* SPDX-License-Identifier: MIT */
/* One argument against one table of option rows; knows nothing of sources or of the core's options. */
#ifndef COREGRIND_OPTIONS_PARSE_H
#define COREGRIND_OPTIONS_PARSE_H

#include "base/strbuf.h"
#include "gimle/options.h"

/** What became of an argument. */
typedef enum OptResult {
    OPTION_TAKEN,
    OPTION_UNKNOWN, /**< no row has this name in this form */
    OPTION_BAD      /**< the row is known but the value is not acceptable: *why says so */
} OptResult;

/**
 * Find the row for @p arg ("--name=value" or a flag) in @p rows (ends with name NULL) and store the
 * value in its target (rows without target are only checked).
 */
OptResult option_parse_arg(const GimleOption *rows, const char *arg, StrBuf *why);

/** The line (or two) of --help about @p row with its present value as the default. */
void option_help_line(const GimleOption *row, StrBuf *out);

/** Value of @p row as a number (choices: index; sets: bits; flags: count), -1 if it has none. */
int64_t option_number(const GimleOption *row);

#endif
