// SPDX-License-Identifier: MIT
// Thread-local variables of an object that is loaded while threads run: each thread has its own, initialised, those that
// were there before and those made later, through several rounds of dlopen() and dlclose().
// CFLAGS: -fPIC
// LDFLAGS: -pthread -ldl -rdynamic
// STDOUT: 160 of 160 threads had their own
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef OBJECT
__thread long first = 41;
static __thread char zeros[3000];
static __thread long filled[64] = { 7, 7, 7 };
long object_work(long n)
{
    long sum = first + filled[0] + filled[2] + filled[63];
    for (unsigned i = 0; i < sizeof zeros; i++)
        sum += zeros[i];
    first = n;
    memset(zeros, (int)n, sizeof zeros);
    filled[63] = n;
    for (int i = 0; i < 20; i++)
        sum += first - n + filled[63] - n + zeros[i] - (char)n;
    return sum;
}
#else
enum { ROUNDS = 8, BEFORE = 10, AFTER = 10 };
static long (*object_work)(long);
static pthread_barrier_t loaded;
static int good;
static void *work(void *arg)
{
    if ((long)arg < BEFORE)
        pthread_barrier_wait(&loaded);
    if (object_work((long)arg) == 41 + 14)
        __sync_fetch_and_add(&good, 1);
    return 0;
}
int main(int argc, char **argv)
{
    char path[64] = "/tmp/threads_local_dlopen_XXXXXX", command[4096], source[] = __FILE__;
    int fd = mkstemp(path);
    if (fd < 0)
        return 2;
    close(fd);
    snprintf(command, sizeof command, "gcc -w -O1 -DOBJECT -fPIC -shared -o %s '%s'", path, source);
    if (system(command) != 0)
        return 3;
    for (int r = 0; r < ROUNDS; r++) {
        pthread_t t[BEFORE + AFTER];
        pthread_barrier_init(&loaded, 0, BEFORE + 1);
        for (long i = 0; i < BEFORE; i++)
            pthread_create(&t[i], 0, work, (void *)i);
        void *object = dlopen(path, RTLD_NOW);
        object_work = object ? (long (*)(long))dlsym(object, "object_work") : 0;
        if (!object_work)
            return 4;
        pthread_barrier_wait(&loaded);
        for (long i = BEFORE; i < BEFORE + AFTER; i++)
            pthread_create(&t[i], 0, work, (void *)i);
        for (int i = 0; i < BEFORE + AFTER; i++)
            pthread_join(t[i], 0);
        dlclose(object);
    }
    unlink(path);
    printf("%d of %d threads had their own\n", good, ROUNDS * (BEFORE + AFTER));
    return 0;
}
#endif
