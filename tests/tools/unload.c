/* SPDX-License-Identifier: MIT */
/* Runs code of an object that is gone at the end. */
#include <dlfcn.h>

int main(int argc, char **argv)
{
    void *h = argc > 1 ? dlopen(argv[1], RTLD_NOW) : 0;
    int (*work)(int) = h ? (int (*)(int))dlsym(h, "plugin_work") : 0;
    if (!work || work(1000) != 499500)
        return 1;
    dlclose(h);
    return 0;
}
