// SPDX-License-Identifier: MIT
// Kernel: the string functions of libc on strings of mixed lengths.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    static char text[64][256], copy[300];
    unsigned long sum = 0;
    for (int i = 0; i < 64; i++) {
        memset(text[i], 'a' + i % 26, 3 + i * 3);
        text[i][3 + i * 3] = 0;
    }
    for (int round = 0; round < 200000; round++) {
        for (int i = 0; i < 63; i++) {
            sum += strlen(text[i]);
            strcpy(copy, text[i]);
            sum += strcmp(copy, text[i + 1]) > 0;
            sum += strchr(copy, 'b') != 0;
            sum += memcmp(copy, text[i], 8) == 0;
        }
    }
    printf("%lu\n", sum);
    return 0;
}
