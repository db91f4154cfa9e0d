/* SPDX-License-Identifier: MIT */
/* The lines have the form of Valgrind's, so that the same scripts read them. */
#include "coregrind/redirect/trace_malloc.h"

#include <string.h>

#include "gimle/memory.h"
#include "gimle/tool.h"

/** What a function takes; named by its row in malloc_names.def. */
typedef enum Form {
    FORM_malloc, FORM_free, FORM_calloc, FORM_realloc, FORM_memalign, FORM_posix_memalign, FORM_valloc,
    FORM_pvalloc, FORM_usable_size, FORM_malloc_trim, FORM_mallopt, FORM_mallinfo, FORM_mallinfo2,
    FORM_malloc_stats, FORM_new, FORM_new_aligned, FORM_UNKNOWN
} Form;

static const struct {
    const char *symbol;
    Form form;
} rows[] = {
#define MALLOC_NAME(symbol, function, kind) { #symbol, FORM_##function },
#include "gimle/malloc_names.def"
#undef MALLOC_NAME
};

static Form form_of(const char *symbol)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].symbol, symbol) == 0)
            return rows[i].form;
    return FORM_UNKNOWN;
}

typedef unsigned long long Number;

static void say_memalign(uint64_t align, uint64_t size, uint64_t result)
{
    gimle_msg(MSG_DEBUG, "memalign(al %llu, size %llu) = 0x%llX\n", (Number)align, (Number)size, (Number)result);
}

/** Where there is no old block, or no new one, the one function is the other. */
static void say_realloc(uint64_t old, uint64_t size, uint64_t result)
{
    Number o = old, s = size, r = result;
    if (!old)
        gimle_msg(MSG_DEBUG, "realloc(0x0,%llu)malloc(%llu) = 0x%llX\n", s, s, r);
    else if (size == 0)
        gimle_msg(MSG_DEBUG, "realloc(0x%llX,0)free(0x%llX)\n = 0\n", o, o);
    else
        gimle_msg(MSG_DEBUG, "realloc(0x%llX,%llu) = 0x%llX\n", o, s, r);
}

static void say(const char *symbol, Form form, const uint64_t *arg, uint64_t result)
{
    Number a = arg[0], b = arg[1], r = result;
    GuestAddr block = 0;
    switch (form) {
    case FORM_malloc:
    case FORM_new:
        gimle_msg(MSG_DEBUG, "%s(%llu) = 0x%llX\n", symbol, a, r);
        break;
    case FORM_free:
        gimle_msg(MSG_DEBUG, "%s(0x%llX)\n", symbol, a);
        break;
    case FORM_calloc:
        gimle_msg(MSG_DEBUG, "calloc(%llu,%llu) = 0x%llX\n", a, b, r);
        break;
    case FORM_realloc:
        say_realloc(a, b, r);
        break;
    case FORM_memalign:
        say_memalign(a, b, r);
        break;
    case FORM_posix_memalign:
        if (result == 0 && gimle_read_guest(&block, arg[0], sizeof block) == sizeof block)
            say_memalign(b, arg[2], block);
        break;
    case FORM_valloc:
        say_memalign(4096, a, r);
        break;
    case FORM_pvalloc:
        say_memalign(4096, (a + 4095) & ~4095ULL, r);
        break;
    case FORM_new_aligned:
        gimle_msg(MSG_DEBUG, "%s(size %llu, al %llu) = 0x%llX\n", symbol, a, b, r);
        break;
    case FORM_usable_size:
        gimle_msg(MSG_DEBUG, "%s(0x%llX) = %llu\n", symbol, a, r);
        break;
    case FORM_mallinfo:
    case FORM_mallinfo2:
        gimle_msg(MSG_DEBUG, "%s()\n", symbol);
        break;
    default:
        break;
    }
}

void trace_malloc_call(GuestCall *c)
{
    Form form = form_of(c->what->symbol);
    uint64_t arg[3];
    for (unsigned i = 0; i < 3; i++)
        arg[i] = guest_call_arg(c, i);
    guest_call_return(c, 0);
    c->what->before(c);
    say(c->what->symbol, form, arg, guest_call_result(c));
}
