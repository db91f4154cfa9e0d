// SPDX-License-Identifier: MIT
// String functions of the dynamic linker's own read a word that lies wholly behind a short string: the
// library path of a library that was loaded is copied into a block of 8 bytes, and looked at.
// DIFFERS: Valgrind 3.19 reports these reads
// PLUGIN: -Wl,-rpath,'$ORIGIN' -Wl,--no-as-needed -lm
// LDFLAGS: -ldl
// STDOUT: loaded
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
    char path[PATH_MAX] = "";
    readlink("/proc/self/exe", path, sizeof path - 4);
    strcat(path, ".so");
    puts(dlopen(path, RTLD_NOW) ? "loaded" : dlerror());
    return 0;
}
