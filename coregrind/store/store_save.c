/* SPDX-License-Identifier: MIT */
/*
 * Writing: a segment is appended under a lock of the file, or the file is written anew beside the old
 * one and renamed over it.  Readers that have the old one mapped keep it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "store_file_internal.h"

static int write_all(int fd, const void *data, size_t len, uint64_t at)
{
    const uint8_t *p = data;
    while (len) {
        ssize_t n = pwrite(fd, p, len, (off_t)at);
        if (n <= 0) {
            if (n < 0 && errno == EINTR)
                continue;
            return n < 0 ? -errno : -EIO;
        }
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const StoreEntry *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->offset > y->offset ? -1 : x->offset < y->offset; /* newest first */
}

/** One record per key, sorted; what is left of it. */
static size_t sort_entries(StoreEntry *e, size_t n)
{
    size_t kept = 0;
    qsort(e, n, sizeof *e, by_key);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || e[kept - 1].key != e[i].key)
            e[kept++] = e[i];
    return kept;
}

/**
 * Write a segment at @p at.  Its head goes last: before that, nobody takes it for one.  The records
 * are the pending ones as they lie, so entries that were superseded leave a gap.
 */
static int write_segment(const StoreFile *f, int fd, uint64_t at)
{
    size_t n = sort_entries(f->entry.data, f->entry.n);
    size_t records = sizeof(StoreSegment) + n * sizeof(StoreEntry);
    StoreSegment s = { .magic = STORE_SEGMENT_MAGIC, .bytes = records + f->used, .n = (uint32_t)n };
    s.check = store_segment_check(&s);
    for (size_t i = 0; i < n; i++)
        f->entry.data[i].offset += records;
    int r = write_all(fd, f->pending, f->used, at + records);
    if (r == 0)
        r = write_all(fd, f->entry.data, n * sizeof(StoreEntry), at + sizeof s);
    if (r == 0)
        r = write_all(fd, &s, sizeof s, at);
    return r;
}

/** Everything that the segment at @p at holds is to be written again, before what is new. */
static void add_old(void *ctx, size_t at)
{
    StoreFile *f = ctx;
    const StoreSegment *s = (const void *)(f->map + at);
    const StoreEntry *e = (const void *)(s + 1);
    for (uint32_t i = 0; i < s->n; i++)
        if (e[i].offset <= s->bytes && e[i].size <= s->bytes - e[i].offset &&
            hash_bytes((const uint8_t *)s + e[i].offset, e[i].size, e[i].key) == e[i].check)
            store_file_add(f, e[i].key, (const uint8_t *)s + e[i].offset, e[i].size);
}

/** Write a new file with the pending records of @p f (and, if @p keep_old, those it was opened with). */
static int write_anew(StoreFile *f, int dir_fd, bool keep_old)
{
    StoreFile all = { .purpose = f->purpose, .map = f->map };
    char temporary[sizeof f->name + 32];
    snprintf(temporary, sizeof temporary, "%s.%d.new", f->name, getpid());
    int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    for (size_t i = 0; keep_old && i < f->segment.n; i++)
        add_old(&all, f->segment.data[i]);
    for (size_t i = 0; i < f->entry.n; i++)
        store_file_add(&all, f->entry.data[i].key, f->pending + f->entry.data[i].offset,
                       f->entry.data[i].size);
    StoreFileHead head = { STORE_FILE_MAGIC, f->purpose };
    int r = write_all(fd, &head, sizeof head, 0);
    if (r == 0)
        r = write_segment(&all, fd, sizeof head);
    if (close(fd) != 0 && r == 0)
        r = -errno;
    if (r == 0 && renameat(dir_fd, temporary, dir_fd, f->name) != 0)
        r = -errno;
    if (r != 0)
        unlinkat(dir_fd, temporary, 0);
    store_file_drop_pending(&all);
    return r;
}

static void count_segment(void *ctx, size_t at)
{
    (void)at;
    ++*(unsigned *)ctx;
}

/** The end of the valid part of the locked file @p fd; 0: to be written anew. */
static uint64_t end_of_file(int fd, uint64_t purpose, unsigned *segments)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !store_file_is_ours(&st) || st.st_size == 0 ||
        (size_t)st.st_size > STORE_FILE_MAX)
        return 0;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return 0;
    uint64_t end = store_file_scan(map, (size_t)st.st_size, purpose, count_segment, segments);
    munmap(map, (size_t)st.st_size);
    return end;
}

int store_file_save(StoreFile *f, int dir_fd, size_t limit)
{
    if (f->used == 0)
        return 0;
    int fd = openat(dir_fd, f->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    unsigned segments = 0;
    int r;
    uint64_t end = 0;
    bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0 && !locked) { /* another process writes: this time it is its turn only */
        close(fd);
        store_file_drop_pending(f);
        return 0;
    }
    if (locked)
        end = end_of_file(fd, f->purpose, &segments);
    bool fits = end + f->used + f->entry.n * sizeof(StoreEntry) < limit;
    if (end && fits && segments < STORE_SEGMENTS)
        r = write_segment(f, fd, end);
    else
        r = write_anew(f, dir_fd, fits);
    if (fd >= 0)
        close(fd);
    store_file_drop_pending(f);
    return r;
}

/* ---- the directory ------------------------------------------------------------------------- */

int store_directory_open(const char *path, bool create, const char **why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && create) {
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            *why = strerror(errno);
            return -1;
        }
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0) {
        *why = strerror(errno);
        return -1;
    }
    if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
        *why = "it must belong to you and be writable by nobody else";
        close(fd);
        return -1;
    }
    return fd;
}

typedef struct OldFile {
    char name[256];
    time_t used;
    uint64_t bytes;
} OldFile;

static int by_age(const void *a, const void *b)
{
    const OldFile *x = a, *y = b;
    return x->used < y->used ? -1 : x->used > y->used;
}

void store_directory_trim(int dir_fd, uint64_t limit)
{
    VEC(OldFile) files = { 0 };
    uint64_t sum = 0;
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *d; (d = readdir(dir));) {
        struct stat st;
        size_t n = strlen(d->d_name), suffix = strlen(STORE_SUFFIX);
        if (n < suffix || n >= sizeof files.data->name ||
            strcmp(d->d_name + n - suffix, STORE_SUFFIX) != 0 || /* somebody else's */
            fstatat(dir_fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        OldFile *o = vec_push_slot(&files);
        strcpy(o->name, d->d_name);
        o->used = st.st_mtime > st.st_atime ? st.st_mtime : st.st_atime;
        o->bytes = (uint64_t)st.st_size;
        sum += o->bytes;
    }
    closedir(dir);
    if (files.n)
        qsort(files.data, files.n, sizeof *files.data, by_age);
    for (size_t i = 0; i < files.n && sum > limit; i++)
        if (unlinkat(dir_fd, files.data[i].name, 0) == 0)
            sum -= files.data[i].bytes;
    vec_free(&files);
}
