// SPDX-License-Identifier: MIT
// LDFLAGS: -pthread
// OPTIONS: --leak-check=full
// A program without data races has the same reports in each run: blocks go from thread to thread
// through a queue, strings are made and freed everywhere (tests/harness/repeat.t runs it often).
// LINE: definitely lost: 480 bytes in 12 blocks
// LINE: ERROR SUMMARY: 5 errors from 3 contexts (suppressed: 0 from 0)
// STDOUT: 12000 blocks
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { PRODUCERS = 4, EACH = 3000, ROOM = 64 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char *queue[ROOM];
static int n_queue, n_done, n_seen;
static void put(char *p)
{
    pthread_mutex_lock(&lock);
    while (n_queue == ROOM)
        pthread_cond_wait(&changed, &lock);
    queue[n_queue++] = p;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
static char *get(void)
{
    char *p = NULL;
    pthread_mutex_lock(&lock);
    while (n_queue == 0 && n_done < PRODUCERS)
        pthread_cond_wait(&changed, &lock);
    if (n_queue)
        p = queue[--n_queue];
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return p;
}
static void *produce(void *arg)
{
    char *volatile lost;
    for (int i = 0; i < EACH; i++) {
        char *p = malloc((size_t)(20 + i % 200));
        snprintf(p, 20, "%ld:%d", (long)arg, i);
        if (i % 7 == 0) {
            char *copy = strdup(p);
            p = realloc(p, 300);
            if (strcmp(copy, p) != 0)
                abort();
            free(copy);
        }
        if (i % 1000 == 0) {
            lost = malloc(40); // EXPECT: 480 bytes in 12 blocks are definitely lost in loss record N of N
            lost[0] = 1;
        }
        put(p);
    }
    lost = NULL;
    pthread_mutex_lock(&lock);
    n_done++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}
static void *consume(void *arg)
{
    char *p;
    (void)arg;
    while ((p = get())) {
        long who;
        int number;
        if (sscanf(p, "%ld:%d", &who, &number) != 2 || who >= PRODUCERS || number >= EACH)
            abort();
        pthread_mutex_lock(&lock);
        n_seen++;
        pthread_mutex_unlock(&lock);
        free(p);
    }
    return NULL;
}
int main(void)
{
    pthread_t t[2 * PRODUCERS];
    for (long i = 0; i < 2 * PRODUCERS; i++)
        pthread_create(&t[i], NULL, i % 2 ? consume : produce, (void *)(i / 2));
    for (int i = 0; i < 2 * PRODUCERS; i++)
        pthread_join(t[i], NULL);
    printf("%d blocks\n", n_seen);
    char *p = malloc(10);
    for (int i = 0; i < 3; i++)
        p[10] = 1; // EXPECT: Invalid write of size 1
    free(p);
    // EXPECT: Invalid read of size 1
    return p[5] == 77;
}
