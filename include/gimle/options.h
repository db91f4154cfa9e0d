/* SPDX-License-Identifier: MIT */
/* Command-line options as data: parser, --help and the man page are made from these rows. */
#ifndef GIMLE_OPTIONS_H
#define GIMLE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum OptType {
    OPT_BOOL,    /**< --x=yes|no → bool */
    OPT_INT,     /**< → int64_t, lo..hi */
    OPT_STRING,  /**< → const char * */
    OPT_CHOICE,  /**< → int, index in choices ("no|yes|full") */
    OPT_SET,     /**< comma list of choices, "all", "none" → unsigned bit set */
    OPT_LIST,    /**< may repeat → OptList */
    OPT_FLAG,    /**< -q, -v, --help: no value; → int counter */
    OPT_FUNC     /**< parse() decides: returns NULL or why the value is bad */
} OptType;

typedef struct OptList { const char **item; size_t n; } OptList;

typedef struct GimleOption {
    const char *name;    /**< "--leak-check" */
    OptType type;
    void *target;
    const char *choices; /**< CHOICE, SET: "no|summary|full"; INT: unit in help */
    int64_t lo, hi;      /**< INT */
    const char *help;    /**< NULL: not shown (compatibility only) */
    const char *(*parse)(const char *value); /**< FUNC */
} GimleOption;

/** The arguments that were for the tool, as they were given, in order; @p n of them. */
const char *const *gimle_tool_options(unsigned *n);

#endif
