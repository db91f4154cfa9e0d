/* SPDX-License-Identifier: MIT */
/* cachegrind.out files, and the summary at the end. */
#ifndef CACHEGRIND_OUTPUT_H
#define CACHEGRIND_OUTPUT_H

/** Write what was settled (cost_table.h) to the output file; complains in the log if that fails. */
void output_write(void);
/** Print totals to the log. */
void output_print_summary(void);

#endif
