/* SPDX-License-Identifier: MIT */
/*
 * Writes cachegrind.out files in the form that cg_annotate, cg_diff, cg_merge and KCachegrind read,
 * and the summary in the form that programs which parse Valgrind's log know.
 */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache_config.h"
#include "cost_table.h"

static const char *const cost_name[COST_KINDS] = {
    "Ir", "I1mr", "ILmr", "Dr", "D1mr", "DLmr", "Dw", "D1mw", "DLmw", "Bc", "Bcm", "Bi", "Bim",
};

/* ---- the file ---------------------------------------------------------------------------------- */

/** " 123": most of the file is such, so they are not left to printf(). */
static void write_number(FILE *f, uint64_t v)
{
    char digits[24], *p = digits + sizeof digits;
    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    *--p = ' ';
    fwrite_unlocked(p, 1, (size_t)(digits + sizeof digits - p), f);
}

static void write_costs(FILE *f, const uint64_t *cost)
{
    for (unsigned k = 0; k < COST_KINDS; k++)
        if (cg_counts((CostKind)k))
            write_number(f, cost[k]);
    fputc('\n', f);
}

static void write_head(FILE *f)
{
    static const char *const cache_name[] = { "I1", "D1", "LL" };
    char text[128];
    for (unsigned k = 0; k < CACHE_KINDS; k++)
        fprintf(f, "desc: %s cache:         %s\n", cache_name[k],
                cache_config_text(&cg_options.cache[k], text, sizeof text));
    fputs("cmd:", f);
    for (const char *const *a = gimle_client_argv(); *a; a++)
        fprintf(f, " %s", *a);
    fputs("\nevents:", f);
    for (unsigned k = 0; k < COST_KINDS; k++)
        if (cg_counts((CostKind)k))
            fprintf(f, " %s", cost_name[k]);
    fputc('\n', f);
}

static void sum(uint64_t total[COST_KINDS])
{
    size_t n;
    const LineCost *l = cost_lines(&n);
    memset(total, 0, sizeof *total * COST_KINDS);
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < COST_KINDS; k++)
            total[k] += l[i].cost[k];
}

static void write_lines(FILE *f)
{
    size_t n;
    const LineCost *l = cost_lines(&n), *before = NULL;
    uint64_t total[COST_KINDS];
    for (size_t i = 0; i < n; before = &l[i++]) {
        bool new_file = !before || strcmp(before->file, l[i].file) != 0;
        if (new_file)
            fprintf(f, "fl=%s\n", l[i].file);
        if (new_file || strcmp(before->fn, l[i].fn) != 0)
            fprintf(f, "fn=%s\n", l[i].fn);
        fprintf(f, "%u", l[i].line);
        write_costs(f, l[i].cost);
    }
    sum(total);
    fputs("summary:", f);
    write_costs(f, total);
}

void output_write(void)
{
    char *name = gimle_expand_file_name("--cachegrind-out-file", cg_options.out_file);
    int fd = gimle_open_output(name);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f) {
        write_head(f);
        write_lines(f);
    }
    bool failed = !f || ferror(f);
    if (f && fclose(f) != 0)
        failed = true;
    if (failed)
        gimle_umsg("error: cannot write output file '%s': %s\n", name, strerror(errno));
    free(name);
}

/* ---- the summary --------------------------------------------------------------------------------- */

/** A number with commas, in one of a few buffers that are used in turn. */
static const char *commas(uint64_t v)
{
    static char bufs[8][32];
    static unsigned next;
    char *buf = bufs[next++ % 8], digits[24];
    int n = snprintf(digits, sizeof digits, "%lu", (unsigned long)v), to = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            buf[to++] = ',';
        buf[to++] = digits[i];
    }
    buf[to] = '\0';
    return buf;
}

static int width(uint64_t v) { return (int)strlen(commas(v)); }
static double percent(uint64_t part, uint64_t all) { return all ? 100.0 * (double)part / (double)all : 0; }

/** Widths of the columns: total, first and second part. */
typedef struct Columns {
    int all, a, b;
} Columns;

static void print_split(const char *label, const Columns *c, uint64_t a, uint64_t b, const char *what_a,
                        const char *what_b)
{
    gimle_umsg("%s %*s  (%*s %s + %*s %s)\n", label, c->all, commas(a + b), c->a, commas(a), what_a,
               c->b, commas(b), what_b);
}

static void print_rates(const char *label, const Columns *c, double all, double a, double b)
{
    gimle_umsg("%s %*.1f%% (%*.1f%%     + %*.1f%%  )\n", label, c->all, all, c->a, a, c->b, b);
}

static void print_caches(const uint64_t *t, const Columns *c)
{
    uint64_t reads = t[COST_DR], writes = t[COST_DW];
    gimle_umsg("I1  misses:    %*s\n", c->all, commas(t[COST_I1MR]));
    gimle_umsg("LLi misses:    %*s\n", c->all, commas(t[COST_ILMR]));
    gimle_umsg("I1  miss rate: %*.2f%%\n", c->all, percent(t[COST_I1MR], t[COST_IR]));
    gimle_umsg("LLi miss rate: %*.2f%%\n", c->all, percent(t[COST_ILMR], t[COST_IR]));
    gimle_umsg("\n");
    print_split("D   refs:     ", c, reads, writes, "rd  ", "wr");
    print_split("D1  misses:   ", c, t[COST_D1MR], t[COST_D1MW], "rd  ", "wr");
    print_split("LLd misses:   ", c, t[COST_DLMR], t[COST_DLMW], "rd  ", "wr");
    print_rates("D1  miss rate:", c, percent(t[COST_D1MR] + t[COST_D1MW], reads + writes),
                percent(t[COST_D1MR], reads), percent(t[COST_D1MW], writes));
    print_rates("LLd miss rate:", c, percent(t[COST_DLMR] + t[COST_DLMW], reads + writes),
                percent(t[COST_DLMR], reads), percent(t[COST_DLMW], writes));
    gimle_umsg("\n");
    uint64_t ll_reads = t[COST_ILMR] + t[COST_DLMR];
    print_split("LL refs:      ", c, t[COST_I1MR] + t[COST_D1MR], t[COST_D1MW], "rd  ", "wr");
    print_split("LL misses:    ", c, ll_reads, t[COST_DLMW], "rd  ", "wr");
    print_rates("LL miss rate: ", c, percent(ll_reads + t[COST_DLMW], t[COST_IR] + reads + writes),
                percent(ll_reads, t[COST_IR] + reads), percent(t[COST_DLMW], writes));
}

static void print_branches(const uint64_t *t, const Columns *c)
{
    uint64_t all = t[COST_BC] + t[COST_BI];
    gimle_umsg("\n");
    print_split("Branches:     ", c, t[COST_BC], t[COST_BI], "cond", "ind");
    print_split("Mispredicts:  ", c, t[COST_BCM], t[COST_BIM], "cond", "ind");
    gimle_umsg("Mispred rate:  %*.1f%% (%*.1f%%     + %*.1f%%   )\n", c->all,
               percent(t[COST_BCM] + t[COST_BIM], all), c->a, percent(t[COST_BCM], t[COST_BC]), c->b,
               percent(t[COST_BIM], t[COST_BI]));
}

static int larger(int a, int b) { return a > b ? a : b; }

void output_print_summary(void)
{
    uint64_t t[COST_KINDS];
    sum(t);
    Columns c = { width(t[COST_IR]), larger(width(t[COST_DR]), width(t[COST_BC])),
                  larger(width(t[COST_DW]), width(t[COST_BI])) };
    c.all = larger(c.all, larger(width(t[COST_DR] + t[COST_DW]), width(t[COST_BC] + t[COST_BI])));
    gimle_umsg("I   refs:      %*s\n", c.all, commas(t[COST_IR]));
    if (cg_options.cache_sim)
        print_caches(t, &c);
    if (cg_options.branch_sim)
        print_branches(t, &c);
}
