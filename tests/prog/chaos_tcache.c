// SPDX-License-Identifier: MIT
// Little code memory: everything that was translated is dropped now and then.
// OPTIONS: --chaos=tcache --stats=yes
// STDOUT: 4950
// LINE: /, [1-9][0-9]* flushes/
// DIFFERS: Valgrind has no such option
#include <stdio.h>

// Functions of many instructions, so that they need more than there is at first.
#define ONE(x) s = s * 3 + p[x & 7]; p[(x + 1) & 7] ^= s; s ^= (unsigned)x;
#define TEN(x) ONE(x) ONE(x + 1) ONE(x + 2) ONE(x + 3) ONE(x + 4) ONE(x + 5) ONE(x + 6) ONE(x + 7) ONE(x + 8) ONE(x + 9)
#define HUNDRED(x) TEN(x) TEN(x + 10) TEN(x + 20) TEN(x + 30) TEN(x + 40) TEN(x + 50) TEN(x + 60) TEN(x + 70) TEN(x + 80) TEN(x + 90)
#define FUNCTION(n) \
    static unsigned f##n(volatile unsigned *p, unsigned s) { HUNDRED(n) HUNDRED(n + 100) HUNDRED(n + 200) return s; }
FUNCTION(1) FUNCTION(2) FUNCTION(3) FUNCTION(4) FUNCTION(5) FUNCTION(6) FUNCTION(7) FUNCTION(8)

int main(void)
{
    static unsigned (*const all[])(volatile unsigned *, unsigned) = { f1, f2, f3, f4, f5, f6, f7, f8 };
    volatile unsigned words[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    unsigned s = 0;
    int sum = 0;
    for (int i = 0; i < 100; i++) {
        s = all[i % 8](words, s);
        sum += i;
    }
    printf("%d\n", sum + (s == 0x12345678 ? 0 : 0 * (int)s));
    return 0;
}
