/* SPDX-License-Identifier: MIT */
/*
 * Simulates again what Cachegrind has simulated, from its --access-trace, in the plainest way: ways
 * with the time of their last use.  reference TRACE I1 D1 LL, each as SIZE,WAYS,LINE; prints the
 * counts in the order of a cachegrind file's summary.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BRANCH_COUNTERS = 1 << 14, TARGETS = 512 };

typedef struct Way {
    uint64_t line, used; /**< used 0: empty */
} Way;

typedef struct Cache {
    unsigned long size, ways, line;
    Way *way;
} Cache;

static uint64_t now;

static int line_is_new(Cache *c, uint64_t line)
{
    Way *set = c->way + line % (c->size / c->line / c->ways) * c->ways, *oldest = set;
    now++;
    for (Way *w = set; w < set + c->ways; w++) {
        if (w->used && w->line == line) {
            w->used = now;
            return 0;
        }
        if (w->used < oldest->used)
            oldest = w;
    }
    *oldest = (Way){ line, now };
    return 1;
}

static int misses(Cache *c, uint64_t a, uint64_t size)
{
    int new = 0;
    for (uint64_t line = a / c->line; line <= (a + size - 1) / c->line; line++)
        new += line_is_new(c, line);
    return new > 0;
}

static int branch_is_wrong(uint64_t a, int taken)
{
    static int counter[BRANCH_COUNTERS];
    static unsigned history;
    int *c = &counter[(history & 127) * 128 + a % 128], wrong = (*c > 1) != taken;
    *c = taken ? (*c == 3 ? 3 : *c + 1) : (*c == 0 ? 0 : *c - 1);
    history = history * 2 + (unsigned)taken;
    return wrong;
}

static int jump_is_wrong(uint64_t a, uint64_t target)
{
    static uint64_t seen[TARGETS];
    int wrong = seen[a % TARGETS] != target;
    seen[a % TARGETS] = target;
    return wrong;
}

int main(int argc, char **argv)
{
    FILE *f = argc == 5 ? fopen(argv[1], "rb") : NULL;
    Cache cache[3];
    uint64_t n[13] = { 0 }, r[3];
    for (int i = 0; f && i < 3; i++) {
        Cache *c = &cache[i];
        if (sscanf(argv[2 + i], "%lu,%lu,%lu", &c->size, &c->ways, &c->line) != 3)
            return 2;
        c->way = calloc(c->size / c->line, sizeof *c->way);
    }
    if (!f)
        return 2;
    while (fread(r, sizeof r, 1, f) == 1) {
        int k = r[0] == 'I' ? 0 : r[0] == 'R' ? 3 : r[0] == 'W' ? 6 : r[0] == 'B' ? 9 : 11;
        n[k]++;
        if (k == 9) {
            n[10] += (uint64_t)branch_is_wrong(r[1], r[2] != 0);
        } else if (k == 11) {
            n[12] += (uint64_t)jump_is_wrong(r[1], r[2]);
        } else if (misses(&cache[k > 0], r[1], r[2])) {
            n[k + 1]++;
            n[k + 2] += (uint64_t)misses(&cache[2], r[1], r[2]);
        }
    }
    for (int i = 0; i < 13; i++)
        printf("%s%lu", i ? " " : "", (unsigned long)n[i]);
    printf("\n");
    return 0;
}
