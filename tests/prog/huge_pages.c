// SPDX-License-Identifier: MIT
// A mapping of huge pages: where the kernel has none to give, the error is its own; otherwise it lies where such pages can.
// STDOUT: as the kernel says
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
int main(void)
{
    char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (p == MAP_FAILED && errno != ENOMEM && errno != EINVAL)
        printf("%s\n", strerror(errno));
    else if (p == MAP_FAILED && errno == EINVAL)
        // Only a kernel without such pages says so.
        printf(mmap((void *)(1UL << 36), 1 << 21, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED_NOREPLACE, -1, 0)
            == MAP_FAILED && errno == EINVAL ? "as the kernel says\n" : "not aligned\n");
    else
        printf(p == MAP_FAILED || ((long)p % (1 << 21) == 0 && (p[4095] = 1)) ? "as the kernel says\n" : "not aligned\n");
    return 0;
}
