/* SPDX-License-Identifier: MIT */
/*
 * Allocates and frees blocks of all sizes in an order that looks random, and prints a sum of what can be used of
 * each: what a block has beyond what was asked for depends on all that was allocated and freed before.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS = 300, STEPS = 20000 };

static uint64_t random_state = 1;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % n;
}

static size_t random_size(void)
{
    switch (random_below(8)) {
    case 0: return 1030;
    case 1: return random_below(1u << random_below(22));
    case 2: return random_below(50) ? 24 : random_below(9u << 20);
    case 3: return random_below(40000);
    default: return random_below(400);
    }
}

int main(void)
{
    static void *block[BLOCKS];
    static char buffer[256];
    uint64_t sum = 0;
    for (int i = 0; i < STEPS; i++) {
        void **b = &block[random_below(BLOCKS)];
        unsigned how = random_below(10);
        if (how < 5)
            free(*b);
        if (how == 0)
            *b = NULL;
        else if (how == 1)
            *b = memalign((size_t)32 << random_below(5), random_size());
        else if (how == 2)
            *b = calloc(1, random_size());
        else if (how < 5)
            *b = malloc(random_size());
        else if (how == 5)
            *b = realloc(*b, random_size() + 1);
        sum = (sum ^ malloc_usable_size(*b)) * 1099511628211u;
    }
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    printf("%016llx\n", (unsigned long long)sum);
    return 0;
}
