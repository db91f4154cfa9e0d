/* SPDX-License-Identifier: MIT */
/*
 * What memcheck does when the core says that memory came or went, that a system call is about
 * to touch client memory, or that an access of the client's faulted.
 */
#include "errors.h"
#include "instrument/stack_switch.h"
#include "memcheck.h"
#include "shadow/shadow.h"

/* ---- memory ------------------------------------------------------------------------- */

/** As Valgrind has it, the break's memory is not initialised. */
static void on_map(MemWhy why, GuestAddr a, size_t len, int prot)
{
    (void)prot;
    shadow_set(a, len, why == MEM_BRK ? SH_UNDEFINED : SH_DEFINED);
    shadow_trim_after(len);
}

/** What is not mapped, or without any access, keeps a zero shadow: the MMU finds accesses. */
static void on_unmap(MemWhy why, GuestAddr a, size_t len)
{
    (void)why;
    shadow_set_defined(a, len);
}

static void on_move(GuestAddr from, GuestAddr to, size_t len) { shadow_copy(from, to, len); }

/**
 * New stack [a, a+len).  A new thread's or program's stack pointer is at a: below the red zone
 * nothing may be touched.
 */
static void on_stack_new(Thread *t, GuestAddr a, size_t len)
{
    (void)t;
    GuestAddr red = gimle_guest->red_zone;
    shadow_set_undefined(a > red ? a - red : 0, len + red);
}

static void on_stack_die(Thread *t, GuestAddr a, size_t len)
{
    (void)t;
    GuestAddr red = gimle_guest->red_zone;
    shadow_set_noaccess(a > red ? a - red : 0, len + red);
}

/**
 * Is all of [a, a+len) mapped? The first byte that is not in *bad.  What was once accessible stays so,
 * whatever mprotect() does later: that is a matter between the client and the kernel.
 */
static bool is_mapped(GuestAddr a, size_t len, GuestAddr *bad)
{
    GuestAddr end = len > UINT64_MAX - a ? UINT64_MAX : a + len;
    GuestMapping m;
    for (*bad = a; *bad < end; *bad = m.end)
        if (!gimle_mapping_at(*bad, &m) || m.is_reserve)
            return false;
    return true;
}

bool mc_check_addressable(GuestAddr a, size_t len, GuestAddr *bad)
{
    GuestAddr by_shadow;
    bool mapped = is_mapped(a, len, bad);
    if (!mapped) /* len may be anything: there is no looking at the shadow of what is not there */
        len = *bad - a;
    if (shadow_check_addressable(a, len, &by_shadow) == SHADOW_OK)
        return mapped;
    *bad = by_shadow;
    return false;
}

/* ---- system calls ------------------------------------------------------------------- */

static void pre_read(Thread *t, const char *what, GuestAddr a, size_t len)
{
    GuestAddr bad;
    ShadowState s = shadow_check_defined(a, len, &bad);
    stack_switch_warn();
    if (s != SHADOW_OK)
        mc_error_param(t, what, bad, s == SHADOW_BAD_ADDRESS);
}

/** A string ends at its first zero byte, or where it cannot be read. */
static void pre_read_string(Thread *t, const char *what, GuestAddr a)
{
    long n = gimle_guest_strlen(a, 1u << 24);
    GuestAddr bad;
    if (n >= 0) {
        pre_read(t, what, a, (size_t)n + 1);
        return;
    }
    uint8_t byte;
    size_t len = 0;
    while (len < 1u << 24 && gimle_read_guest(&byte, a + len, 1) == 1)
        len++;
    ShadowState s = shadow_check_defined(a, len, &bad);
    if (s != SHADOW_OK || !is_mapped(a + len, 1, &bad))
        mc_error_param(t, what, bad, s != SHADOW_BAD_VALUE);
}

static void pre_write(Thread *t, const char *what, GuestAddr a, size_t len)
{
    GuestAddr bad;
    if (len == 0)
        return;
    if (!mc_check_addressable(a, len, &bad))
        mc_error_param(t, what, bad, true);
}

static void pre_read_mapped(Thread *t, const char *what, GuestAddr a, size_t len)
{
    GuestAddr bad;
    if (len == 0)
        return;
    if (is_mapped(a, len, &bad))
        pre_read(t, what, a, len);
    else
        mc_error_param(t, what, bad, true);
}

static void post_write(Thread *t, GuestAddr a, size_t len)
{
    (void)t;
    shadow_set_defined(a, len);
}

static void pre_reg(Thread *t, const char *what, RegId reg, unsigned bytes)
{
    if (mc_reg_vbits(t, reg, bytes))
        mc_error_param_register(t, what, mc_reg_origin(t, reg));
}

/* ---- threads, faults ---------------------------------------------------------------- */

/** How far above the stack pointer an access that faults counts as an overflow of the stack. */
enum { STACK_REACH = 1 << 20 };

/**
 * An access faulted.  The shadow of what is not mapped (or mapped without any access) is zero,
 * so this is where such accesses are reported.  Where only the kind of access is forbidden the
 * signal says it all (a jump into memory without code, too, unless it is a block of the heap, which can be
 * named); and a stack that cannot grow is no bad pointer.
 */
static void on_fault(Thread *t, GuestAddr a, unsigned size, bool write, bool exec)
{
    GuestMapping m;
    GuestAddr sp = gimle_thread_get_reg(t, gimle_guest->sp) - gimle_guest->red_zone;
    if (!exec && (mc_error_just_reported(t, a) || a - sp < STACK_REACH))
        return;
    if (gimle_mapping_at(a, &m) && !m.is_reserve && shadow_is_addressable(a) && !(exec && m.is_heap_arena))
        return;
    if (exec)
        mc_error_jump(t, a);
    else
        mc_error_access(t, a, size ? size : 1, write);
}

/** The mask of undefined registers is brought up to date at exits only. */
static void on_block_broken(Thread *t, unsigned mode)
{
    if (mode == MODE_SLOW)
        mc_note_undefined_regs(t);
}

const GimleEvents mc_events = {
    .mem_map = on_map,
    .mem_unmap = on_unmap,
    .mem_move = on_move,
    .stack_new = on_stack_new,
    .stack_die = on_stack_die,
    .sys_pre_read = pre_read_mapped,
    .sys_pre_read_string = pre_read_string,
    .sys_pre_write = pre_write,
    .sys_post_write = post_write,
    .sys_pre_reg = pre_reg,
    .reg_write = mc_reg_set_defined,
    .thread_exit = mc_modes_collect,
    .fault = on_fault,
    .block_broken = on_block_broken,
};
