// SPDX-License-Identifier: MIT
// Blocks of pools and of the program's own allocators: red zones, what is named after they are freed,
// a first block that starts where the memory behind it starts.
// DIFFERS: Valgrind mistakes the outer block of two at one address for the inner
// NOLINE: Mismatched
#include <stdlib.h>
#include "../../include/gimle/memcheck.h"
static volatile char c;
int main(void)
{
    char *area = calloc(1000, 1); // [area]
    VALGRIND_CREATE_MEMPOOL(area, 16, 0);
    VALGRIND_MEMPOOL_ALLOC(area, area + 100, 50); // [pool]
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 1 bytes before a block of size 50 client-defined [pool]
    c = area[99];
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 1 bytes after a block of size 50 client-defined [pool]
    c = area[151];
    c = area[180];
    VALGRIND_MEMPOOL_FREE(area, area + 100);
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 110 bytes inside a recently re-allocated block of size 1,000 alloc'd [area]
    c = area[110];
    VALGRIND_MEMPOOL_ALLOC(area, area + 200, 50);
    VALGRIND_DESTROY_MEMPOOL(area);
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 210 bytes inside a block of size 1,000 alloc'd [area]
    c = area[210];

    char *m = malloc(100); // [outer]
    VALGRIND_MALLOCLIKE_BLOCK(m, 20, 0, 1);
    VALGRIND_MALLOCLIKE_BLOCK(m + 40, 20, 8, 1); // [inner]
    // EXPECT: Invalid read of size 1
    c = m[39];
    c = m[45];
    VALGRIND_FREELIKE_BLOCK(m, 0);
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 3 bytes inside a recently re-allocated block of size 100 alloc'd [outer]
    c = m[3];
    VALGRIND_FREELIKE_BLOCK(m + 40, 8);
    free(m);
    free(area);
    return 0;
}
