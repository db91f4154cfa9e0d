/* SPDX-License-Identifier: MIT */
/*
 * The translations: made on demand, found by (guest address, mode) and by host address, chained to
 * each other, discarded when the guest code they came from changes or goes away.  Code memory is one
 * memfd mapped twice, one view writable, one executable.
 */
#ifndef COREGRIND_TCACHE_H
#define COREGRIND_TCACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "VEX/vex.h"
#include "gimle/intercept.h"

typedef struct Translation Translation;

/** What tcache asks the layers above about an address that is to be translated. */
typedef struct TcacheHooks {
    /** A host function that replaces the code at @p pc: fills callee and argument, or false. */
    bool (*redirect)(GuestAddr pc, const IrCallee **callee, uint64_t *arg);
    /** Translations of [a, a+len) are gone. */
    void (*discarded)(GuestAddr a, size_t len);
    /** Empty the jump caches of all threads (the world is stopped or only this thread runs). */
    void (*flush_jump_caches)(void);
} TcacheHooks;

/**
 * Map @p code_bytes of code memory, of which @p first_limit are used at first and more each time that
 * they are full; 0 or negative errno.
 */
int tcache_init(size_t code_bytes, size_t first_limit, const TcacheHooks *hooks);

/** Executable code for (pc, mode), translating if there is none; NULL: @p pc is not code. */
const void *tcache_get(GuestAddr pc, unsigned mode);
/** As tcache_get() but ignoring redirections (a wrapped function's own code). */
const void *tcache_get_no_redirect(GuestAddr pc, unsigned mode);

/** After VEX_EXIT_CHAIN, before anything may be discarded: set guest.pc, exit_mode and cur_mode. */
void tcache_take_exit(VexState *s);
/**
 * Chain the exit that @p s left by with VEX_EXIT_CHAIN to the code of its target (pc, mode), unless
 * either is gone meanwhile.
 */
void tcache_chain(const VexState *s, const void *code, GuestAddr target, unsigned mode);

/** Where in the guest's program a host address of code memory is. */
typedef struct TcachePlace {
    GuestAddr pc;    /**< guest instruction */
    unsigned mode;
    bool cc_in_host; /**< VexPoint.cc_in_host */
} TcachePlace;
/** The place of host address @p host; false if it is not in a translation. */
bool tcache_guest_pc(const void *host, TcachePlace *place);
/** True if @p host lies in code memory. */
bool tcache_contains(const void *host);

/**
 * Discard all translations of guest code in [a, a+len). The caller sees to it that no other thread
 * runs translated code.
 */
void tcache_discard(GuestAddr a, size_t len);
/** True if a discard of the range would find anything (may be asked without stopping others). */
bool tcache_has(GuestAddr a, size_t len);

/** Before a fork; other threads stand still. */
void tcache_fork_prepare(void);
/** In a forked child, before anything is translated; the parent waits meanwhile. */
void tcache_fork_child(void);

typedef struct TcacheStats {
    uint64_t translations, guest_insns, code_bytes, cold_bytes, discarded, flushes, chained;
    uint64_t lift_ns, instrument_ns, emit_ns;
    uint64_t per_mode[VEX_MAX_MODES];
    uint64_t from_store, to_store;
} TcacheStats;
TcacheStats tcache_stats(void);

/** At the end: keep new translations for the next run. */
void tcache_save(void);

/** As store_stop(). */
void tcache_stop_keeping(void);

/** Write /tmp/perf-PID.map lines for perf(1). */
void tcache_write_perf_map(void);

#endif
