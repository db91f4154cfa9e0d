/* SPDX-License-Identifier: MIT */
/* massif.out files. */
#ifndef MASSIF_OUTPUT_H
#define MASSIF_OUTPUT_H

#include "snapshots.h"

/** Write all snapshots to the output file; complains in the log if that fails. */
void output_write(void);

/** Write the snapshots at @p s to the file that @p pattern names; complains if that fails. */
void output_write_to(const char *option, const char *pattern, const Snapshot *s, unsigned n);

#endif
