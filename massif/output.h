/* SPDX-License-Identifier: MIT */
/* massif.out files. */
#ifndef MASSIF_OUTPUT_H
#define MASSIF_OUTPUT_H

/** Write all snapshots to the output file; complains in the log if that fails. */
void output_write(void);

#endif
