/* SPDX-License-Identifier: MIT */
/* Starts and stops counting: of three spins of 2000 instructions only the second counts. */
#include <gimle/client.h>

#define REQUEST(n) VALGRIND_DO_CLIENT_REQUEST_STMT(('C' << 24 | 'G' << 16) + (n), 0, 0, 0, 0, 0)
#define SPIN() do { long n = 1000; __asm__ volatile("1: dec %0\n jnz 1b" : "+r"(n)); } while (0)

int main(void)
{
    SPIN(); /* BEFORE */
    REQUEST(0);
    SPIN(); /* COUNTED */
    REQUEST(1);
    SPIN(); /* AFTER */
    return 0;
}
