// SPDX-License-Identifier: MIT
// Two threads write to the same page of generated code at the same time, each changes a function of
// its own there and calls it at once.  Only one of the writes finds the page as it was when its code
// was run; the other is no fault either (java's compiler threads do this).
// TOOL: none
// CFLAGS: -pthread
// STDOUT: 0 wrong
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGES = 300, ROUNDS = 6, HALF = 2048 };

static unsigned char *code;
static pthread_barrier_t both;
static int wrong[2];

static void put_function(unsigned char *p, int value)
{
    const unsigned char mov_ret[6] = { 0xb8, 0, 0, 0, 0, 0xc3 }; /* mov $value,%eax; ret */
    memcpy(p, mov_ret, sizeof mov_ret);
    memcpy(p + 1, &value, sizeof value);
}

static int call(const unsigned char *p) { return ((int (*)(void))(void *)p)(); }

static void *writer(void *arg)
{
    int me = *(int *)arg;
    for (int i = 0; i < PAGES; i++) {
        unsigned char *p = code + 4096 * i + HALF * me;
        for (int round = 0; round < ROUNDS; round++) {
            int value = i * ROUNDS + round;
            pthread_barrier_wait(&both);
            if (round == 0)
                put_function(p, value);
            else
                memcpy(p + 1, &value, sizeof value);
            wrong[me] += call(p) != value;
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t t;
    int number[2] = { 0, 1 };
    code = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&t, NULL, writer, &number[1]);
    writer(&number[0]);
    pthread_join(t, NULL);
    printf("%d wrong\n", wrong[0] + wrong[1]);
    return 0;
}
