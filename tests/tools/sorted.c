/* SPDX-License-Identifier: MIT */
/* Sorts, sieves and multiplies a little: loops, recursion, calls through pointers, floating point. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 3000, M = 24 };

static unsigned state = 1;
static unsigned next(void) { return state = state * 1103515245 + 12345; }

static void sort(int *a, int n)
{
    if (n < 2)
        return;
    int pivot = a[n / 2], i = 0, j = n - 1;
    while (i <= j) {
        while (a[i] < pivot)
            i++;
        while (a[j] > pivot)
            j--;
        if (i <= j) {
            int t = a[i];
            a[i++] = a[j];
            a[j--] = t;
        }
    }
    sort(a, j + 1);
    sort(a + i, n - i);
}

static double twice(double v) { return 2 * v; }
static double half(double v) { return v / 2; }
static double (*const table[])(double) = { twice, half };

int main(void)
{
    static int a[N];
    static unsigned char bits[N];
    static double x[M][M], y[M][M], z[M][M];
    double sum = 0;
    for (int i = 0; i < N; i++)
        a[i] = (int)(next() >> 16);
    sort(a, N);
    memset(bits, 1, N);
    for (int i = 2; i * i < N; i++)
        for (int j = i * i; bits[i] && j < N; j += i)
            bits[j] = 0;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++)
            x[i][j] = i + j, y[i][j] = i - j;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++)
            for (int k = 0; k < M; k++)
                z[i][j] += table[(i ^ k) & 1](x[i][k]) * y[k][j];
    for (int i = 0; i < M; i++)
        sum += z[i][M - 1 - i];
    printf("%d %d %g\n", a[N / 2], bits[N - 1], sum);
    return 0;
}
