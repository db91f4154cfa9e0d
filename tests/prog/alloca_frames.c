// SPDX-License-Identifier: MIT
// alloca'd memory is gone after the return, variable-length arrays work.
// STDOUT: 4950
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <alloca.h>
#include <stdio.h>
static int sum(int n)
{
    int *p = alloca(n * sizeof *p), v[n], s = 0;
    for (int i = 0; i < n; i++)
        v[i] = p[i] = i;
    for (int i = 0; i < n; i++)
        s += (v[i] + p[i]) / 2;
    return s;
}
int main(void)
{
    printf("%d\n", sum(100));
    return 0;
}
