/* SPDX-License-Identifier: MIT */
/* Starting the store of translations: its directory, and what translations of this run depend on. */
#ifndef COREGRIND_STORE_SETUP_H
#define COREGRIND_STORE_SETUP_H

#include "gimle/tool.h"

/**
 * After the options and vex_init().  A directory the user named that cannot be used ends the program
 * with one line; the default one that cannot be used means no store.
 */
void store_setup(const GimleTool *tool);

#endif
