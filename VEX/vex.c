/* SPDX-License-Identifier: MIT */
/*
 * The pipeline: lift > optimise > instrument > optimise > compile, with the traces between the
 * stages.  Holds the one configuration of VEX, which vex_init() sets before any thread runs.
 */
#include "vex.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/check.h"
#include "guest/lift.h"
#include "host/host.h"
#include "interp/interp.h"
#include "opt/opt.h"

static VexConfig vex_cfg;

void vex_init(const VexConfig *cfg)
{
    vex_cfg = *cfg;
    if (vex_cfg.max_guest_insns == 0)
        vex_cfg.max_guest_insns = 64;
    host_init();
}

const VexConfig *vex_config(void) { return &vex_cfg; }

void vex_state_prepare(VexState *s)
{
    host_stubs(&s->stubs);
    vex_jump_cache_clear(s);
}

static bool vex_traced(GuestAddr pc, unsigned what)
{
    if (!(vex_cfg.trace & what))
        return false;
    return (vex_cfg.trace_from == 0 && vex_cfg.trace_to == 0) ||
           (pc >= vex_cfg.trace_from && pc <= vex_cfg.trace_to);
}

static void vex_trace_text(const char *text) { vex_cfg.trace_out(vex_cfg.trace_ctx, text); }

static void vex_trace_ir(const IrBlock *b, unsigned stage, const char *name)
{
    if (!vex_traced(b->addr, stage))
        return;
    char head[96];
    snprintf(head, sizeof head, "---- %s: block 0x%llx mode %s\n", name,
             (unsigned long long)b->addr, vex_cfg.modes[b->mode].name);
    vex_trace_text(head);
    ir_print(b, vex_cfg.trace_out, vex_cfg.trace_ctx);
}

static void vex_verify(const IrBlock *b, const char *stage)
{
    if (vex_cfg.sanity == 0)
        return;
    const char *err = ir_verify(b);
    CHECK(!err, "IR of block 0x%llx is malformed after %s: %s", (unsigned long long)b->addr, stage,
          err);
}

static uint64_t vex_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/** The code a block came from, as a number; compared by the block itself where code is unstable. */
static uint64_t GIMLE_LIGHT vex_code_hash(VexState *s, uint64_t addr, uint64_t len)
{
    const uint8_t *p = (const uint8_t *)(uintptr_t)addr;
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, by words where possible */
    (void)s;
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t w;
        __builtin_memcpy(&w, p, 8);
        h = (h ^ w) * 0x100000001b3u;
        h ^= h >> 29;
    }
    for (; len > 0; len--, p++)
        h = (h ^ *p) * 0x100000001b3u;
    return h;
}

static const IrCallee code_hash_callee = { "vex_code_hash", (void *)vex_code_hash, CALLEE_LIGHT,
                                           TY_I64, 2 };

/** Add @p r to @p c, whose ranges do not overlap afterwards either. */
static void vex_copy_add(CodeCopy *c, VexRange r)
{
    for (unsigned i = 0; i < c->n;) {
        VexRange o = c->range[i];
        if (o.addr > r.addr + r.len || r.addr > o.addr + o.len) {
            i++;
            continue;
        }
        GuestAddr start = o.addr < r.addr ? o.addr : r.addr;
        GuestAddr end = o.addr + o.len > r.addr + r.len ? o.addr + o.len : r.addr + r.len;
        r = (VexRange){ start, (uint32_t)(end - start) };
        c->range[i] = c->range[--c->n];
        i = 0; /* it may touch those before now */
    }
    c->range[c->n++] = r;
}

/** The code that @p t was made from as it is now, and what may be needed to decode it to its end. */
static CodeCopy vex_copy_code(const VexTranslation *t, struct Arena *arena)
{
    enum { BEYOND = 16 };
    CodeCopy c = { arena_alloc_raw(arena, t->n_extents * sizeof *c.range),
                   arena_alloc_raw(arena, t->n_extents * sizeof *c.bytes), 0 };
    for (unsigned i = 0; i < t->n_extents; i++) {
        VexRange r = t->extent[i];
        unsigned more = BEYOND;
        if (vex_cfg.code_readable)
            more = vex_cfg.code_readable(vex_cfg.code_ctx, r.addr + r.len, BEYOND);
        r.len += more;
        vex_copy_add(&c, r);
    }
    for (unsigned i = 0; i < c.n; i++) {
        uint8_t *bytes = arena_alloc_raw(arena, c.range[i].len);
        memcpy(bytes, (const void *)(uintptr_t)c.range[i].addr, c.range[i].len);
        c.bytes[i] = bytes;
    }
    return c;
}

/** Was @p t made from nothing else than what is in @p c? */
static bool vex_is_copied(const VexTranslation *t, const CodeCopy *c)
{
    for (unsigned i = 0; i < t->n_extents; i++) {
        size_t avail;
        if (!code_copy_find(c, t->extent[i].addr, &avail) || avail < t->extent[i].len)
            return false;
    }
    return true;
}

/**
 * Put a comparison of the guest code with what it was when it was copied to @p code in front of
 * @p in, which was made from the copy.
 */
static IrBlock *vex_add_code_checks(const IrBlock *in, struct Arena *arena, const VexTranslation *t,
                                    const CodeCopy *code)
{
    IrCopier c = ir_copier(in, arena);
    IrBlock *b = c.dst;
    b->flags_live_out = in->flags_live_out;
    b->n_guest = in->n_guest;
    memcpy(b->data, in->data, sizeof b->data);
    ir_emit(b, &(IrInsn){ .op = OP_IMARK, .imm = in->addr, .aux = 1,
                          .arg = { IR_NONE, IR_NONE, IR_NONE } });
    for (unsigned i = 0; i < t->n_extents; i++) {
        IrRef args[2] = { ir_const(b, TY_I64, t->extent[i].addr),
                          ir_const(b, TY_I64, t->extent[i].len) };
        IrRef h = ir_call(b, &code_hash_callee, IR_NONE, args, 2);
        size_t avail;
        const uint8_t *copy = code_copy_find(code, t->extent[i].addr, &avail);
        IrRef was = ir_const(b, TY_I64, vex_code_hash(NULL, (uintptr_t)copy, t->extent[i].len));
        ir_exit_if(b, ir_cmp(b, OP_CMPNE, h, was), in->addr, JK_CODE_CHANGED, in->mode);
    }
    for (uint32_t i = 0; i < in->n; i++)
        ir_copy_insn(&c, i);
    return b;
}

bool vex_code_is_unstable(const VexTranslation *t)
{
    for (unsigned i = 0; i < t->n_extents && vex_cfg.code_unstable; i++)
        if (vex_cfg.code_unstable(vex_cfg.code_ctx, t->extent[i].addr, t->extent[i].len))
            return true;
    return false;
}

/**
 * Lift.  Code that may change at any time is copied, and the block is made from the copy, so that it
 * is compared later with just what it was made from; *@p copied then has the copy, else nothing.
 */
static IrBlock *vex_lift(GuestAddr pc, unsigned mode, unsigned flags, struct Arena *arena,
                         VexTranslation *out, CodeCopy *copied)
{
    IrBlock *b = guest_lift_block(pc, mode, flags, NULL, arena, out);
    copied->n = 0;
    if (!b || !vex_code_is_unstable(out))
        return b;
    do { /* what is there now may be longer, or jump elsewhere */
        *copied = vex_copy_code(out, arena);
        b = guest_lift_block(pc, mode, flags, copied, arena, out);
    } while (b && !vex_is_copied(out, copied));
    return b;
}

/** Lift, optimise, instrument, optimise: everything before code is made. NULL: no code at @p pc. */
static IrBlock *vex_prepare(GuestAddr pc, unsigned mode, unsigned flags, struct Arena *arena,
                            VexTranslation *out)
{
    const VexMode *m = &vex_cfg.modes[mode];
    uint64_t t0 = vex_cfg.timing ? vex_now_ns() : 0;

    CodeCopy copied;
    IrBlock *b = vex_lift(pc, mode, flags, arena, out, &copied);
    if (!b)
        return NULL;
    vex_trace_ir(b, VT_LIFT, "lifted");
    vex_verify(b, "lifting");
    bool native = (flags & VM_NATIVE) != 0;
    if (!native)
        b = opt_run(b, arena, OPT_PRE);
    uint64_t t1 = vex_cfg.timing ? vex_now_ns() : 0;
    if (m->instrument) {
        b = m->instrument(m->ctx, b, arena);
        vex_trace_ir(b, VT_INSTRUMENT, "instrumented");
        vex_verify(b, "instrumentation");
        if (!native) {
            b = opt_run(b, arena, OPT_POST);
            vex_trace_ir(b, VT_OPT, "optimised");
            vex_verify(b, "optimisation");
        }
    }
    if (copied.n) {
        b = vex_add_code_checks(b, arena, out, &copied);
        out->portable = false;
    }
    if (vex_cfg.timing) {
        uint64_t t2 = vex_now_ns();
        out->lift_ns = (uint32_t)(t1 - t0);
        out->instrument_ns = (uint32_t)(t2 - t1);
    }
    return b;
}

static VexStatus vex_emit(const IrBlock *b, unsigned mode, uint8_t *buf, size_t buf_size,
                          const uint8_t *run_addr, struct Arena *arena, VexTranslation *out)
{
    uint64_t t0 = vex_cfg.timing ? vex_now_ns() : 0;
    if (!host_compile(b, vex_cfg.modes[mode].flags, buf, buf_size, run_addr, arena, out))
        return VEX_BUFFER_FULL;
    if (vex_cfg.timing)
        out->emit_ns = (uint32_t)(vex_now_ns() - t0);
    if (vex_traced(b->addr, VT_HOST)) {
        char head[96];
        snprintf(head, sizeof head, "---- host code: block 0x%llx mode %s, %u and %u bytes\n",
                 (unsigned long long)b->addr, vex_cfg.modes[mode].name, out->code_len,
                 out->cold_len);
        vex_trace_text(head);
        host_disassemble(buf, out->code_len, run_addr, vex_cfg.trace_out, vex_cfg.trace_ctx);
        vex_trace_text("  cold part\n");
        host_disassemble(buf + out->cold_off, out->cold_len, run_addr + out->cold_off,
                         vex_cfg.trace_out, vex_cfg.trace_ctx);
    }
    return VEX_OK;
}

uint64_t vex_host_features(void) { return host_features(); }

bool vex_is_portable(unsigned mode)
{
    return (vex_cfg.modes[mode].flags & VM_PORTABLE) && !vex_cfg.trace;
}

unsigned vex_assumptions(void) { return guest_assumptions(); }

VexStatus vex_translate(GuestAddr pc, unsigned mode, uint8_t *buf, size_t buf_size,
                        const uint8_t *run_addr, struct Arena *arena, VexTranslation *out)
{
    memset(out, 0, sizeof *out);
    CHECK(mode < vex_cfg.n_modes, "mode %u", mode);
    IrBlock *b = vex_prepare(pc, mode, vex_cfg.modes[mode].flags, arena, out);
    if (!b)
        return VEX_NO_CODE;
    out->portable &= vex_is_portable(mode);
    return vex_emit(b, mode, buf, buf_size, run_addr, arena, out);
}

/** The block that calls @p callee and goes on where that put guest.pc. */
static IrBlock *vex_call_block(GuestAddr pc, unsigned mode, const IrCallee *callee, uint64_t arg,
                               struct Arena *arena)
{
    IrBlock *b = ir_block_new(arena, pc, (uint8_t)mode);
    ir_emit(b, &(IrInsn){ .op = OP_IMARK, .imm = pc, .aux = 1,
                          .arg = { IR_NONE, IR_NONE, IR_NONE } });
    IrRef a = ir_const(b, TY_I64, arg);
    ir_call(b, callee, IR_NONE, &a, 1);
    ir_jump_ind(b, ir_get(b, TY_I64, gimle_guest->pc), JK_RET, (uint8_t)mode);
    b->n_guest = 1;
    return b;
}

VexStatus vex_translate_call(GuestAddr pc, unsigned mode, const IrCallee *callee, uint64_t arg,
                             uint8_t *buf, size_t buf_size, const uint8_t *run_addr,
                             struct Arena *arena, VexTranslation *out)
{
    memset(out, 0, sizeof *out);
    IrBlock *b = vex_call_block(pc, mode, callee, arg, arena);
    out->n_guest = 1;
    out->extent = arena_new(arena, VexRange);
    *out->extent = (VexRange){ pc, 1 };
    out->n_extents = 1;
    return vex_emit(b, mode, buf, buf_size, run_addr, arena, out);
}

static VexStatus vex_interpret_as(VexState *s, GuestAddr pc, unsigned mode, unsigned flags,
                                  struct Arena *arena)
{
    VexTranslation t;
    memset(&t, 0, sizeof t);
    IrBlock *b = vex_prepare(pc, mode, flags, arena, &t);
    if (!b)
        return VEX_NO_CODE;
    interp_run(s, b);
    return VEX_OK;
}

VexStatus vex_interpret(VexState *s, GuestAddr pc, unsigned mode, struct Arena *arena)
{
    return vex_interpret_as(s, pc, mode, vex_cfg.modes[mode].flags, arena);
}

VexStatus vex_step(VexState *s, GuestAddr pc, unsigned mode, struct Arena *arena)
{
    unsigned flags = vex_cfg.modes[mode].flags & ~(unsigned)(VM_PINNED | VM_PIN_TOOL0 | VM_LONG_BLOCKS);
    return vex_interpret_as(s, pc, mode, flags | LIFT_ONE_INSN, arena);
}

void vex_interpret_call(VexState *s, GuestAddr pc, unsigned mode, const IrCallee *callee,
                        uint64_t arg, struct Arena *arena)
{
    interp_run(s, vex_call_block(pc, mode, callee, arg, arena));
}
