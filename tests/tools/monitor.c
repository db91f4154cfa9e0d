/* SPDX-License-Identifier: MIT */
/* Asks massif for snapshots. */
#include <stdlib.h>
#include <valgrind/valgrind.h>

int main(void)
{
    void *p = malloc(1000);
    int bad = VALGRIND_MONITOR_COMMAND("snapshot plain.out") != 0;
    void *q = malloc(500);
    bad += VALGRIND_MONITOR_COMMAND("detailed_snapshot detailed.out") != 0;
    bad += VALGRIND_MONITOR_COMMAND("all_snapshots all.out") != 0;
    bad += VALGRIND_MONITOR_COMMAND("nonsense") == 0;
    free(p);
    free(q);
    return bad;
}
