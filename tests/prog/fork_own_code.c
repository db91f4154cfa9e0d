// SPDX-License-Identifier: MIT
// What a forked child translated its parent translates before the next fork: but where a child has code of its
// own, the parent has nothing, data, or other code, and each runs what is its own.
// STDOUT: 0 1 2 3 4 5 6 7 parent 100
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 8, BYTES = 4096 };
static char *const place = (char *)0x7000000000;

typedef int Fn(void);

// mov $value, %eax; ret
static int run(int value, int filler)
{
    mmap(place, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    memset(place, filler, BYTES);
    memcpy(place, (char[]){ (char)0xb8, (char)value, 0, 0, 0, (char)0xc3 }, 6);
    mprotect(place, BYTES, PROT_READ | PROT_EXEC);
    return ((Fn *)(void *)place)();
}

int main(void)
{
    int status, parent = 0;
    for (int i = 0; i < ROUNDS; i++) {
        if (i == 2)
            mmap(place, BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (i == 4)
            parent = run(100, 0x90);
        if (i == 6)
            mmap(place, BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            _exit(run(i, 0xcc));
        waitpid(pid, &status, 0);
        printf("%d ", WEXITSTATUS(status));
    }
    printf("parent %d\n", parent);
    return 0;
}
