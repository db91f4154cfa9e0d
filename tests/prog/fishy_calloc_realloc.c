// SPDX-License-Identifier: MIT
// Negative sizes elsewhere.
#include <stdlib.h>
int main(void)
{
    volatile long size = -1;
    // EXPECT: Argument 'nmemb' of function calloc has a fishy (possibly negative) value: -1
    void *p = calloc(size, 1);
    void *q = malloc(3);
    // EXPECT: Argument 'size' of function realloc has a fishy (possibly negative) value: -1
    void *r = realloc(q, size);
    free(q);
    return p != 0 || r != 0;
}
