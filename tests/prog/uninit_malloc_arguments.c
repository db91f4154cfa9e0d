// SPDX-License-Identifier: MIT
// Allocation functions decide by their arguments: undefined ones are reported, in fast mode too.
// OPTIONS: --track-origins=yes --leak-check=no
#include <malloc.h>
#include <stdlib.h>
#include "../../include/gimle/memcheck.h"
static volatile size_t *unknown;
static volatile char *kept;
int main(void)
{
    unknown = calloc(8, sizeof *unknown);
    VALGRIND_MAKE_MEM_UNDEFINED(unknown, 8 * sizeof *unknown); // [sizes]
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a client request [sizes]
    char *p = malloc((unknown[0] & 0xff) + 1);
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a client request [sizes]
    p = realloc(p, (unknown[1] & 0xff) + 20);
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a client request [sizes]
    char *q = calloc(2, (unknown[2] & 0xff) + 1);
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a client request [sizes]
    char *r = memalign(64, (unknown[3] & 0xff) + 1);
    // only a bit that does not matter was undefined
    char *s = malloc(((unknown[4] & 1) | 1) + 30);
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a client request [sizes]
    free(p + unknown[5]);
    kept = q;
    free(r);
    free(s);
    free(q);
    free((void *)unknown);
    return 0;
}
