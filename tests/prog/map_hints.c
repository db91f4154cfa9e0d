// SPDX-License-Identifier: MIT
// Addresses that the program cannot have, above 32 TiB: a hint is taken as none, what insists on one fails as where
// the kernel has no addresses, and nothing is there to be unmapped.
// DIFFERS: Valgrind's addresses are others
// STDOUT: hint: below, fixed: 12, not replacing: 12, moved: 22, attached: 12, unmapped: 0
// STDOUT: hint: below, fixed: 12, not replacing: 12, moved: 22, attached: 12, unmapped: 0
// STDOUT: hint: below, fixed: 12, not replacing: 12, moved: 22, attached: 12, unmapped: 22
// STDOUT: across the end: 12
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
enum { BYTES = 8192 };
#define END (32UL << 40)
static int with(void *p) { return p == MAP_FAILED ? errno : 0; }
static void *map(unsigned long a, int flags)
{
    return mmap((void *)a, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}
int main(void)
{
    const unsigned long wanted[] = { 40UL << 40, 100UL << 40, 1UL << 47 };
    for (int i = 0; i < 3; i++) {
        unsigned long a = wanted[i];
        char *p = map(a, 0);
        int below = (unsigned long)p < END;
        memset(p, 1, BYTES);
        munmap(p, BYTES);
        int fixed = with(map(a, MAP_FIXED)), keeps = with(map(a, MAP_FIXED_NOREPLACE));
        p = map(0, 0);
        int moved = with(mremap(p, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)a));
        int id = shmget(IPC_PRIVATE, BYTES, 0600), attached = with(shmat(id, (void *)a, 0));
        shmctl(id, IPC_RMID, NULL);
        int unmapped = munmap((void *)a, BYTES) ? errno : 0;
        printf("hint: %s, fixed: %d, not replacing: %d, moved: %d, attached: %d, unmapped: %d\n",
               below ? "below" : "above", fixed, keeps, moved, attached, unmapped);
    }
    int across = with(map(END - 4096, MAP_FIXED));
    printf("across the end: %d\n", across);
    return 0;
}
