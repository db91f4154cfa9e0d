/* SPDX-License-Identifier: MIT */
/*
 * The stack as the kernel hands it to a new program: strings, auxiliary vector, environment,
 * arguments, argc (System V psABI for x86-64, figure 3.9; getauxval(3)).
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/aspace/layout.h"
#include "image.h"

enum { MAX_AUXV = 40, MIN_STACK = 1 << 20, DEFAULT_STACK = 8 << 20 };

typedef struct StackBuilder {
    GuestAddr sp, lo;
    bool full;
} StackBuilder;

static GuestAddr stack_push_bytes(StackBuilder *s, const void *data, size_t n)
{
    if (s->sp - s->lo < n + PAGE_SIZE_) {
        s->full = true;
        return s->sp;
    }
    s->sp -= n;
    memcpy((void *)s->sp, data, n);
    return s->sp;
}

static GuestAddr stack_push_string(StackBuilder *s, const char *str)
{
    return stack_push_bytes(s, str, strlen(str) + 1);
}

static void stack_push_words(StackBuilder *s, const uint64_t *w, size_t n)
{
    stack_push_bytes(s, w, n * sizeof *w);
}

/** Entries that are passed on as the kernel gave them to us. */
static const unsigned long auxv_same[] = { AT_HWCAP, AT_HWCAP2, AT_PAGESZ, AT_CLKTCK, AT_UID,
                                           AT_EUID,  AT_GID,    AT_EGID,   AT_SECURE,
                                           AT_MINSIGSTKSZ };

/** Fill @p w with type/value pairs; returns the number of words. */
static size_t stack_fill_auxv(const Image *img, uint64_t *w, GuestAddr vdso, GuestAddr random,
                              GuestAddr execfn, GuestAddr platform)
{
    size_t n = 0;
    if (vdso) {
        w[n++] = AT_SYSINFO_EHDR;
        w[n++] = vdso;
    }
    for (size_t i = 0; i < sizeof auxv_same / sizeof auxv_same[0]; i++) {
        errno = 0;
        uint64_t v = getauxval(auxv_same[i]);
        if (errno == 0) {
            w[n++] = auxv_same[i];
            w[n++] = v;
        }
    }
    const uint64_t own[] = {
        AT_PHDR,   img->exe.phdr,
        AT_PHENT,  img->exe.phent,
        AT_PHNUM,  img->exe.phnum,
        AT_BASE,   img->has_interp ? img->interp.bias : 0,
        AT_FLAGS,  0,
        AT_ENTRY,  img->exe.entry,
        AT_RANDOM, random,
        AT_EXECFN, execfn,
        AT_PLATFORM, platform,
        AT_NULL,   0,
    };
    memcpy(&w[n], own, sizeof own);
    return n + sizeof own / sizeof own[0];
}

static size_t count_strings(char **v)
{
    size_t n = 0;
    while (v[n])
        n++;
    return n;
}

/** Push the strings of @p v, last first; their addresses go to @p out, 0-terminated. */
static void stack_push_strings(StackBuilder *s, char **v, size_t n, uint64_t *out)
{
    for (size_t i = n; i-- > 0;)
        out[i] = stack_push_string(s, v[i]);
    out[n] = 0;
}

static bool stack_map(Image *img, uint64_t limit)
{
    uint64_t size = limit == RLIM_INFINITY || limit > (1ULL << 30) ? 1ULL << 30 : PAGE_UP(limit);
    if (limit == RLIM_INFINITY)
        size = DEFAULT_STACK * 8;
    if (size < MIN_STACK)
        size = MIN_STACK;
    int prot = PROT_READ | PROT_WRITE | (img->exe.exec_stack ? PROT_EXEC : 0);
    img->stack_hi = LAYOUT_STACK_TOP;
    img->stack_lo = LAYOUT_STACK_TOP - size;
    int64_t r = aspace_mmap(img->stack_lo, size, prot,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE | MAP_STACK, -1,
                            0);
    if (r < 0)
        snprintf(img->error, sizeof img->error, "cannot map %llu bytes for the stack: %s",
                 (unsigned long long)size, strerror((int)-r));
    return r >= 0;
}

bool image_build_stack(Image *img, const ImageRequest *req)
{
    if (!stack_map(img, req->stack_limit))
        return false;
    StackBuilder s = { .sp = img->stack_hi - 8, .lo = img->stack_lo };
    size_t argc = count_strings(img->argv), envc = count_strings(req->envp);
    uint64_t vec[2 + argc + envc + 2], auxv[MAX_AUXV + 20];
    uint8_t random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        memset(random, 0x5a, sizeof random);

    GuestAddr execfn = stack_push_string(&s, req->name ? req->name : req->path);
    vec[0] = argc;
    stack_push_strings(&s, req->envp, envc, &vec[1 + argc + 1]);
    stack_push_strings(&s, img->argv, argc, &vec[1]);
    GuestAddr platform = stack_push_string(&s, "x86_64");
    s.sp &= ~15ULL;
    GuestAddr rnd = stack_push_bytes(&s, random, sizeof random);
    size_t n_aux = stack_fill_auxv(img, auxv, req->vdso, rnd, execfn, platform);
    size_t n_vec = 1 + argc + 1 + envc + 1;
    s.sp = (s.sp & ~15ULL) - ((n_aux + n_vec) & 1) * 8;
    stack_push_words(&s, auxv, n_aux);
    stack_push_words(&s, vec, n_vec);
    img->start_sp = s.sp;
    if (s.full)
        snprintf(img->error, sizeof img->error,
                 "the arguments and environment do not fit into the stack limit");
    return !s.full;
}
