// SPDX-License-Identifier: MIT
// malloc fails where the client's own RLIMIT_AS says so, and works again after the limit is raised.
// DIFFERS: Valgrind warns of large ranges, which cost nothing here
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static int can_allocate(size_t size)
{
    void *volatile p = malloc(size);
    int ok = p != NULL;
    free(p);
    return ok;
}

int main(void)
{
    struct rlimit r, old;
    getrlimit(RLIMIT_AS, &old);
    r = old;
    r.rlim_cur = 1 << 30;
    if (setrlimit(RLIMIT_AS, &r) != 0)
        return 1;
    printf("%d %d %d\n", can_allocate(2ul << 30), can_allocate(100 << 20), can_allocate(100));
    if (setrlimit(RLIMIT_AS, &old) != 0)
        return 2;
    printf("%d\n", can_allocate(2ul << 30));
    return 0;
}
// STDOUT: 0 1 1
// STDOUT: 1
