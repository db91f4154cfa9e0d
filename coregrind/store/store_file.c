/* SPDX-License-Identifier: MIT */
/* Reading and finding; see store_file.h for the format. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "store_file_internal.h"

static size_t index_bytes(uint32_t n) { return (size_t)n * sizeof(StoreEntry); }

uint64_t store_segment_check(const StoreSegment *s)
{
    StoreSegment copy = *s;
    copy.check = 0;
    return hash_bytes(&copy, sizeof copy, STORE_SEGMENT_MAGIC);
}

bool store_file_is_ours(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

size_t store_file_scan(const uint8_t *map, size_t size, uint64_t purpose,
                       void (*segment)(void *ctx, size_t at), void *ctx)
{
    StoreFileHead head;
    size_t at = sizeof head;
    if (size < sizeof head)
        return 0;
    memcpy(&head, map, sizeof head);
    if (head.magic != STORE_FILE_MAGIC || head.purpose != purpose)
        return 0;
    while (size - at >= sizeof(StoreSegment)) {
        StoreSegment s;
        memcpy(&s, map + at, sizeof s);
        if (s.magic != STORE_SEGMENT_MAGIC || s.check != store_segment_check(&s) ||
            s.bytes > size - at || s.bytes % STORE_ALIGN ||
            s.bytes < sizeof s + index_bytes(s.n))
            break;
        if (segment)
            segment(ctx, at);
        at += s.bytes;
    }
    return at;
}

static void note_segment(void *ctx, size_t at)
{
    StoreFile *f = ctx;
    vec_push(&f->segment, ((SegmentView){ at, 0 }));
}

StoreFile *store_file_open(int dir_fd, const char *name, uint64_t purpose)
{
    StoreFile *f = calloc(1, sizeof *f);
    CHECK(f != NULL && strlen(name) < sizeof f->name);
    strcpy(f->name, name);
    f->purpose = purpose;
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0)
        return f;
    if (fstat(fd, &st) == 0 && store_file_is_ours(&st) && st.st_size > 0 &&
        (size_t)st.st_size <= STORE_FILE_MAX) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED) {
            f->map = p;
            f->size = (size_t)st.st_size;
            store_file_scan(f->map, f->size, purpose, note_segment, f);
        }
    }
    close(fd);
    return f;
}

/**
 * The first of @p n entries whose key is not less than @p key.  Keys are addresses, and what runs next
 * is near: steps that double go from @p from in its direction, then the rest is halved.
 */
static size_t lower_bound(const StoreEntry *e, size_t n, uint64_t key, size_t from)
{
    size_t lo = 0, hi = n, step = 1;
    if (from < n && e[from].key < key) {
        for (lo = from + 1; hi - lo > step && e[lo + step].key < key; step *= 2)
            lo += step + 1;
        if (hi - lo > step)
            hi = lo + step;
    } else if (from < n) {
        for (hi = from; hi > step && e[hi - step].key >= key; step *= 2)
            hi -= step;
        if (hi > step)
            lo = hi - step + 1;
    }
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (e[mid].key < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/** The record of @p key in segment @p v; NULL: none, or damaged. */
static const uint8_t *find_in_segment(const StoreFile *f, SegmentView *v, uint64_t key, size_t *len)
{
    const StoreSegment *s = (const void *)(f->map + v->at);
    const StoreEntry *e = (const void *)(s + 1);
    size_t lo = lower_bound(e, s->n, key, v->last);
    v->last = lo;
    if (lo == s->n || e[lo].key != key)
        return NULL;
    if (e[lo].offset > s->bytes || e[lo].size > s->bytes - e[lo].offset ||
        e[lo].offset % STORE_ALIGN)
        return NULL;
    const uint8_t *data = (const uint8_t *)s + e[lo].offset;
    *len = e[lo].size;
    return hash_bytes(data, *len, key) == e[lo].check ? data : NULL;
}

/** What was used lies in code memory now: it need not be in the process twice. */
static void unmap_used(StoreFile *f)
{
    madvise((void *)f->map, f->size, MADV_DONTNEED);
    f->touched = 0;
}

bool store_file_find(StoreFile *f, uint64_t key, const void **data, size_t *len)
{
    if (f->touched > STORE_TOUCHED)
        unmap_used(f);
    for (size_t i = f->segment.n; i-- > 0;)
        if ((*data = find_in_segment(f, &f->segment.data[i], key, len))) {
            f->touched += *len;
            return true;
        }
    return false;
}

void store_file_add(StoreFile *f, uint64_t key, const void *data, size_t len)
{
    size_t room = (len + STORE_ALIGN - 1) & ~(size_t)(STORE_ALIGN - 1);
    if (f->used + room > f->cap) {
        f->cap = f->cap ? 2 * f->cap : 1 << 16;
        if (f->cap < f->used + room)
            f->cap = f->used + room;
        f->pending = realloc(f->pending, f->cap);
        CHECK(f->pending != NULL, "out of memory: %zu bytes", f->cap);
    }
    memcpy(f->pending + f->used, data, len);
    memset(f->pending + f->used + len, 0, room - len);
    vec_push(&f->entry, ((StoreEntry){ .key = key, .check = hash_bytes(data, len, key),
                                       .offset = f->used, .size = len }));
    f->used += room;
}

size_t store_file_pending(const StoreFile *f) { return f->used; }

void store_file_drop_pending(StoreFile *f)
{
    free(f->pending);
    f->pending = NULL;
    f->used = f->cap = 0;
    vec_free(&f->entry);
}

void store_file_close(StoreFile *f)
{
    store_file_drop_pending(f);
    if (f->map)
        munmap((void *)f->map, f->size);
    vec_free(&f->segment);
    free(f);
}
