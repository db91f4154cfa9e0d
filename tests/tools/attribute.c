/* SPDX-License-Identifier: MIT */
/*
 * Spends instructions where tests/tools/attribute.t looks for them: 2000 for each SPIN, of which the
 * comments tell the place.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPIN() do { long n = 1000; __asm__ volatile("1: dec %0\n jnz 1b" : "+r"(n)); } while (0)

static inline __attribute__((always_inline)) void inlined(void)
{
    SPIN(); /* INLINED */
}

__attribute__((noinline)) static void *thread(void *arg)
{
    SPIN(); /* THREAD */
    return arg;
}

static void threads(void)
{
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, thread, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

static void child(void)
{
    SPIN(); /* BEFORE FORK */
    pid_t pid = fork();
    if (pid == 0) {
        SPIN(); /* CHILD */
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    SPIN(); /* PARENT */
}

/** Load, call and unload twice, at different addresses. */
static int reload(const char *path)
{
    void *at[2];
    for (int i = 0; i < 2; i++) {
        void *h = dlopen(path, RTLD_NOW);
        int (*work)(int) = h ? (int (*)(int))dlsym(h, "plugin_work") : NULL;
        if (!work)
            return 1;
        at[i] = (void *)work;
        work(100);
        dlclose(h);
        mmap((void *)((unsigned long)at[i] & ~4095ul), 4096, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    return at[0] == at[1];
}

static void generated(void)
{
    static const unsigned char code[] = { 0xb9, 0xe8, 3, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xc3 };
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(p, code, sizeof code); /* mov $1000, %ecx; 1: dec %ecx; jnz 1b; ret */
    ((void (*)(void))p)();
}

int main(int argc, char **argv)
{
    inlined();
    threads();
    child();
    generated();
    return argc > 1 ? reload(argv[1]) : 0;
}
