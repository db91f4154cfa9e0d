/* SPDX-License-Identifier: MIT */
/* Tells debuginfo of what is mapped in the test's own process, as a client's would be. */
#ifndef TEST_SELF_MAPS_H
#define TEST_SELF_MAPS_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "coregrind/debuginfo/debuginfo.h"

typedef struct StackRange {
    uint64_t lo, hi;
} StackRange;

/** Maps every file mapping of ours; returns the main thread's stack. */
static inline StackRange self_maps_publish(void)
{
    StackRange stack = {0, 0};
    FILE *f = fopen("/proc/self/maps", "r");
    char line[1024], path[512], prot[8];
    while (f && fgets(line, sizeof line, f)) {
        unsigned long lo, hi, offset, ino = 0;
        path[0] = 0;
        sscanf(line, "%lx-%lx %7s %lx %*s %lu %511s", &lo, &hi, prot, &offset, &ino, path);
        int p = (prot[0] == 'r' ? PROT_READ : 0) | (prot[2] == 'x' ? PROT_EXEC : 0);
        if (strcmp(path, "[stack]") == 0)
            stack = (StackRange){lo, hi};
        else if (strcmp(path, "[vdso]") == 0)
            debuginfo_map_image(lo, hi - lo, path);
        else if (path[0] == '/')
            debuginfo_map(lo, hi - lo, p, offset, path, 0, ino);
    }
    if (f)
        fclose(f);
    return stack;
}

#endif
