// SPDX-License-Identifier: MIT
// Everything freed.
// OPTIONS: --leak-check=full
// LINE: All heap blocks were freed -- no leaks are possible
// LINE: For lists of detected and suppressed errors, rerun with: -s
// NOLINE: LEAK SUMMARY
#include <stdlib.h>
int main(void)
{
    free(malloc(30));
    return 0;
}
