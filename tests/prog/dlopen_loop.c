// SPDX-License-Identifier: MIT
// A library loaded and unloaded many times; its code is translated anew.
// LDFLAGS: -ldl
// STDOUT: 1.414214
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
    double r = 0;
    for (int i = 0; i < 50; i++) {
        void *lib = dlopen("libm.so.6", RTLD_NOW);
        double (*f)(double) = dlsym(lib, "sqrt");
        r = f(2.0);
        dlclose(lib);
    }
    printf("%f\n", r);
    return 0;
}
