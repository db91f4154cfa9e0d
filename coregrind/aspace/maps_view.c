/* SPDX-License-Identifier: MIT */
/*
 * What the client sees of its address space (/proc/self/maps), and the comparison of our table
 * with the kernel's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "aspace.h"
#include "base/ranked_lock.h"
#include "base/strbuf.h"
#include "layout.h"
#include "segments.h"

int aspace_init(bool shadow)
{
    return shadow ? aspace_reserve_shadow() : 0;
}

static GuestAddr vdso;

void aspace_set_vdso(GuestAddr a) { vdso = a; }

static void maps_add_line(StrBuf *b, const Segment *s)
{
    size_t start = b->len;
    strbuf_printf(b, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ", (unsigned long long)s->start,
                  (unsigned long long)s->end, s->prot & PROT_READ ? 'r' : '-',
                  s->prot & PROT_WRITE ? 'w' : '-', s->prot & PROT_EXEC ? 'x' : '-',
                  s->flags & SEG_SHARED ? 's' : 'p', (unsigned long long)s->offset, major(s->dev),
                  minor(s->dev), (unsigned long long)s->ino);
    const char *name = s->path                                                ? s->path
                       : vdso && s->start == vdso                             ? "[vdso]"
                       : s->flags & SEG_BRK                                   ? "[heap]"
                       : s->end == LAYOUT_STACK_TOP && (s->flags & SEG_STACK) ? "[stack]"
                                                                              : NULL;
    if (name) {
        while (b->len - start < 73)
            strbuf_addc(b, ' ');
        strbuf_adds(b, name);
    }
    strbuf_addc(b, '\n');
}

/* The line of the host's maps for the page, once it has been looked for. */
static const char *vsyscall_line(void)
{
    static char line[128];
    static bool looked;
    char *text = NULL;
    size_t size = 0;
    FILE *f = looked ? NULL : fopen("/proc/self/maps", "re");
    while (f && getline(&text, &size, f) > 0)
        if (strstr(text, "[vsyscall]"))
            snprintf(line, sizeof line, "%s", text);
    free(text);
    if (f)
        fclose(f);
    looked = true;
    return line;
}

bool aspace_has_vsyscall(void)
{
    lock_take(LOCK_aspace);
    bool has = vsyscall_line()[0];
    lock_release(LOCK_aspace);
    return has;
}

void aspace_add_maps(StrBuf *out)
{
    lock_take(LOCK_aspace);
    for (size_t i = 0; i < segments_count(); i++)
        maps_add_line(out, segments_at(i));
    strbuf_adds(out, vsyscall_line());
    lock_release(LOCK_aspace);
}

bool aspace_check(void)
{
    FILE *f = fopen("/proc/self/maps", "re");
    if (!f)
        return true;
    char line[4600];
    bool ok = true;
    lock_take(LOCK_aspace);
    while (ok && fgets(line, sizeof line, f)) {
        unsigned long long start, end;
        if (sscanf(line, "%llx-%llx", &start, &end) == 2 && start < GIMLE_CLIENT_END)
            ok = segments_is_mapped(start, end);
    }
    lock_release(LOCK_aspace);
    if (!ok)
        fprintf(stderr, "gimle: mapping not in our table: %s", line);
    fclose(f);
    return ok;
}
