// SPDX-License-Identifier: MIT
// A heap block that holds blocks which the program registered itself (as GLib's types do) is not
// looked at as a leak; the registered ones are.
// NEEDS: /usr/include/valgrind/valgrind.h
// OPTIONS: --leak-check=full
// LINE: definitely lost: 40 bytes in 1 blocks
// LINE: possibly lost: 0 bytes in 0 blocks
// LINE: still reachable: 64 bytes in 1 blocks
#include <stdlib.h>
#include <valgrind/valgrind.h>
char *keep;
int main(void)
{
    char *p = calloc(1, 96);
    keep = p + 32;
    VALGRIND_MALLOCLIKE_BLOCK(keep, 64, 0, 1);
    p = calloc(1, 100);
    // EXPECT: 40 bytes in 1 blocks are definitely lost in loss record N of N
    VALGRIND_MALLOCLIKE_BLOCK(p, 40, 0, 1);
    p = NULL;
    return 0;
}
