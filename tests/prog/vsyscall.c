// SPDX-License-Identifier: MIT
// The three entries of the vsyscall page, which programs linked long ago call, where the kernel has it; elsewhere a
// call of them faults.
// DIFFERS: no report of the pointer
// STDOUT: time, gettimeofday and getcpu as they should be
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
static sigjmp_buf back;
static void handler(int sig)
{
    siglongjmp(back, 1);
}
int main(void)
{
    char line[512];
    int has = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof line, f))
        has |= strstr(line, "ffffffffff600000") != NULL;
    fclose(f);
    int (*now)(struct timeval *, void *) = (void *)0xffffffffff600000;
    time_t (*seconds)(time_t *) = (void *)0xffffffffff600400;
    long (*cpu)(unsigned *, unsigned *, void *) = (void *)0xffffffffff600800;
    signal(SIGSEGV, handler);
    if (sigsetjmp(back, 1) == 0) {
        struct timeval v = { 0 };
        time_t first = time(0), t = 0, r = seconds(&t);
        unsigned c = 99999, n = 99999;
        int ok = now(&v, 0) == 0 && cpu(&c, &n, 0) == 0;
        ok &= r == t && r >= first - 1 && v.tv_sec >= r - 1 && v.tv_sec <= time(0) + 1 && c < 99999 && n < 99999;
        printf(ok && has ? "time, gettimeofday and getcpu as they should be\n" : "wrong\n");
        if (sigsetjmp(back, 1) == 0) {
            seconds((void *)16); // EXPECT?: Syscall param time(t) points to unaddressable byte(s)
            printf("no fault\n");
        }
    } else {
        printf(has ? "a fault\n" : "time, gettimeofday and getcpu as they should be\n");
    }
    return 0;
}
