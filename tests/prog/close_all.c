// SPDX-License-Identifier: MIT
// Closing every descriptor that the limit allows is no mistake; those of the core are not touched.
// NOLINE: invalid file descriptor
// STDOUT: done
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
int main(void)
{
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    for (rlim_t fd = 3; fd < r.rlim_cur && fd < 100000; fd++)
        close((int)fd);
    puts("done");
    return 0;
}
