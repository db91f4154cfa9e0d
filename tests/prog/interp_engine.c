// SPDX-License-Identifier: MIT
// The interpreting engine: faults of loads, stores and single instructions become the client's
// signals, replaced functions are called, high byte registers are what they should be.
// OPTIONS: --engine=interp
// DIFFERS: Valgrind has no such engine
// STDOUT: write fault at 0x30
// STDOUT: vector read fault at 0x40
// STDOUT: division fault
// STDOUT: high byte 1 0
// STDOUT: bytes 5
#include <emmintrin.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sigjmp_buf again;
static void *volatile fault_address;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)context;
    fault_address = sig == SIGSEGV ? info->si_addr : NULL;
    siglongjmp(again, 1);
}

int main(void)
{
    struct sigaction a = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &a, NULL);
    sigaction(SIGFPE, &a, NULL);
    if (!sigsetjmp(again, 1))
        *(volatile int *)0x30 = 1; // EXPECT: Invalid write of size 4
    printf("write fault at %p\n", fault_address);
    if (!sigsetjmp(again, 1)) {
        __m128i v;
        __asm__ volatile("movdqu 0x40, %0" : "=x"(v)); // EXPECT: Invalid read of size 16
    }
    printf("vector read fault at %p\n", fault_address);
    volatile int zero = 0;
    if (!sigsetjmp(again, 1))
        printf("%d\n", 7 / zero);
    else
        printf("division fault\n");
    unsigned char set, clear;
    __asm__ volatile("mov $0x2000, %%edx; test $0x20, %%dh; setne %0; test $0x20, %%dl; setne %1"
                     : "=&r"(set), "=&r"(clear) : : "edx", "cc");
    printf("high byte %d %d\n", set, clear);
    char *p = malloc(6);
    strcpy(p, "fives");
    printf("bytes %zu\n", strlen(p));
    free(p);
    return 0;
}
