// SPDX-License-Identifier: MIT
// A pool whose blocks are divided further: with one of them goes what is in it, and only that counts as leaked.
// DIFFERS: Valgrind counts the blocks of the pool beside what is in them
// OPTIONS: --leak-check=full
// LINE: in use at exit: 24 bytes in 1 blocks
// LINE: definitely lost: 24 bytes in 1 blocks
#include <sys/mman.h>
#include "../../include/gimle/memcheck.h"
static int pool;
static char *volatile last;
int main(void)
{
    char *area = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    VALGRIND_CREATE_MEMPOOL_EXT(&pool, 0, 0, VALGRIND_MEMPOOL_METAPOOL | VALGRIND_MEMPOOL_AUTO_FREE);
    VALGRIND_MEMPOOL_ALLOC(&pool, area, 4096);
    VALGRIND_MEMPOOL_ALLOC(&pool, area + 4096, 4096);
    VALGRIND_MALLOCLIKE_BLOCK(area + 16, 32, 0, 0);
    VALGRIND_MALLOCLIKE_BLOCK(area + 64, 40, 0, 0);
    last = area + 64;
    VALGRIND_MEMPOOL_FREE(&pool, area);
    // EXPECT: Invalid write of size 1
    last[1] = 1;
    // EXPECT: 24 bytes in 1 blocks are definitely lost in loss record N of N
    VALGRIND_MALLOCLIKE_BLOCK(area + 5000, 24, 0, 0);
    last = 0;
    return 0;
}
