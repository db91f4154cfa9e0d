// SPDX-License-Identifier: MIT
// Inlined functions get frames of their own.
// CFLAGS: -O2
// LINE: innermost (inlined_frames.c:
// LINE: middle (inlined_frames.c:
#include <stdlib.h>
static inline __attribute__((always_inline)) void innermost(volatile char *p)
{
    p[10] = 1; // EXPECT: Invalid write of size 1
}
static inline __attribute__((always_inline)) void middle(volatile char *p)
{
    innermost(p);
}
int main(void)
{
    volatile char *p = malloc(10);
    middle(p);
    free((void *)p);
    return 0;
}
