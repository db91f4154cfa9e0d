/* SPDX-License-Identifier: MIT */
/*
 * Translations kept on disk from one run to the next, since test suites run the same programs
 * again and again and most of what a short program costs is translation.
 *
 * One file per mapped object (program or library) and configuration: this build of Gimle and of
 * the tool, its options, the processor.  A stored translation is used only if every guest byte that
 * it was made from (its own and those the lifter looked ahead at) is the same now: neither a
 * changed program nor a stale file can give wrong code.  The directory must belong to the user and be
 * writable by nobody else; whatever goes wrong, translations are made as without a store.
 *
 * All functions but store_init() are called under LOCK_translate.
 */
#ifndef COREGRIND_STORE_H
#define COREGRIND_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "VEX/vex.h"

/** A loaded file of ours whose functions translated code calls. */
typedef struct StoreImage {
    const char *path;    /**< of the file, to notice that it was built anew */
    const uint8_t *base; /**< where it is loaded */
    size_t size;
} StoreImage;

enum { STORE_IMAGES = 2 };

typedef struct StoreConfig {
    const char *dir;             /**< NULL: gimle/ in the user's cache directory */
    const char *key;             /**< tool and options: everything that translations depend on */
    StoreImage image[STORE_IMAGES];
} StoreConfig;

/** Find or make the directory. NULL, or why there is no store. */
const char *store_init(const StoreConfig *cfg);

/**
 * The stored translation of (pc, mode), put into both ends of @p buf as by vex_translate();
 * false: none.  The tables of @p out are in @p arena.
 */
bool store_get(GuestAddr pc, unsigned mode, bool no_redirect, uint8_t *buf, size_t size,
               const uint8_t *run_addr, struct Arena *arena, VexTranslation *out);

/** Keep @p t, which was just made and is not chained yet, if it can be kept. */
void store_put(GuestAddr pc, unsigned mode, bool no_redirect, const VexTranslation *t);

/** Write what is new. */
void store_save(void);

/**
 * No file is opened or written any more: the program is about to forbid itself system calls that
 * we would make.
 */
void store_stop(void);

/** In a forked child: its parent writes, it does not. */
void store_fork_child(void);

typedef struct StoreStats {
    uint64_t used, added;
} StoreStats;
StoreStats store_stats(void);

#endif
