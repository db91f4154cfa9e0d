// SPDX-License-Identifier: MIT
// Code made at run time, changed and run again.
// STDOUT: 1 2 3
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
int main(void)
{
    unsigned char code[] = { 0xb8, 1, 0, 0, 0, 0xc3 }; // mov $1, %eax; ret
    unsigned char *p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int r[3];
    memcpy(p, code, sizeof code);
    for (int i = 0; i < 3; i++) {
        p[1] = i + 1;
        r[i] = ((int (*)(void))p)();
    }
    printf("%d %d %d\n", r[0], r[1], r[2]);
    return 0;
}
