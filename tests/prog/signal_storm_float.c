// SPDX-License-Identifier: MIT
// A timer and a profiling timer interrupt three threads that compute in x87, SSE and integer registers; the handler uses
// all of these too, with other rounding.  Every thread's results stay the same.
// LDFLAGS: -pthread -lm
// STDOUT: 3 threads, results the same, handlers ran
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <xmmintrin.h>
enum { THREADS = 3, LEAST_TICKS = 30 };
static volatile int ticks;
static volatile double sink;
static volatile long double long_sink;
static int wrong;
static void handler(int sig)
{
    unsigned csr = _mm_getcsr();
    unsigned short down = 0x077f, before;
    __asm__ volatile("fnstcw %0\n\tfldcw %1" : "=m"(before) : "m"(down));
    _mm_setcsr(csr | 0x6000);
    double x = 1.0;
    for (int i = 1; i < 20; i++)
        x += 1.0 / i;
    sink = x;
    long_sink = sqrtl((long double)x) + 1.0L / 3;
    __sync_fetch_and_add(&ticks, 1);
}
static unsigned long compute(void)
{
    unsigned long hash = 5381;
    double d = 0.1;
    long double l = 0.1L;
    float f = 0.1f;
    for (int i = 1; i < 3000; i++) {
        d = d * 1.0000001 + 1.0 / i;
        l = l * 1.0000001L + 1.0L / i;
        f = f * 1.00001f + 1.0f / i;
        hash = hash * 33 + (unsigned long)(d * 1e6) + (unsigned long)(l * 1e9L) + (unsigned long)(f * 1e3f);
    }
    char bytes[16] = { 0 };
    memcpy(bytes, &l, 10);
    for (int i = 0; i < 10; i++)
        hash = hash * 33 + (unsigned char)bytes[i];
    return hash;
}
static unsigned long want;
static void *work(void *arg)
{
    for (int i = 0; i < 30 || ticks < LEAST_TICKS; i++)
        if (compute() != want)
            __sync_fetch_and_add(&wrong, 1);
    return 0;
}
int main(void)
{
    struct itimerval every = { { 0, 300 }, { 0, 300 } }, never = { { 0 } };
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
    pthread_t t[THREADS];
    want = compute();
    sigaction(SIGALRM, &sa, 0);
    sigaction(SIGPROF, &sa, 0);
    setitimer(ITIMER_REAL, &every, 0);
    setitimer(ITIMER_PROF, &every, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], 0, work, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], 0);
    setitimer(ITIMER_REAL, &never, 0);
    setitimer(ITIMER_PROF, &never, 0);
    printf("%d threads, results %s, handlers %s\n", THREADS, wrong ? "differ" : "the same",
        ticks >= LEAST_TICKS ? "ran" : "did not run");
    return 0;
}
