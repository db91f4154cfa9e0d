// SPDX-License-Identifier: MIT
// A call of what is a block of the heap: the block is shown.
// DIFFERS: Valgrind executes what is there
// EXIT: SIGSEGV
// LINE: /^ Bad permissions for mapped region at address 0xADDR/
#include <stdlib.h>
int main(void)
{
    void (*volatile f)(void) = malloc(16); // [block]
    // EXPECT-ANYWHERE: Jump to the invalid address stated on the next line
    // AUX: Address 0xADDR is 0 bytes inside a block of size 16 alloc'd [block]
    // EXPECT-ANYWHERE: Process terminating with default action of signal 11 (SIGSEGV)
    f();
    return 0;
}
