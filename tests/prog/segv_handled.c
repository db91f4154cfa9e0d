// SPDX-License-Identifier: MIT
// The client's handler sees the fault with the right address and can leave by siglongjmp.
// STDOUT: signal 11 code 1 address 0x123450
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
static sigjmp_buf back;
static siginfo_t seen;
static void handler(int n, siginfo_t *info, void *context)
{
    seen = *info;
    siglongjmp(back, 1);
}
int main(void)
{
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &sa, 0);
    if (sigsetjmp(back, 1) == 0) {
        // EXPECT: Invalid read of size 1
        // AUX: Address 0xADDR is not stack'd, malloc'd or (recently) free'd
        volatile char c = *(volatile char *)0x123450;
    }
    printf("signal %d code %d address %p\n", seen.si_signo, seen.si_code, seen.si_addr);
    return 0;
}
