/* SPDX-License-Identifier: MIT */
/* makers.c besides its makers. */
#ifndef MAKERS_H
#define MAKERS_H

#include <stdbool.h>

/** Remove what would outlive the process. */
void makers_clean(void);

#endif
