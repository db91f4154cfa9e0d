// SPDX-License-Identifier: MIT
// A program that makes code, runs it and drops it, again and again: code memory does not fill up with
// what is dead.
// OPTIONS: --stats=yes
// STDOUT: 12000
// LINE: /, [1-9][0-9]* flushes/
// DIFFERS: --stats tells other things
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { ROUNDS = 200, BYTES = 4096, ADDS = 60, PIECES = BYTES / (2 * ADDS + 8) };

typedef int Fn(int, const int *);

int main(void)
{
    int sum = 0, one = 1;
    for (int round = 0; round < ROUNDS; round++) {
        unsigned char *code = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        unsigned char *p = code;
        *p++ = 0x31; // xor %eax, %eax
        *p++ = 0xc0;
        for (int piece = 0; piece < PIECES; piece++) {
            for (int i = 0; i < ADDS; i++) {
                *p++ = piece == 0 ? 0x03 : 0x3b; // add (%rsi), %eax, later cmp
                *p++ = 0x06;
            }
            *p++ = 0xeb; // jmp to the next piece
            *p++ = 0x00;
        }
        *p++ = 0xc3;
        mprotect(code, BYTES, PROT_READ | PROT_EXEC);
        Fn *fn;
        memcpy(&fn, &code, sizeof fn);
        sum += fn(0, &one);
        munmap(code, BYTES);
    }
    printf("%d\n", sum);
    return 0;
}
