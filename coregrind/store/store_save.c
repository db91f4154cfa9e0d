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

/* ---- writing anew -------------------------------------------------------------------------- */

/** The old file, as it is now: other processes, and this one, have appended to it since f->map. */
typedef struct OldFile {
    int fd;
    uint8_t *map;          /**< only heads and indices are looked at in it */
    size_t size;
    uint64_t end;          /**< of its valid part; 0: nothing of it is of use */
    VEC(size_t) segment;   /**< oldest first */
} OldFile;

static void note_segment(void *ctx, size_t at)
{
    OldFile *o = ctx;
    vec_push(&o->segment, at);
}

/** Look at the locked file @p fd. */
static void old_file_open(OldFile *o, int fd, uint64_t purpose)
{
    struct stat st;
    *o = (OldFile){ .fd = fd };
    if (fd < 0 || fstat(fd, &st) != 0 || !store_file_is_ours(&st) || st.st_size == 0 ||
        (size_t)st.st_size > STORE_FILE_MAX)
        return;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return;
    o->map = map;
    o->size = (size_t)st.st_size;
    o->end = store_file_scan(map, o->size, purpose, note_segment, o);
}

static void old_file_close(OldFile *o)
{
    if (o->map)
        munmap(o->map, o->size);
    vec_free(&o->segment);
}

/** What the new file is made of.  A record is copied when it is its turn: files are large. */
typedef struct Merge {
    VEC(StoreEntry) entry;  /**< offset: place in `from`, the newer the higher */
    VEC(uint64_t) from;     /**< offset in the old file; WAITING and offset in what waits */
    VEC(uint8_t) record;    /**< the one that is copied */
    VEC(uint8_t) out;       /**< collected, to be written at `at` */
    uint64_t at;
} Merge;
#define WAITING (1ULL << 63)
enum { OUT_BYTES = 64 << 10 };

static void merge_add(Merge *m, const StoreEntry *e, uint64_t from)
{
    StoreEntry copy = *e;
    copy.offset = m->from.n;
    vec_push(&m->entry, copy);
    vec_push(&m->from, from);
}

static void merge_add_segment(Merge *m, const OldFile *o, size_t at)
{
    const StoreSegment *s = (const void *)(o->map + at);
    const StoreEntry *e = (const void *)(s + 1);
    for (uint32_t i = 0; i < s->n; i++)
        if (e[i].offset <= s->bytes && e[i].size <= s->bytes - e[i].offset)
            merge_add(m, &e[i], at + e[i].offset);
}

/** The record of @p e; NULL: it is damaged or cannot be read. */
static const uint8_t *merge_read(Merge *m, const StoreFile *f, int old_fd, const StoreEntry *e)
{
    uint64_t from = m->from.data[e->offset];
    if (from & WAITING)
        return f->pending + (from & ~WAITING);
    m->record.n = 0;
    while (m->record.cap < e->size)
        m->record.data = vec_grow(m->record.data, &m->record.cap, 1);
    for (size_t done = 0; done < e->size;) {
        ssize_t n = pread(old_fd, m->record.data + done, e->size - done, (off_t)(from + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return NULL;
        done += (size_t)n;
    }
    return hash_bytes(m->record.data, e->size, e->key) == e->check ? m->record.data : NULL;
}

static int merge_flush(Merge *m, int fd)
{
    int r = write_all(fd, m->out.data, m->out.n, m->at);
    m->at += m->out.n;
    m->out.n = 0;
    return r;
}

static int merge_write(Merge *m, int fd, const uint8_t *data, size_t len)
{
    size_t room = (len + STORE_ALIGN - 1) & ~(size_t)(STORE_ALIGN - 1);
    while (m->out.cap < m->out.n + room)
        m->out.data = vec_grow(m->out.data, &m->out.cap, 1);
    memcpy(m->out.data + m->out.n, data, len);
    memset(m->out.data + m->out.n + len, 0, room - len);
    m->out.n += room;
    return m->out.n < OUT_BYTES ? 0 : merge_flush(m, fd);
}

/** Write all of @p m into @p fd as a file with one segment. */
static int merge_write_file(Merge *m, const StoreFile *f, int old_fd, int fd)
{
    StoreFileHead head = { STORE_FILE_MAGIC, f->purpose };
    StoreEntry *e = m->entry.data;
    size_t n = sort_entries(e, m->entry.n), kept = 0;
    uint64_t segment = sizeof head, records = sizeof(StoreSegment) + n * sizeof *e;
    int r = 0;
    m->at = segment + records;
    for (size_t i = 0; i < n && r == 0; i++) {
        const uint8_t *data = merge_read(m, f, old_fd, &e[i]);
        if (!data)
            continue;
        e[kept] = e[i];
        e[kept++].offset = m->at + m->out.n - segment;
        r = merge_write(m, fd, data, e[i].size);
    }
    if (r == 0)
        r = merge_flush(m, fd);
    StoreSegment s = { .magic = STORE_SEGMENT_MAGIC, .bytes = m->at - segment, .n = (uint32_t)kept };
    s.check = store_segment_check(&s);
    if (r == 0)
        r = write_all(fd, e, kept * sizeof *e, segment + sizeof s);
    if (r == 0)
        r = write_all(fd, &s, sizeof s, segment);
    return r ? r : write_all(fd, &head, sizeof head, 0);
}

/** Write a new file with the pending records of @p f and those of @p old (NULL: none). */
static int write_anew(StoreFile *f, int dir_fd, const OldFile *old)
{
    Merge m = { 0 };
    char temporary[sizeof f->name + 32];
    snprintf(temporary, sizeof temporary, "%s.%d.new", f->name, getpid());
    int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    for (size_t i = 0; old && i < old->segment.n; i++)
        merge_add_segment(&m, old, old->segment.data[i]);
    for (size_t i = 0; i < f->entry.n; i++)
        merge_add(&m, &f->entry.data[i], WAITING | f->entry.data[i].offset);
    int r = merge_write_file(&m, f, old ? old->fd : -1, fd);
    if (close(fd) != 0 && r == 0)
        r = -errno;
    if (r == 0 && renameat(dir_fd, temporary, dir_fd, f->name) != 0)
        r = -errno;
    if (r != 0)
        unlinkat(dir_fd, temporary, 0);
    vec_free(&m.entry);
    vec_free(&m.from);
    vec_free(&m.record);
    vec_free(&m.out);
    return r;
}

int store_file_save(StoreFile *f, int dir_fd, size_t limit)
{
    if (f->used == 0)
        return 0;
    int fd = openat(dir_fd, f->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    OldFile old;
    int r;
    bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0 && !locked) { /* another process writes: this time it is its turn only */
        close(fd);
        store_file_drop_pending(f);
        return 0;
    }
    old_file_open(&old, fd, f->purpose);
    bool fits = old.end + f->used + f->entry.n * sizeof(StoreEntry) < limit;
    if (old.end && fits && old.segment.n < STORE_SEGMENTS)
        r = write_segment(f, fd, old.end);
    else
        r = write_anew(f, dir_fd, fits ? &old : NULL);
    old_file_close(&old);
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

typedef struct KeptFile {
    char name[256];
    time_t used;
    uint64_t bytes;
} KeptFile;

static int by_age(const void *a, const void *b)
{
    const KeptFile *x = a, *y = b;
    return x->used < y->used ? -1 : x->used > y->used;
}

void store_directory_trim(int dir_fd, uint64_t limit)
{
    VEC(KeptFile) files = { 0 };
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
        KeptFile *o = vec_push_slot(&files);
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
