// SPDX-License-Identifier: MIT
// A signal handler begins with floating point and vector registers as a program does, and what was interrupted goes
// on with its own.
// STDOUT: in the handler: control word 37f, MXCSR 1f80, xmm3 0, rounds to nearest
// STDOUT: afterwards: control word f7f, MXCSR 7f80, xmm3 3.25
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
static volatile uint16_t cw;
static volatile uint32_t mxcsr;
static volatile double xmm3;
static volatile int32_t rounded;
static void look(void)
{
    uint16_t c;
    uint32_t m;
    double x;
    __asm__ volatile("fnstcw %0\n\tstmxcsr %1\n\tmovsd %%xmm3, %2" : "=m"(c), "=m"(m), "=m"(x));
    cw = c;
    mxcsr = m;
    xmm3 = x;
}
static void on_signal(int sig)
{
    (void)sig;
    look();
    double x = 1.5;
    int32_t n;
    __asm__ volatile("cvtsd2si %1, %0" : "=r"(n) : "m"(x));
    rounded = n;
}
int main(void)
{
    const uint16_t c = 0xf7f;  // toward zero
    const uint32_t m = 0x7f80; // toward zero
    const double x = 3.25;
    signal(SIGUSR1, on_signal);
    long result, pid = getpid();
    __asm__ volatile("fldcw %1\n\tldmxcsr %2\n\tmovsd %3, %%xmm3\n\tsyscall"
                     : "=a"(result) : "m"(c), "m"(m), "m"(x), "0"(62L), "D"(pid), "S"((long)SIGUSR1)
                     : "rcx", "r11", "memory", "xmm3");
    uint16_t in_cw = cw;
    uint32_t in_mxcsr = mxcsr;
    double in_xmm3 = xmm3;
    look();
    const uint16_t c0 = 0x37f;
    const uint32_t m0 = 0x1f80;
    __asm__ volatile("fldcw %0\n\tldmxcsr %1" : : "m"(c0), "m"(m0));
    printf("in the handler: control word %x, MXCSR %x, xmm3 %g, rounds to %s\n", in_cw, in_mxcsr, in_xmm3,
           rounded == 2 ? "nearest" : "elsewhere");
    printf("afterwards: control word %x, MXCSR %x, xmm3 %g\n", cw, mxcsr, xmm3);
    return 0;
}
