// SPDX-License-Identifier: MIT
// Vectorised libc string functions on odd sizes and alignments must stay silent.
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
int main(void)
{
    volatile size_t sum = 0;
    for (int n = 1; n < 130; n += 3) {
        char *p = malloc(n), *q = malloc(n);
        memset(p, 'a', n - 1);
        p[n - 1] = 0;
        strcpy(q, p);
        sum += strlen(p) + !strcmp(p, q) + (strchr(p, 'b') == 0) + (strrchr(p, 'a') != 0);
        sum += !memcmp(p, q, n) + (memchr(p, 0, n) != 0) + strspn(p, "a") + strcspn(p, "xyz");
        sum += !strncmp(p, q, n) + !strcasecmp(p, q) + (strstr(p, "aab") == 0) + strnlen(p, n);
        char *d = strdup(p);
        free(d);
        wchar_t *w = calloc(n, sizeof *w);
        sum += wcslen(w);
        free(w);
        free(p);
        free(q);
    }
    return sum == 0;
}
