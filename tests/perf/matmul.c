// SPDX-License-Identifier: MIT
// Kernel: product of two matrices of doubles, blocked by nothing.
#include <stdio.h>
#include <stdlib.h>
enum { N = 420 };
static double a[N][N], b[N][N], c[N][N];
int main(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = i + j, b[i][j] = i - j;
    for (int round = 0; round < 8; round++)
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++)
                for (int j = 0; j < N; j++)
                    c[i][j] += a[i][k] * b[k][j];
    printf("%g\n", c[17][31]);
    return 0;
}
