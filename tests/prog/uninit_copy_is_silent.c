// SPDX-License-Identifier: MIT
// Copying undefined bytes is no error; only their use is.
#include <stdlib.h>
#include <string.h>
struct padded { char c; int i; };
int main(void)
{
    struct padded a, b, *p = malloc(sizeof *p);
    a.c = 1;
    a.i = 2;
    b = a;
    *p = b;
    struct padded d = *p;
    memcpy(&b, p, sizeof b);
    free(p);
    return !(d.i == 2 && d.c == 1 && b.i == 2);
}
