// SPDX-License-Identifier: MIT
// Kernel: planets, scalar double arithmetic with square roots and divisions.
#include <math.h>
#include <stdio.h>
struct body { double x[3], v[3], m; };
int main(void)
{
    struct body b[5];
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++)
            b[i].x[k] = i * 3.1 + k * 0.7, b[i].v[k] = 0.01 * (i - k);
        b[i].m = 1.0 / (i + 1);
    }
    for (int step = 0; step < 2200000; step++) {
        for (int i = 0; i < 5; i++) {
            for (int j = i + 1; j < 5; j++) {
                double d[3], r = 0.01;
                for (int k = 0; k < 3; k++)
                    d[k] = b[i].x[k] - b[j].x[k], r += d[k] * d[k];
                double f = 0.0001 / (r * sqrt(r));
                for (int k = 0; k < 3; k++)
                    b[i].v[k] -= d[k] * b[j].m * f, b[j].v[k] += d[k] * b[i].m * f;
            }
        }
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < 3; k++)
                b[i].x[k] += 0.0001 * b[i].v[k];
    }
    printf("%.9f\n", b[0].x[0]);
    return 0;
}
