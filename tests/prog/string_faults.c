// SPDX-License-Identifier: MIT
// A handler for a fault inside of a replaced function sees the call, may leave by longjmp, and
// may also mend the mapping and let the call go on.  Floating point state survives.
// DIFFERS: Valgrind takes memory without access as addressable
// STDOUT: faulted 4 times
// STDOUT: length 4095
// STDOUT: 0.333333333333333333342
// NOLINE: Process terminating
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
static sigjmp_buf back;
static volatile int faults;
static char *volatile page;
static void leave(int sig)
{
    (void)sig;
    faults++;
    siglongjmp(back, 1);
}
static void mend(int sig)
{
    (void)sig;
    faults++;
    mprotect(page, 8192, PROT_READ | PROT_WRITE);
}
int main(void)
{
    volatile long double third = 1.0L / 3.0L;
    char buf[16];
    char *volatile bad;
    volatile size_t n = 0;
    page = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    memset(page, 'x', 4096);
    bad = page + 4095 + 1;
    signal(SIGSEGV, leave);
    if (sigsetjmp(back, 1) == 0)
        n += strlen(bad);        // EXPECT: Invalid read of size 1
    if (sigsetjmp(back, 1) == 0)
        memcpy(buf, bad, 8);     // EXPECT: Invalid read of size 1
    if (sigsetjmp(back, 1) == 0)
        memset(bad, 1, 100);     // EXPECT: Invalid write of size 1
    signal(SIGSEGV, mend);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    n = strlen(page + 1);        // EXPECT: Invalid read of size 1
    printf("faulted %d times\nlength %zu\n", faults, n);
    printf("%.21Lf\n", third);
    return 0;
}
