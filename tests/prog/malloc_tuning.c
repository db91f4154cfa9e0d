// SPDX-License-Identifier: MIT
// What looks into or tunes the C library's heap does not meet the replaced one.
// STDOUT: 1 0 0
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    void *p = malloc(100);
    int set = mallopt(M_MMAP_THRESHOLD, 1 << 20);
    struct mallinfo2 m = mallinfo2();
    int trimmed = malloc_trim(0);
    malloc_stats();
    printf("%d %d %zu\n", set, trimmed, m.uordblks);
    free(p);
    return 0;
}
