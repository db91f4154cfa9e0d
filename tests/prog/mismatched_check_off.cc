// SPDX-License-Identifier: MIT
// --show-mismatched-frees=no
// OPTIONS: --show-mismatched-frees=no
// NEEDS: g++
#include <stdlib.h>
int main()
{
    int *p = new int;
    free(p);
    return 0;
}
