// SPDX-License-Identifier: MIT
// Who asks for more than there is gets NULL and ENOMEM; a block that cannot grow stays.
// DIFFERS: Valgrind counts the bytes of the calls that failed
// STDOUT: malloc 1 calloc 1 realloc 1 x memalign 1 posix_memalign 12
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int failed(void *p)
{
    int is = p == NULL && errno == ENOMEM;
    errno = 0;
    return is;
}
int main(void)
{
    char *small = malloc(16);
    void *p = NULL;
    strcpy(small, "x");
    errno = 0;
    printf("malloc %d ", failed(malloc(SIZE_MAX / 2)));
    printf("calloc %d ", failed(calloc(1, SIZE_MAX / 2)));
    printf("realloc %d ", failed(realloc(small, SIZE_MAX / 2)));
    printf("%s memalign %d ", small, failed(memalign(64, SIZE_MAX / 2)));
    printf("posix_memalign %d\n", posix_memalign(&p, 64, SIZE_MAX / 2));
    free(small);
    return 0;
}
