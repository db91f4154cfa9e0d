// SPDX-License-Identifier: MIT
// memalign & co give aligned blocks with the same checks.
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
int main(void)
{
    void *q = 0;
    char *p = memalign(256, 100); // [block]
    if ((uintptr_t)p % 256 || posix_memalign(&q, 4096, 10) || (uintptr_t)q % 4096)
        return 1;
    // EXPECT: Invalid write of size 1
    // AUX: Address 0xADDR is 0 bytes after a block of size 100 alloc'd [block]
    p[100] = 1;
    free(p);
    free(q);
    return malloc_usable_size(0) != 0;
}
