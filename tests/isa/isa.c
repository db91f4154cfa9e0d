/* SPDX-License-Identifier: MIT */
/*
 * Instruction tests with the processor as the oracle: every encoding that decodes, can be run in
 * user mode and is known to this processor runs on it and on each engine of Gimle from the same
 * random states; registers, defined flags, MXCSR, x87 and memory must be equal afterwards.
 *
 *   isa [--seed=N] [--rounds=N] [--only=MNEMONIC] [--engine=N] [--reports=N] [--verbose]
 *       [--part=I/N] [--avx512] [--emulated] [--uncovered]
 *
 * --part tests the I-th of N parts (from 0), --avx512 only what needs AVX-512;
 * --emulated leaves out what the emulator has wrong, --uncovered names the forms that were not tested.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encodings.h"
#include "setup.h"

enum { MAX_FORMS = 1 << 14, FORM_NAME = 96 };
enum { FORM_TESTED = 1, FORM_SKIPPED = 2, FORM_ABSENT = 4, FORM_BAD = 8 };

/** A form: mnemonic with kinds and sizes of operands. */
typedef struct Form {
    char name[FORM_NAME];
    unsigned seen;   /**< FORM_* */
    const char *why; /**< FORM_SKIPPED: the reason */
} Form;

static Form forms[MAX_FORMS]; /* open addressing */
static unsigned n_forms, n_reports, n_bad[8];
static unsigned long n_runs;
static struct {
    unsigned rounds, engine, reports, part, parts;
    const char *only;
    bool verbose, avx512, emulated, uncovered;
} opt = { .rounds = 3, .engine = ~0u, .reports = 60, .parts = 1 };

/* ---- forms ------------------------------------------------------------------------------------- */

static void form_name(const Subject *s, char *out)
{
    static const char kinds[] = "?rmpi";
    int n = snprintf(out, FORM_NAME, "%s%s%s", s->z.attributes & ZYDIS_ATTRIB_HAS_LOCK ? "lock " : "",
                     s->z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE) ? "rep "
                     : s->z.attributes & ZYDIS_ATTRIB_HAS_REPNE ? "repne " : "",
                     ZydisMnemonicGetString(s->z.mnemonic));
    for (unsigned i = 0; i < s->z.operand_count_visible && n < FORM_NAME - 8; i++)
        n += snprintf(out + n, FORM_NAME - (size_t)n, " %c%u", kinds[s->op[i].type], s->op[i].size);
}

static Form *find_form(const Subject *s)
{
    char name[FORM_NAME];
    form_name(s, name);
    uint64_t h = 1469598103934665603ull;
    for (const char *p = name; *p; p++)
        h = (h ^ (uint8_t)*p) * 1099511628211ull;
    for (unsigned i = (unsigned)h;; i++) {
        Form *f = &forms[i % MAX_FORMS];
        if (!f->name[0]) {
            memcpy(f->name, name, sizeof name);
            n_forms++;
            return f;
        }
        if (strcmp(f->name, name) == 0)
            return f;
    }
}

/* ---- comparing ---------------------------------------------------------------------------------- */

static uint8_t data_before[DATA_BYTES], data_native[DATA_BYTES];

static void print_hex(const char *what, const uint8_t *p, unsigned n)
{
    printf("#     %s ", what);
    while (n--)
        printf("%02x", p[n]);
    printf("\n");
}

/** Report one difference. */
static void differ(const char *what, unsigned i, const void *before, const void *want,
                   const void *got, unsigned bytes)
{
    printf("#   %s%u:\n", what, i);
    print_hex("before", before, bytes);
    print_hex("native", want, bytes);
    print_hex("gimle ", got, bytes);
}

typedef struct Trial {
    const Subject *s;
    const Engine *e;
    Machine before, want, got;
    bool show;
} Trial;

static bool compare_part(const Trial *t, const char *what, unsigned i, const void *before,
                         const void *want, const void *got, unsigned bytes)
{
    if (memcmp(want, got, bytes) == 0)
        return true;
    if (t->show)
        differ(what, i, before, want, got, bytes);
    return false;
}

/** x87: control, status and tag words, then the registers. */
static bool compare_fpu(const Trial *t)
{
    bool ok = compare_part(t, "fpu control", 0, t->before.fpu, t->want.fpu, t->got.fpu, 5);
    for (unsigned i = 0; i < 8; i++)
        ok &= compare_part(t, "st", i, t->before.fpu + 32 + 16 * i, t->want.fpu + 32 + 16 * i,
                           t->got.fpu + 32 + 16 * i, 10);
    return ok;
}

static bool compare_memory(const Trial *t)
{
    const uint8_t *got = (const uint8_t *)(uintptr_t)DATA_ADDR;
    if (memcmp(got, data_native, DATA_BYTES) == 0)
        return true;
    unsigned i = 0;
    while (got[i] == data_native[i])
        i++;
    unsigned n = DATA_BYTES - i < 16 ? DATA_BYTES - i : 16;
    if (t->show)
        differ("memory+", i, data_before + i, data_native + i, got + i, n);
    return false;
}

static bool is_memory_fault(int sig)
{
    return sig == SIGSEGV || sig == SIGBUS;
}

static bool compare(Trial *t)
{
    const Machine *b = &t->before, *w = &t->want, *g = &t->got;
    /* An address that is not canonical raises SIGBUS if the base is RSP or RBP: both are faults. */
    if (is_memory_fault(w->signal) && is_memory_fault(g->signal))
        return true;
    if (w->signal || g->signal)
        return compare_part(t, "signal", 0, &b->signal, &w->signal, &g->signal, 4);
    uint64_t mask = subject_defined_flags(t->s, b);
    uint64_t wf = w->rflags & mask, gf = g->rflags & mask;
    bool ok = compare_part(t, "rip", 0, &b->rip, &w->rip, &g->rip, 8);
    for (unsigned i = 0; i < 16; i++)
        ok &= compare_part(t, "gpr", i, &b->gpr[i], &w->gpr[i], &g->gpr[i], 8);
    ok &= compare_part(t, "rflags", 0, &b->rflags, &wf, &gf, 8);
    ok &= compare_part(t, "mxcsr", 0, &b->mxcsr, &w->mxcsr, &g->mxcsr, 4);
    for (unsigned i = 0; i < machine_vectors; i++)
        ok &= compare_part(t, "v", i, b->v[i], w->v[i], g->v[i], machine_vector_bytes);
    for (unsigned i = 0; i < MASKS; i++)
        ok &= compare_part(t, "k", i, &b->k[i], &w->k[i], &g->k[i], 8);
    ok &= compare_fpu(t);
    return compare_memory(t) && ok;
}

static void report(Trial *t)
{
    printf("# %s differs:", t->e->name);
    for (unsigned i = 0; i < t->s->z.length; i++)
        printf(" %02x", t->s->bytes[i]);
    printf("  %s  gpr:", t->s->text);
    for (unsigned i = 0; i < 16; i++)
        printf(" %lx", (unsigned long)t->before.gpr[i]);
    printf("\n");
    t->show = true;
    compare(t);
    if (opt.verbose)
        engine_print(t->e, CODE_START);
}

/* ---- running ------------------------------------------------------------------------------------ */

static void run_engines(const Subject *s, Form *f, Trial *t)
{
    uint8_t *data = (uint8_t *)(uintptr_t)DATA_ADDR;
    for (unsigned i = 0; i < n_engines; i++) {
        if (opt.engine != ~0u && opt.engine != i)
            continue;
        memcpy(data, data_before, DATA_BYTES);
        t->s = s;
        t->e = &engines[i];
        t->got = t->before;
        t->show = false;
        n_runs++;
        if (opt.verbose && opt.only)
            printf("# %s on %s\n", s->text, t->e->name), fflush(stdout);
        if (!engine_run(t->e, &t->got))
            t->got.signal = -1;
        if (compare(t))
            continue;
        n_bad[i]++;
        if (!(f->seen & FORM_BAD << i) && n_reports++ < opt.reports)
            report(t);
        f->seen |= FORM_BAD << i;
    }
}

/** One random state: natively, then by all engines. False if the processor has no such instruction. */
static bool run_once(const Subject *s, Form *f)
{
    static Trial t;
    uint8_t *data = (uint8_t *)(uintptr_t)DATA_ADDR;
    subject_setup(s, &t.before);
    memcpy(data_before, data, DATA_BYTES);
    t.want = t.before;
    native_run(&t.want);
    memcpy(data_native, data, DATA_BYTES);
    if (t.want.signal == SIGILL)
        return false;
    run_engines(s, f, &t);
    return true;
}

static void test_encoding(unsigned k)
{
    Subject s;
    for (unsigned i = 0; i < opt.rounds; i++) {
        encoding_make(k, s.bytes);
        if (!subject_decode(&s))
            continue;
        subject_fix(&s);
        if (opt.avx512 && !subject_is_avx512(&s))
            continue;
        if (opt.only && strcmp(opt.only, ZydisMnemonicGetString(s.z.mnemonic)) != 0)
            continue;
        Form *f = find_form(&s);
        const char *why = subject_why_not(&s, opt.emulated);
        if (why) {
            f->seen |= FORM_SKIPPED;
            f->why = why;
            continue;
        }
        machine_set_code(s.bytes, s.z.length);
        f->seen |= run_once(&s, f) ? FORM_TESTED : FORM_ABSENT;
    }
}

static unsigned count_forms(unsigned bit)
{
    unsigned n = 0;
    for (unsigned i = 0; i < MAX_FORMS; i++)
        n += forms[i].name[0] && forms[i].seen & bit;
    return n;
}

static bool is_uncovered(const Form *f)
{
    return f->name[0] && f->why && !(f->seen & (FORM_TESTED | FORM_ABSENT));
}

static int by_reason(const void *a, const void *b)
{
    const Form *x = *(Form *const *)a, *y = *(Form *const *)b;
    int c = strcmp(x->why, y->why);
    return c ? c : strcmp(x->name, y->name);
}

/** How many forms were not tested for what reason, or which ones. */
static void print_uncovered(void)
{
    static Form *list[MAX_FORMS];
    unsigned n = 0;
    for (unsigned i = 0; i < MAX_FORMS; i++)
        if (is_uncovered(&forms[i]))
            list[n++] = &forms[i];
    qsort(list, n, sizeof list[0], by_reason);
    for (unsigned i = 0, end; i < n; i = end) {
        for (end = i; end < n && strcmp(list[end]->why, list[i]->why) == 0; end++)
            if (opt.uncovered)
                printf("#   %s\n", list[end]->name);
        printf("# %u forms not tested: %s\n", end - i, list[i]->why);
    }
}

static void parse_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *eq = strchr(a, '=');
        if (strncmp(a, "--seed=", 7) == 0)
            random_seed(strtoull(eq + 1, NULL, 0));
        else if (strncmp(a, "--rounds=", 9) == 0)
            opt.rounds = (unsigned)strtoul(eq + 1, NULL, 0);
        else if (strncmp(a, "--only=", 7) == 0)
            opt.only = eq + 1;
        else if (strncmp(a, "--engine=", 9) == 0)
            opt.engine = (unsigned)strtoul(eq + 1, NULL, 0);
        else if (strncmp(a, "--reports=", 10) == 0)
            opt.reports = (unsigned)strtoul(eq + 1, NULL, 0);
        else if (strncmp(a, "--part=", 7) == 0)
            sscanf(eq + 1, "%u/%u", &opt.part, &opt.parts);
        else if (strcmp(a, "--emulated") == 0)
            opt.emulated = true;
        else if (strcmp(a, "--uncovered") == 0)
            opt.uncovered = true;
        else if (strcmp(a, "--avx512") == 0)
            opt.avx512 = true;
        else if (strcmp(a, "--verbose") == 0)
            opt.verbose = true;
        else
            printf("Bail out! unknown option %s\n", a), exit(1);
    }
}

int main(int argc, char **argv)
{
    random_seed(0x9e3779b97f4a7c15ull);
    parse_options(argc, argv);
    machine_init();
    engine_init();
    printf("TAP version 13\n1..%u\n", n_engines);
    for (unsigned k = 0; k < encoding_count(); k++)
        if (encoding_part(k, opt.parts) == opt.part)
            test_encoding(k);
    unsigned tested = count_forms(FORM_TESTED);
    printf("# %lu runs; %u of %u forms tested, %u not on this processor, %u not testable here\n",
           n_runs, tested, n_forms, count_forms(FORM_ABSENT), count_forms(FORM_SKIPPED));
    print_uncovered();
    bool ok = true;
    for (unsigned i = 0; i < n_engines; i++) {
        printf("%sok %u - %s: %u differences\n", n_bad[i] ? "not " : "", i + 1, engines[i].name,
               n_bad[i]);
        ok &= n_bad[i] == 0;
    }
    return ok ? 0 : 1;
}
