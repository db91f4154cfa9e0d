// SPDX-License-Identifier: MIT
// A jump into memory that may not be executed: the signal says it all, there is no report before it.
// (gdb does this when it starts, to see how the processor tells such a fault.)
// DIFFERS: Valgrind leaves out the caller
// EXIT: SIGSEGV
// LINE: /^ Bad permissions for mapped region at address 0xADDR/
#include <sys/mman.h>

int main(void)
{
    unsigned char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *p = 0xc3;
    // EXPECT-ANYWHERE: Process terminating with default action of signal 11 (SIGSEGV)
    ((void (*)(void))p)();
    return 0;
}
