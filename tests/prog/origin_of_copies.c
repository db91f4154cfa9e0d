// SPDX-License-Identifier: MIT
// Structures that are copied with what is undefined in them: the origin is that of the first one.
// OPTIONS: --track-origins=yes
// CFLAGS: -O2
#include <stdlib.h>
struct part { long a; char b; double c; short d; };
__attribute__((noinline)) static void copy(struct part *to, const struct part *from) { *to = *from; }
int main(void)
{
    struct part *first = malloc(sizeof *first); // [first]
    struct part *v = calloc(8, sizeof *v);
    first->a = 1;
    first->b = 2;
    for (int round = 0; round < 3; round++) {
        copy(&v[0], first);
        for (int i = 0; i + 1 < 8; i++)
            copy(&v[i + 1], &v[i]);
    }
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a heap allocation [first]
    if (v[7].d == 3)
        abort();
    free(first);
    free(v);
    return 0;
}
