/* SPDX-License-Identifier: MIT */
/* Code that Go's compiler made. */
#ifndef MEMCHECK_GO_CODE_H
#define MEMCHECK_GO_CODE_H

#include "../memcheck.h"

/**
 * Is @p a in code of a file that Go's linker made?  Such code runs on many small stacks that its
 * runtime takes from its heap and gives back to it, and it sets each frame before it uses it.
 * The caller is a translation: one at a time.
 */
bool go_code_at(GuestAddr a);

#endif
