// SPDX-License-Identifier: MIT
// What the program itself has made undefined, on the stack and in the heap.
// OPTIONS: --track-origins=yes
#include <stdlib.h>
#include "../../include/gimle/memcheck.h"
int main(void)
{
    volatile int n = 0;
    int key = 5, *heap = calloc(4, sizeof *heap);
    VALGRIND_MAKE_MEM_UNDEFINED(&key, sizeof key); // [stack]
    VALGRIND_MAKE_MEM_UNDEFINED(heap, 16); // [heap]
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a client request [stack]
    if (key == 3)
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a client request [heap]
    if (heap[2] == 3)
        n++;
    free(heap);
    return 0;
}
