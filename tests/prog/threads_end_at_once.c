// SPDX-License-Identifier: MIT
// clone() returns the thread's id to the parent, also when the thread has ended by then.
// LDFLAGS: -pthread
// STDOUT: ok
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>

enum { WORKERS = 4, ROUNDS = 300, STACK = 4096 };

// The child, known by its stack, ends at once.
static long start_thread(char *stack_top, int *parent_tid, int *child_tid)
{
    register int *r10 __asm__("r10") = child_tid;
    long result;
    __asm__ volatile("syscall\n\t"
                     "cmp %%rsp, %%rsi\n\t"
                     "jne 1f\n\t"
                     "xor %%edi, %%edi\n\t"
                     "mov %[exit], %%eax\n\t"
                     "syscall\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone),
                       "D"(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                           CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID),
                       "S"(stack_top), "d"(parent_tid), "r"(r10), [exit] "i"(SYS_exit)
                     : "rcx", "r11", "memory");
    return result;
}

static void *work(void *wrong)
{
    static __thread char stack[STACK] __attribute__((aligned(16)));
    for (int i = 0; i < ROUNDS; i++) {
        int tid = -1;
        volatile int running = 1;
        long got = start_thread(stack + STACK, &tid, (int *)&running);
        if (got <= 0 || got != tid)
            ++*(int *)wrong;
        while (got >= 0 && running)
            sched_yield();
    }
    return NULL;
}

int main(void)
{
    pthread_t t[WORKERS];
    int wrong[WORKERS] = { 0 }, sum = 0;
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&t[i], NULL, work, &wrong[i]);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(t[i], NULL);
        sum += wrong[i];
    }
    if (sum)
        printf("%d wrong\n", sum);
    else
        puts("ok");
    return 0;
}
