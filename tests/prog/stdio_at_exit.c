// SPDX-License-Identifier: MIT
// A process that ends by _exit() neither writes what is in the buffers of stdio nor gives back what they have
// read ahead, whatever the tool has the C library do at the end.
// DIFFERS: freeing the caches of the C library writes the buffers
// OPTIONS: --child-silent-after-fork=yes
// STDOUT: once, 12 read ahead, last
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    char line[16];
    FILE *f = tmpfile();
    fputs("one\ntwo\nsix\n", f);
    rewind(f);
    fgets(line, sizeof line, f);
    printf("once, ");
    if (fork() == 0) {
        printf("never");
        _exit(0);
    }
    wait(NULL);
    printf("%ld read ahead, ", (long)lseek(fileno(f), 0, SEEK_CUR));
    printf("last\n");
    return 0;
}
