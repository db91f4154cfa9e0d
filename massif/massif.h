/* SPDX-License-Identifier: MIT */
/* Massif's options, and the totals that its parts keep. */
#ifndef MASSIF_MASSIF_H
#define MASSIF_MASSIF_H

#include "gimle/tool.h"

#define MASSIF_MAX_DEPTH 200

typedef enum TimeUnit { TIME_INSTRUCTIONS, TIME_MS, TIME_BYTES } TimeUnit;

typedef struct MsOptions {
    bool heap, stacks, pages_as_heap;
    int64_t heap_admin, depth, detailed_freq, max_snapshots;
    double threshold, peak_inaccuracy; /**< percent */
    int time_unit;                     /**< TimeUnit */
    OptList alloc_fns, ignore_fns;
    const char *out_file;
} MsOptions;

extern MsOptions ms_options;
extern const GimleOption ms_option_table[];
/** Check combinations; before the client starts. */
void ms_options_finish(void);
/** The options that differ from their defaults, as on a command line; "(none)". malloc'ed. */
char *ms_options_text(void);

#endif
