// SPDX-License-Identifier: MIT
// Ranges in which errors are not to be reported: cut in pieces, and left over at the end.
// LINE: WARNING: exiting program has the following client-requested
// LINE: /\[1\]  0xADDR-0xADDR  ClientReq/
// LINE: /\[3\]  0xADDR-0xADDR  ClientReq/
#include <stdlib.h>
#include "../../include/gimle/memcheck.h"
int main(void)
{
    volatile char *p = malloc(100);
    free((void *)p);
    VALGRIND_DISABLE_ADDR_ERROR_REPORTING_IN_RANGE(p, 100);
    p[50] = 1;
    VALGRIND_ENABLE_ADDR_ERROR_REPORTING_IN_RANGE(p + 40, 20);
    p[10] = 1;
    p[90] = 1;
    p[50] = 2; // EXPECT: Invalid write of size 1
    return 0;
}
