// SPDX-License-Identifier: MIT
// Kernel: a walk through a shuffled linked list.
#include <stdio.h>
#include <stdlib.h>
struct node { struct node *next; long v; };
enum { N = 50000 };
int main(void)
{
    struct node *nodes = malloc(N * sizeof *nodes);
    unsigned *order = malloc(N * sizeof *order), seed = 7;
    for (unsigned i = 0; i < N; i++)
        order[i] = i;
    for (unsigned i = N - 1; i > 0; i--) {
        seed = seed * 1664525 + 1013904223;
        unsigned j = (seed >> 4) % (i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (unsigned i = 0; i < N; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % N]];
        nodes[order[i]].v = i;
    }
    long sum = 0;
    struct node *p = nodes;
    for (long i = 0; i < 60L * 1000 * 1000; i++, p = p->next)
        sum += p->v;
    printf("%ld\n", sum);
    free(order);
    free(nodes);
    return 0;
}
