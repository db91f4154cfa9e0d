// SPDX-License-Identifier: MIT
// The program sees itself, not the tool, in /proc/self.
// DIFFERS: what /proc/self/maps has decides how much stdio allocates
// ARGS: one two
// STDOUT: exe proc_self
// STDOUT: cmdline proc_self one two
// STDOUT: maps yes
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
    char path[4096] = { 0 }, line[4096];
    readlink("/proc/self/exe", path, sizeof path - 1);
    printf("exe %s\n", basename(path));
    FILE *f = fopen("/proc/self/cmdline", "r");
    size_t n = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[n] = 0;
    printf("cmdline");
    for (char *p = line; p < line + n; p += strlen(p) + 1)
        printf(" %s", p == line ? basename(p) : p);
    printf("\n");
    int found = 0;
    f = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, f))
        found |= strstr(line, "/proc_self") != 0;
    printf("maps %s\n", found ? "yes" : "no");
    return 0;
}
