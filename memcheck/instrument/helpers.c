/* SPDX-License-Identifier: MIT */
/*
 * The C functions that instrumented code calls.  Those marked GIMLE_LIGHT run with the guest's
 * vector registers in the host's, so they call nothing that might use those: no memset, no
 * messages; what they notice and cannot say is left in the thread state or in `switches`.
 */
#include "helpers.h"

#include <stdatomic.h>
#include <string.h>

#include "regmask.h"
#include "stack_switch.h"
#include "../errors.h"
#include "../memcheck.h"

/* ---- the stack pointer -------------------------------------------------------------- */

/** For parts of light helpers. */
#define LIGHT_INLINE static inline __attribute__((always_inline, target("general-regs-only")))

/** memset that uses general registers only. */
LIGHT_INLINE void fill(uint8_t *p, size_t n, uint8_t v)
{
    size_t words = n / 8, rest = n % 8;
    uint64_t w = v * 0x0101010101010101ULL;
    if (words < 64) {
        for (; words; words--, p += 8)
            __asm__ volatile("movq %1, (%0)" : : "r"(p), "r"(w) : "memory");
    } else {
        __asm__ volatile("rep stosq" : "+D"(p), "+c"(words) : "a"(w) : "memory");
    }
    for (; rest; rest--, p++)
        __asm__ volatile("movb %b1, (%0)" : : "r"(p), "q"(w) : "memory");
}

/** Also what the entry calls for changes that it leaves to C. */
GIMLE_LIGHT uint64_t mc_sp_change(struct VexState *s, uint64_t old, uint64_t new)
{
    uint64_t red = gimle_guest->red_zone;
    uint64_t size = new < old ? old - new : new - old;
    GuestAddr from = (new < old ? new : old) - red;
    if (gimle_stack_is_switch(old, new))
        return 0;
    if (size > (uint64_t)mc_options.max_stackframe) {
        stack_switch_note(s, old, new);
        return 0;
    }
    if (from < GIMLE_CLIENT_END && size <= GIMLE_CLIENT_END - from)
        fill(gimle_shadow(from), size, new < old ? SH_UNDEFINED : SH_NOACCESS);
    return 0;
}
extern const char mc_sp_change_entry[]; /* sp_change_amd64.S */
const IrEntry mc_helper_sp_change = {
    { "mc_sp_change", (void *)mc_sp_change, CALLEE_ENTRY, TY_NONE, 2 }, mc_sp_change_entry
};

static GIMLE_LIGHT uint64_t sp_change_go(struct VexState *s, uint64_t old, uint64_t new)
{
    (void)s;
    GuestAddr from = new - gimle_guest->red_zone;
    if (new < old && old - new <= (uint64_t)mc_options.max_stackframe && from < GIMLE_CLIENT_END)
        fill(gimle_shadow(from), old - new, 0);
    return 0;
}
const IrCallee mc_helper_sp_change_go = { "mc_sp_change_go", (void *)sp_change_go, CALLEE_LIGHT,
                                          TY_NONE, 2 };

static GIMLE_LIGHT uint64_t mark_call(struct VexState *s, uint64_t sp)
{
    (void)s;
    if (sp < GIMLE_CLIENT_END)
        fill(gimle_shadow(sp - gimle_guest->red_zone), gimle_guest->red_zone, SH_UNDEFINED);
    return 0;
}
extern const char mc_call_entry[]; /* sp_change_amd64.S */
const IrEntry mc_helper_call = {
    { "mc_call", (void *)mark_call, CALLEE_ENTRY, TY_NONE, 1 }, mc_call_entry
};

/* ---- shadow registers and the mask -------------------------------------------------- */

LIGHT_INLINE uint64_t *shadow_words(struct VexState *s, const RegmaskRow *row)
{
    return (uint64_t *)(void *)((char *)s + row->shadow);
}

LIGHT_INLINE void zero_shadow(struct VexState *s, const RegmaskRow *row)
{
    fill((uint8_t *)shadow_words(s, row), row->size, 0);
}

LIGHT_INLINE bool is_zero(const volatile uint64_t *p, size_t words)
{
    uint64_t all = 0;
    for (size_t i = 0; i < words; i++)
        all |= p[i];
    return all == 0;
}

static GIMLE_LIGHT uint64_t freshen(struct VexState *s)
{
    uint32_t valid = (uint32_t)*mc_tool_word(s, TW_UNDEFINED);
    uint32_t stale = (uint32_t)*mc_tool_word(s, TW_STALE) & ~valid;
    for (uint32_t m = stale & ~RM_GROUP; m; m &= m - 1)
        zero_shadow(s, regmask_of_bit[__builtin_ctz(m)]);
    for (unsigned r = 0; (stale & RM_GROUP) && r < regmask_n_rows; r++)
        if (regmask_rows[r].bit == RM_GROUP)
            zero_shadow(s, &regmask_rows[r]);
    *mc_tool_word(s, TW_STALE) = valid;
    return 0;
}

static GIMLE_LIGHT uint64_t note_regs(struct VexState *s, uint64_t mask)
{
    uint32_t found = 0;
    for (uint32_t m = (uint32_t)mask & ~RM_GROUP; m; m &= m - 1) {
        const RegmaskRow *row = regmask_of_bit[__builtin_ctz(m)];
        if (!is_zero(shadow_words(s, row), row->size / 8))
            found |= row->bit;
    }
    for (unsigned r = 0; (mask & RM_GROUP) && r < regmask_n_rows; r++) {
        const RegmaskRow *row = &regmask_rows[r];
        if (row->bit == RM_GROUP && !is_zero(shadow_words(s, row), row->size / 8))
            found |= RM_GROUP;
    }
    uint64_t *undefined = mc_tool_word(s, TW_UNDEFINED);
    *undefined = (uint32_t)((*undefined & ~mask) | found);
    *mc_tool_word(s, TW_STALE) |= found;
    return 0;
}

static GIMLE_LIGHT uint64_t scratch(struct VexState *s)
{
    return (uint64_t)(uintptr_t)mc_tool_word(s, TW_SCRATCH);
}

const IrCallee mc_helper_freshen = { "mc_freshen", (void *)freshen, CALLEE_LIGHT, TY_NONE, 0 };
const IrCallee mc_helper_note_regs = { "mc_note_regs", (void *)note_regs, CALLEE_LIGHT,
                                       TY_NONE, 1 };
const IrCallee mc_helper_scratch = { "mc_scratch", (void *)scratch, CALLEE_PURE, TY_I64, 0 };

/* ---- memory ------------------------------------------------------------------------- */

/**
 * May a load of @p size bytes at @p a, some of them not addressable, pass without a report?
 * Aligned loads of a word or a vector that reach over the end of a block are what optimised
 * string code does.
 */
static bool partial_load_is_fine(GuestAddr a, size_t size, unsigned n_bad)
{
    return mc_options.partial_loads_ok && n_bad < size &&
           (size == 8 || size == 16 || size == 32 || size == 64) && a % size == 0;
}

/**
 * The dynamic linker's own string functions read whole words and vectors, also where all of one is beyond
 * the string, as long as it lies in the same line of the cache; their names are not to be found in a
 * stripped one.
 */
static bool is_linkers_string_load(Thread *t, GuestAddr a, size_t size)
{
    enum { LINE = 64 };
    GuestMapping m;
    if (size < 8 || a / LINE != (a + size - 1) / LINE ||
        !gimle_mapping_at(gimle_thread_get_reg(t, gimle_guest->pc), &m) || !m.path)
        return false;
    const char *name = strrchr(m.path, '/');
    return name && (strncmp(name, "/ld-", 4) == 0 || strncmp(name, "/ld.so", 6) == 0);
}

static uint64_t slow_load(struct VexState *s, uint64_t a, uint64_t size)
{
    uint8_t *v = (uint8_t *)mc_tool_word(s, TW_VBITS);
    uint64_t bad = 0;
    unsigned n_bad = 0;
    for (uint64_t i = 0; i < size; i++) {
        v[i] = 0;
        if (!shadow_is_addressable(a + i)) {
            bad |= 1ULL << i;
            n_bad++;
        } else {
            v[i] = *gimle_shadow(a + i);
        }
    }
    if (n_bad == 0)
        return 0;
    Thread *t = gimle_thread_of_state(s);
    if (!partial_load_is_fine(a, size, n_bad) && !is_linkers_string_load(t, a, size)) {
        mc_error_access(t, a, (unsigned)size, false);
        return 0;
    }
    for (uint64_t i = 0; i < size; i++)
        if (bad >> i & 1)
            v[i] = SH_UNDEFINED;
    return 0;
}

static uint64_t slow_store(struct VexState *s, uint64_t a, uint64_t size)
{
    uint8_t *v = (uint8_t *)mc_tool_word(s, TW_VBITS);
    bool bad = false;
    for (uint64_t i = 0; i < size; i++) {
        if (!shadow_is_addressable(a + i)) {
            v[i] = SH_NOACCESS;
            bad = true;
        } else if (v[i] == SH_NOACCESS) {
            shadow_note_pattern(a + i);
        }
    }
    if (bad)
        mc_error_access(gimle_thread_of_state(s), a, (unsigned)size, true);
    return 0;
}

static uint64_t big_load(struct VexState *s, uint64_t a, uint64_t size)
{
    GuestAddr bad;
    if (shadow_check_addressable(a, size, &bad) == SHADOW_BAD_ADDRESS)
        mc_error_access(gimle_thread_of_state(s), a, (unsigned)size, false);
    return 0;
}

static uint64_t big_store(struct VexState *s, uint64_t a, uint64_t size)
{
    GuestAddr bad;
    if (shadow_check_addressable(a, size, &bad) == SHADOW_BAD_ADDRESS)
        mc_error_access(gimle_thread_of_state(s), a, (unsigned)size, true);
    shadow_set_defined_if_addressable(a, size);
    return 0;
}

const IrCallee mc_helper_load = { "mc_load", (void *)slow_load, CALLEE_FULL, TY_NONE, 2 };
const IrCallee mc_helper_store = { "mc_store", (void *)slow_store, CALLEE_FULL, TY_NONE, 2 };
const IrCallee mc_helper_big_load = { "mc_big_load", (void *)big_load, CALLEE_FULL, TY_NONE, 2 };
const IrCallee mc_helper_big_store = { "mc_big_store", (void *)big_store, CALLEE_FULL, TY_NONE, 2 };

/* ---- undefined values --------------------------------------------------------------- */

static uint64_t bad_cond(struct VexState *s, uint64_t origin)
{
    mc_error_cond(gimle_thread_of_state(s), origin);
    return 0;
}

static uint64_t bad_value(struct VexState *s, uint64_t size, uint64_t origin)
{
    mc_error_value(gimle_thread_of_state(s), (unsigned)size, origin);
    return 0;
}

const IrCallee mc_helper_bad_cond = { "mc_bad_cond", (void *)bad_cond, CALLEE_FULL, TY_NONE, 1 };
const IrCallee mc_helper_bad_value = { "mc_bad_value", (void *)bad_value, CALLEE_FULL, TY_NONE, 2 };

/* ---- for events and requests -------------------------------------------------------- */

uint64_t mc_reg_vbits(Thread *t, RegId r, unsigned bytes)
{
    struct VexState *s = gimle_thread_state(t);
    uint32_t bit = regmask_bit(r);
    uint64_t v = 0;
    if (bit == 0 || (mc_options.fast_mode && !(*mc_tool_word(s, TW_UNDEFINED) & bit)))
        return 0;
    memcpy(&v, (char *)s + regmask_rows[r].shadow, bytes < 8 ? bytes : 8);
    return v;
}

GuestAddr mc_reg_origin(Thread *t, RegId r)
{
    uint32_t bit = regmask_bit(r);
    return bit && mc_options.track_origins
               ? *mc_tool_word(gimle_thread_state(t), mc_origin_word(bit)) : 0;
}

void mc_note_undefined_regs(Thread *t)
{
    note_regs(gimle_thread_state(t), ~0u);
}

void mc_reg_set_defined(Thread *t, RegId r)
{
    struct VexState *s = gimle_thread_state(t);
    uint32_t bit = regmask_bit(r);
    if (bit == 0)
        return;
    memset((char *)s + regmask_rows[r].shadow, 0, regmask_rows[r].size);
    if (bit != RM_GROUP)
        *mc_tool_word(s, TW_UNDEFINED) &= ~(uint64_t)bit;
}
