// SPDX-License-Identifier: MIT
// Endless recursion ends the program; the report says what it was.
// DIFFERS: Valgrind has lost the callers
// OPTIONS: --num-callers=3
// EXIT: SIGSEGV
// EXPECT*-ANYWHERE: Stack overflow in thread #1: can't grow stack to 0xADDR
// LINE: Stack overflow in thread #1: can't grow stack to 0xADDR
// LINE: main thread stack using the --main-stacksize= flag.
static int deeper(int n)
{
    volatile char frame[1000];
    frame[0] = (char)n;
    return deeper(n + 1) + frame[0];
}
int main(void) { return deeper(0); }
