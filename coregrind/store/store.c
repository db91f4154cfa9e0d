/* SPDX-License-Identifier: MIT */
/* Which file a translation belongs to, and when it may be used; see store.h. */
#include "store.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/hashmap.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/host_fd.h"
#include "record.h"
#include "store_file.h"

enum {
    FLUSH_BYTES = 1 << 20,     /* what may wait in memory for each file */
    FILE_BYTES = 128 << 20,
};
#define DIRECTORY_BYTES (512ull << 20)

static struct {
    int dir;        /* -1: no store */
    bool writes;
    uint64_t key;
    StoreImage image[STORE_IMAGES];
    HashMap files;  /* interned path → StoreFile */
    StoreStats stats;
} store = { .dir = -1 };

/* ---- the key ------------------------------------------------------------------------------- */

/** Which build of a file of ours it is. */
static bool hash_image(const StoreImage *i, uint64_t *h)
{
    struct stat st;
    if (stat(i->path, &st) != 0)
        return false;
    uint64_t v[] = { st.st_dev, st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
                     (uint64_t)st.st_mtim.tv_nsec, i->size };
    *h = hash_bytes(v, sizeof v, *h);
    return true;
}

/* ---- the directory ------------------------------------------------------------------------- */

/** gimle/ in the user's cache directory (XDG Base Directory Specification); "" if there is none. */
static void default_directory(char *out, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const char *why;
    int n = cache && cache[0] == '/' ? snprintf(out, size, "%s", cache)
            : home && home[0] == '/' ? snprintf(out, size, "%s/.cache", home) : 0;
    int fd = n > 0 && (size_t)n < size ? store_directory_open(out, true, &why) : -1;
    if (fd < 0)
        n = 0;
    else
        host_fd_close(fd);
    snprintf(out + n, size - (size_t)n, "%s", n ? "/gimle" : "");
}

const char *store_init(const StoreConfig *cfg)
{
    char path[PATH_MAX];
    const char *why = "no home directory";
    uint64_t cpu = vex_host_features();
    store.key = hash_bytes(&cpu, sizeof cpu, hash_bytes(cfg->key, strlen(cfg->key), 0));
    for (int i = 0; i < STORE_IMAGES; i++) {
        store.image[i] = cfg->image[i];
        if (!hash_image(&cfg->image[i], &store.key))
            return "cannot look at the files of Gimle";
    }
    if (cfg->dir)
        snprintf(path, sizeof path, "%s", cfg->dir);
    else
        default_directory(path, sizeof path);
    int fd = path[0] ? store_directory_open(path, true, &why) : -1;
    if (fd < 0)
        return why;
    store.dir = host_fd_move(fd);
    store.writes = true;
    return NULL;
}

/* ---- files --------------------------------------------------------------------------------- */

/** The file for code at @p pc; NULL if it is not from a file of its own. */
static StoreFile *file_for(GuestAddr pc)
{
    GuestMapping m;
    if (store.dir < 0 || !gimle_mapping_at(pc, &m) || !m.is_file || m.is_shared || !m.path)
        return NULL;
    uint64_t id = (uintptr_t)m.path;
    StoreFile *f = hashmap_get_ptr(&store.files, id);
    if (!f) {
        const char *base = strrchr(m.path, '/');
        char name[64];
        uint64_t h = hash_bytes(m.path, strlen(m.path), store.key);
        snprintf(name, sizeof name, "%.24s-%016llx" STORE_SUFFIX, base ? base + 1 : m.path,
                 (unsigned long long)h);
        f = store_file_open(store.dir, name, h);
        hashmap_put(&store.files, id, (uintptr_t)f);
    }
    return f;
}

static uint64_t record_key(GuestAddr pc, unsigned mode, bool no_redirect)
{
    return (uint64_t)vex_assumptions() << 63 | pc << 3 | mode << 1 | no_redirect;
}

bool store_get(GuestAddr pc, unsigned mode, bool no_redirect, uint8_t *buf, size_t size,
               const uint8_t *run_addr, struct Arena *arena, VexTranslation *out)
{
    const void *data;
    size_t len;
    const uint8_t *cold;
    VexTranslation t;
    StoreFile *f = vex_is_portable(mode) ? file_for(pc) : NULL;
    if (!f || !store_file_find(f, record_key(pc, mode, no_redirect), &data, &len) ||
        !record_unpack(data, len, store.image, arena, &t, &cold) ||
        !vex_place(&t, pc, mode, cold, buf, size, run_addr, arena, out))
        return false;
    store.stats.used++;
    return true;
}

void store_put(GuestAddr pc, unsigned mode, bool no_redirect, const VexTranslation *t)
{
    size_t len;
    const void *record;
    StoreFile *f = store.writes && t->portable ? file_for(pc) : NULL;
    if (!f)
        return;
    struct Arena arena = { 0 };
    if ((record = record_pack(t, store.image, &arena, &len))) {
        store_file_add(f, record_key(pc, mode, no_redirect), record, len);
        store.stats.added++;
        if (store_file_pending(f) > FLUSH_BYTES && host_fd_files_may_grow())
            store_file_save(f, store.dir, FILE_BYTES);
        else if (store_file_pending(f) > FLUSH_BYTES)
            store_file_drop_pending(f);
    }
    arena_free(&arena);
}

void store_save(void)
{
    uint64_t file;
    bool any = false;
    if (!store.writes || !host_fd_files_may_grow())
        return;
    for (size_t it = 0; hashmap_next(&store.files, &it, NULL, &file);) {
        StoreFile *f = (StoreFile *)(uintptr_t)file;
        any |= store_file_pending(f) > 0;
        store_file_save(f, store.dir, FILE_BYTES);
    }
    if (any)
        store_directory_trim(store.dir, DIRECTORY_BYTES);
}

void store_stop(void)
{
    store_fork_child();
    host_fd_stop_opening();
    if (store.dir >= 0)
        host_fd_close(store.dir);
    store.dir = -1;
}

void store_fork_child(void)
{
    uint64_t file;
    store.writes = false;
    for (size_t it = 0; hashmap_next(&store.files, &it, NULL, &file);)
        store_file_drop_pending((StoreFile *)(uintptr_t)file);
}

StoreStats store_stats(void) { return store.stats; }
