/* SPDX-License-Identifier: MIT */
/* Runs an instruction by Gimle: compiled in each kind of mode, and interpreted. */
#include <immintrin.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/check.h"
#include "guest/lift.h"
#include "host/host.h"
#include "machine.h"
#include "vex.h"

enum { MODE_PINNED_NATIVE, MODE_PLAIN_FULL, MODE_PINNED_FULL, MODE_PLAIN_NATIVE };
enum { MAX_BLOCKS = 64, BUFFER_BYTES = 1 << 16 };

const Engine engines[] = {
    { "pinned native", MODE_PINNED_NATIVE, false },
    { "plain full", MODE_PLAIN_FULL, false },
    { "interpreter", MODE_PLAIN_FULL, true },
    { "pinned full", MODE_PINNED_FULL, false },
    { "plain native", MODE_PLAIN_NATIVE, false },
};
const unsigned n_engines = sizeof engines / sizeof engines[0];

static VexState *state;
static Arena arena;
static uint8_t *buffer;

static unsigned readable(void *ctx, GuestAddr a, unsigned want)
{
    (void)ctx;
    if (a < CODE_ADDR || a >= CODE_ADDR + CODE_BYTES)
        return 0;
    GuestAddr left = CODE_ADDR + CODE_BYTES - a;
    return left < want ? (unsigned)left : want;
}

void engine_init(void)
{
    VexConfig c = {
        .modes = {
            [MODE_PINNED_NATIVE] = { .name = "pn", .flags = VM_PINNED | VM_NATIVE },
            [MODE_PLAIN_FULL] = { .name = "f", .flags = 0 },
            [MODE_PINNED_FULL] = { .name = "pf", .flags = VM_PINNED },
            [MODE_PLAIN_NATIVE] = { .name = "n", .flags = VM_NATIVE },
        },
        .n_modes = 4,
        .max_guest_insns = 1,
        .sanity = 1,
        .code_readable = readable,
    };
    vex_init(&c);
    state = vex_state_new(1 << 20);
    CHECK(state, "out of memory");
    host_stubs(&state->stubs);
    buffer = mmap(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(buffer != MAP_FAILED, "out of memory");
}

static void to_state(const Machine *m)
{
    GuestAmd64 *g = &state->guest;
    memcpy(g->gpr, m->gpr, sizeof g->gpr);
    g->pc = m->rip;
    vex_rflags_set(g, m->rflags);
    memset(g->v, 0, sizeof g->v);
    for (unsigned i = 0; i < machine_vectors; i++)
        memcpy(g->v[i], m->v[i], machine_vector_bytes);
    memcpy(g->k, m->k, sizeof g->k);
    memcpy(g->fpu, m->fpu, sizeof m->fpu);
    g->mxcsr = m->mxcsr;
    state->fpu_live = 0;
}

static void from_state(Machine *m)
{
    vex_state_sync_fpu(state);
    const GuestAmd64 *g = &state->guest;
    memcpy(m->gpr, g->gpr, sizeof m->gpr);
    m->rip = g->pc;
    m->rflags = vex_rflags_get(g);
    for (unsigned i = 0; i < machine_vectors; i++)
        memcpy(m->v[i], g->v[i], machine_vector_bytes);
    memcpy(m->k, g->k, sizeof m->k);
    memcpy(m->fpu, g->fpu, sizeof m->fpu);
    m->mxcsr = (uint32_t)g->mxcsr;
}

/** The signal that an exit of kind @p k stands for. */
static int signal_of(unsigned k)
{
    switch (k) {
    case JK_SIGILL:
    case JK_NODECODE:
        return SIGILL;
    case JK_SIGSEGV:
        return SIGSEGV;
    case JK_SIGFPE_DIV:
        return SIGFPE;
    default:
        return 0;
    }
}

typedef struct Run {
    const Engine *e;
    int signal;
} Run;

/** One block, under machine_guard(). */
static void run_block(void *arg)
{
    Run *r = arg;
    state->exit_reason = VEX_EXIT_PENDING;
    if (r->e->interpret) {
        if (vex_interpret(state, state->guest.pc, r->e->mode, &arena) == VEX_NO_CODE)
            r->signal = SIGSEGV;
    } else {
        VexTranslation t;
        VexStatus st = vex_translate(state->guest.pc, r->e->mode, buffer, BUFFER_BYTES, buffer,
                                     &arena, &t);
        CHECK(st != VEX_BUFFER_FULL, "buffer full");
        if (st == VEX_NO_CODE)
            r->signal = SIGSEGV;
        else
            vex_enter(state, buffer, r->e->mode == MODE_PINNED_NATIVE ||
                                         r->e->mode == MODE_PINNED_FULL);
        if (st == VEX_OK && state->exit_reason == VEX_EXIT_CHAIN)
            vex_take_exit(state, &t.exits[state->exit_index], r->e->mode);
    }
    if (state->exit_reason == VEX_EXIT_KIND)
        r->signal = signal_of(state->exit_kind);
}

bool engine_run(const Engine *e, Machine *m)
{
    Run r = { e, 0 };
    unsigned host_mxcsr = _mm_getcsr();
    uint64_t start = m->rip;
    to_state(m);
    for (unsigned i = 0; i < MAX_BLOCKS; i++) {
        arena_reset(&arena);
        int sig = machine_guard(run_block, &r);
        _mm_setcsr(host_mxcsr);
        if (sig || r.signal) {
            m->signal = sig ? sig : r.signal;
            return true; /* the registers are where the host code left them */
        }
        if (state->guest.pc != start) {
            m->signal = 0;
            from_state(m);
            return true;
        }
    }
    return false;
}

static void print(void *ctx, const char *text)
{
    (void)ctx;
    fputs(text, stdout);
}

void engine_print(const Engine *e, uint64_t pc)
{
    VexTranslation t;
    memset(&t, 0, sizeof t);
    arena_reset(&arena);
    const unsigned flags[] = { VM_PINNED | VM_NATIVE, 0, VM_PINNED, VM_NATIVE };
    IrBlock *b = guest_lift_block(pc, e->mode, flags[e->mode], NULL, &arena, &t);
    if (b)
        ir_print(b, print, NULL);
    if (!b || e->interpret || vex_translate(pc, e->mode, buffer, BUFFER_BYTES, buffer, &arena, &t))
        return;
    host_disassemble(buffer, t.code_len, buffer, print, NULL);
    host_disassemble(buffer + t.cold_off, t.cold_len, buffer + t.cold_off, print, NULL);
}
