/* SPDX-License-Identifier: MIT */
/* Memcheck's monitor commands: looking at and changing what is known of memory, leaks, pointers. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_requests.h"
#include "errors.h"
#include "gimle/monitor.h"
#include "leak/leak.h"
#include "shadow/shadow.h"
#include "gimle/xtree.h"

#define SAY(...) gimle_msg(MSG_PLAIN, __VA_ARGS__)

enum { MOST_BYTES = 1 << 20 /**< that one command shows */ };

typedef void Command(Thread *t, char **rest);

static void do_help(Thread *t, char **rest)
{
    (void)t, (void)rest;
    SAY("monitor commands of memcheck:\n"
        "  xb <addr> [<len>]              V bits of bytes, __ where there is no memory, and the bytes\n"
        "  get_vbits <addr> [<len>]       V bits only, in groups of four\n"
        "  make_memory noaccess|undefined|defined|Definedifaddressable <addr> [<len>]\n"
        "  check_memory addressable|defined <addr> [<len>]\n"
        "  leak_check [full*|summary|xtleak]\n"
        "             [kinds kind1,kind2,..|reachable|possibleleak*|definiteleak]\n"
        "             [heuristics heur1,heur2,..] [increased*|changed|any]\n"
        "             [unlimited*|limited <number of records>]      (*: the default)\n"
        "  block_list <record>|<from>..<to> [unlimited*|limited <number of blocks>]\n"
        "             [heuristics heur1,heur2,..]   blocks of records of the last leak_check\n"
        "  who_points_at <addr> [<len>]   pointers to an address, or into a range\n"
        "  xtmemory [<file>]              the heap as a profile (with --xtree-memory)\n\n");
}

/* ---- V bits ------------------------------------------------------------------------- */

/** V bits of the byte at @p a; false if it is not addressable. */
static bool vbits_at(GuestAddr a, uint8_t *v)
{
    GuestMapping m;
    *v = 0xff;
    if (!shadow_is_addressable(a) || !gimle_mapping_at(a, &m) || m.is_reserve)
        return false;
    *v = shadow_vbits(a);
    return true;
}

static bool parse_shown_range(char **rest, GuestAddr *a, uint64_t *len)
{
    if (!gimle_parse_address(rest, a, len))
        return false;
    if (*len > MOST_BYTES)
        *len = MOST_BYTES;
    return true;
}

static void say_unaddressable(GuestAddr a, uint64_t len, uint64_t n)
{
    if (n)
        SAY("Address 0x%lX len %lu has %lu bytes unaddressable\n", (unsigned long)a, (unsigned long)len,
            (unsigned long)n);
}

static void do_get_vbits(Thread *t, char **rest)
{
    enum { GROUP = 4, LINE = 32 };
    GuestAddr a;
    uint64_t len, bad = 0;
    (void)t;
    if (!parse_shown_range(rest, &a, &len))
        return;
    for (uint64_t i = 0; i < len; i++) {
        uint8_t v;
        if (i && i % LINE == 0)
            SAY("\n");
        else if (i && i % GROUP == 0)
            SAY(" ");
        if (vbits_at(a + i, &v)) {
            SAY("%02x", v);
        } else {
            SAY("__");
            bad++;
        }
    }
    SAY("\n");
    say_unaddressable(a, len, bad);
}

static void do_xb(Thread *t, char **rest)
{
    enum { LINE = 8 };
    GuestAddr a;
    uint64_t len, bad = 0;
    (void)t;
    if (!parse_shown_range(rest, &a, &len))
        return;
    for (uint64_t i = 0; i < len; i += LINE) {
        unsigned n = len - i < LINE ? (unsigned)(len - i) : LINE;
        bool there[LINE];
        SAY("\t");
        for (unsigned k = 0; k < n; k++) {
            uint8_t v;
            there[k] = vbits_at(a + i + k, &v);
            bad += !there[k];
            if (there[k])
                SAY("\t  %02x", v);
            else
                SAY("\t  __");
        }
        SAY("\n0x%lX:", (unsigned long)(a + i));
        for (unsigned k = 0; k < n; k++) {
            uint8_t byte;
            if (there[k] && gimle_read_guest(&byte, a + i + k, 1) == 1)
                SAY("\t0x%02x", byte);
            else
                SAY("\t0x??");
        }
        SAY("\n");
    }
    say_unaddressable(a, len, bad);
}

/* ---- permissions -------------------------------------------------------------------- */

static void do_make_memory(Thread *t, char **rest)
{
    static const char *const words[] = { "noaccess", "undefined", "defined", "Definedifaddressable", NULL };
    static void (*const make[])(GuestAddr a, size_t len) = {
        shadow_set_noaccess, shadow_set_undefined, shadow_set_defined, shadow_set_defined_if_addressable,
    };
    GuestAddr a;
    uint64_t len;
    (void)t;
    int k = gimle_keyword(gimle_next_word(rest), words, true);
    GuestMapping m;
    if (k < 0 || !gimle_parse_address(rest, &a, &len))
        return;
    if (gimle_mapping_at(a, &m) && len <= m.end - a)
        make[k](a, len);
}

static void do_check_memory(Thread *t, char **rest)
{
    enum { ADDRESSABLE, DEFINED };
    static const char *const words[] = { "addressable", "defined", NULL };
    GuestAddr a, bad = 0;
    uint64_t len;
    int k = gimle_keyword(gimle_next_word(rest), words, true);
    if (!gimle_parse_address(rest, &a, &len) || k < 0)
        return;
    bool addressable = shadow_check_addressable(a, len, &bad) == SHADOW_OK;
    ShadowState s = k == DEFINED ? shadow_check_defined(a, len, &bad)
                                 : addressable ? SHADOW_OK : SHADOW_BAD_ADDRESS;
    SAY("Address 0x%lX len %lu %s%s\n", (unsigned long)a, (unsigned long)len,
        s == SHADOW_OK ? "" : "not ", s == SHADOW_OK ? words[k] : k == DEFINED ? "defined:" : "addressable:");
    if (s == SHADOW_BAD_VALUE)
        SAY("Uninitialised value at 0x%lX\n", (unsigned long)bad);
    else if (s == SHADOW_BAD_ADDRESS)
        SAY("bad address 0x%lX\n", (unsigned long)bad);
    mc_print_address(t, a);
}

static bool do_location(Thread *t, char **rest)
{
    GuestAddr a;
    uint64_t len;
    if (gimle_parse_address(rest, &a, &len))
        mc_print_address(t, a);
    return true;
}

/* ---- leaks -------------------------------------------------------------------------- */

static const char *const kind_words[] = { "reachable", "possible", "indirect", "definite", "all", "none", NULL };
static const char *const heuristic_words[] = { "stdstring", "length64", "newarray", "multipleinheritance",
                                               "all", "none", NULL };
_Static_assert(LEAK_KINDS == 4 && HEUR_COUNT == 5, "names of sets are in the order of their bits");

/** "one,two", "all" or "none" of four names; false after a message. */
static bool parse_set(char *word, const char *const *names, const char *what, unsigned *out)
{
    enum { ALL = 4, NONE = 5 };
    char *rest = NULL;
    unsigned set = 0;
    bool ok = word != NULL;
    for (char *s = ok ? strtok_r(word, ",", &rest) : NULL; s && ok; s = strtok_r(NULL, ",", &rest)) {
        int i = 0;
        while (names[i] && strcmp(names[i], s) != 0)
            i++;
        ok = names[i] != NULL;
        set |= i < ALL ? 1u << i : i == ALL ? 0xf : 0;
    }
    if (ok)
        *out = set;
    else
        SAY("missing or malformed %s set\n", what);
    return ok;
}

static bool parse_limit(char **rest, uint64_t *limit)
{
    if (gimle_parse_number(gimle_next_word(rest), limit) && *limit > 0 && *limit <= UINT_MAX)
        return true;
    SAY("missing or malformed integer value\n");
    return false;
}

/** One word of leak_check, with what belongs to it; false after a message. */
static bool parse_leak_word(char *word, char **rest, LeakRequest *r)
{
    enum { FULL, SUMMARY, XTLEAK, KINDS, REACHABLE, POSSIBLE, DEFINITE, HEURISTICS, INCREASED, CHANGED, ANY,
           UNLIMITED, LIMITED };
    static const char *const words[] = { "full", "summary", "xtleak", "kinds", "reachable", "possibleleak",
                                         "definiteleak", "heuristics", "increased", "changed", "any",
                                         "unlimited", "limited", NULL };
    uint64_t limit = 0;
    int w = gimle_keyword(word, words, true);
    switch (w) {
    case FULL:
    case SUMMARY:
    case XTLEAK:
        r->full = w != SUMMARY;
        r->tree = w == XTLEAK ? "xtleak.kcg.%p.%n" : NULL;
        return true;
    case KINDS:
        return parse_set(gimle_next_word(rest), kind_words, "leak kinds", &r->show_kinds);
    case REACHABLE:
        r->show_kinds = 0xf;
        return true;
    case POSSIBLE:
        r->show_kinds = 1u << LEAK_POSSIBLE | 1u << LEAK_DEFINITE;
        return true;
    case DEFINITE:
        r->show_kinds = 1u << LEAK_DEFINITE;
        return true;
    case HEURISTICS:
        return parse_set(gimle_next_word(rest), heuristic_words, "heuristics", &r->heuristics);
    case INCREASED:
    case CHANGED:
    case ANY:
        r->delta = w == INCREASED ? LEAK_DELTA_INCREASED : w == CHANGED ? LEAK_DELTA_CHANGED : LEAK_DELTA_ANY;
        return true;
    case UNLIMITED:
    case LIMITED:
        if (w == LIMITED && !parse_limit(rest, &limit))
            return false;
        r->limit = (unsigned)limit;
        return true;
    default:
        return false;
    }
}

static void do_leak_check(Thread *t, char **rest)
{
    LeakRequest r = {
        .full = true, .delta = LEAK_DELTA_INCREASED, .by_monitor = true, .thread = t,
        .show_kinds = 1u << LEAK_POSSIBLE | 1u << LEAK_DEFINITE,
        .summary = gimle_core_option("quiet") <= gimle_core_option("verbose"),
        .xml = gimle_core_option("xml") > 0,
    };
    for (char *word; (word = gimle_next_word(rest));)
        if (!parse_leak_word(word, rest, &r))
            return;
    leak_check(&r);
}

/** "3" or "1..3" */
static bool parse_records(const char *word, uint64_t *from, uint64_t *to)
{
    char first[32];
    const char *dots = word ? strstr(word, "..") : NULL;
    if (!word) {
        SAY("expecting integer or slice <from>..<to>\n");
        return false;
    }
    snprintf(first, sizeof first, "%.*s", dots ? (int)(dots - word) : (int)strlen(word), word);
    bool ok = gimle_parse_number(first, from);
    *to = *from;
    if (dots)
        ok = ok && gimle_parse_number(dots + 2, to) && *to >= *from;
    if (!ok)
        SAY("invalid integer or slice <from>..<to>\n");
    return ok;
}

static void do_block_list(Thread *t, char **rest)
{
    enum { UNLIMITED, LIMITED, HEURISTICS };
    static const char *const words[] = { "unlimited", "limited", "heuristics", NULL };
    uint64_t from, to, limit = UINT64_MAX;
    unsigned heuristics = 0;
    (void)t;
    if (!parse_records(gimle_next_word(rest), &from, &to))
        return;
    for (char *word; (word = gimle_next_word(rest));) {
        int w = gimle_keyword(word, words, true);
        if (w < 0 || (w == LIMITED && !parse_limit(rest, &limit)) ||
            (w == HEURISTICS && !parse_set(gimle_next_word(rest), heuristic_words, "heuristics", &heuristics)))
            return;
        limit = w == UNLIMITED ? UINT64_MAX : limit;
    }
    for (uint64_t n = from; n <= to; n++) {
        if (n <= UINT_MAX && leak_list_blocks((unsigned)n, limit, heuristics))
            continue;
        if (n == from)
            SAY("invalid loss record nr\n");
        return;
    }
}

static void do_who_points_at(Thread *t, char **rest)
{
    GuestAddr a;
    uint64_t len;
    if (!gimle_parse_address(rest, &a, &len))
        return;
    if (a == 0)
        SAY("Cannot search who points at 0x0\n");
    else
        leak_who_points_at(t, a, len);
}

static void do_xtmemory(Thread *t, char **rest)
{
    const char *file = gimle_next_word(rest);
    (void)t;
    gimle_heap_tree_write("xtmemory", file ? file : "xtmemory.kcg.%p.%n");
}

/* ---- the table ---------------------------------------------------------------------- */

bool mc_monitor(Thread *t, const char *command)
{
    static const char *const words[] = { "help", "get_vbits", "leak_check", "make_memory", "check_memory",
                                         "block_list", "who_points_at", "xb", "xtmemory", NULL };
    static Command *const commands[] = { do_help, do_get_vbits, do_leak_check, do_make_memory, do_check_memory,
                                         do_block_list, do_who_points_at, do_xb, do_xtmemory };
    static const char location[] = "v.info location ";
    char *copy = strdup(command), *rest = NULL;
    bool known = false;
    if (!copy)
        return false;
    if (strncmp(copy, location, sizeof location - 1) == 0) {
        rest = copy + sizeof location - 1;
        known = do_location(t, &rest);
    } else {
        const char *first = strtok_r(copy, " \t\n", &rest);
        int i = gimle_keyword(first, words, !first);
        known = i >= 0;
        if (known)
            commands[i](t, &rest);
    }
    free(copy);
    return known;
}
