// SPDX-License-Identifier: MIT
// Arguments and environment reach the program unchanged.
// ARGS: one two --three=4 -q
// ENV: LD_BIND_NOW=1
// ENV: MALLOC_ARENA_MAX=3
// STDOUT: 5 one two --three=4 -q 1 3
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    printf("%d %s %s %s %s %s %s\n", argc, argv[1], argv[2], argv[3], argv[4],
        getenv("LD_BIND_NOW"), getenv("MALLOC_ARENA_MAX"));
    return 0;
}
