/* SPDX-License-Identifier: MIT */
/*
 * One NATIVE instruction for the interpreter: compiled as a non-pinned block of its own, kept by
 * payload, run through vex_enter().  The memory for these blocks is shared by all threads and is
 * never given back; each piece is mapped twice, so that none is writable and executable.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codegen.h"

enum { BUCKETS = 1024, CHUNK = 1 << 20, BLOCK_MAX = 4096, ADDR_SCRATCH = 3 };

typedef struct Entry {
    struct Entry *next;
    NativeInsn insn;
    const void *code;
} Entry;

/** All one-instruction blocks; under lock. */
static struct {
    pthread_mutex_t lock;
    Entry *bucket[BUCKETS];
    Arena entries;
    uint8_t *rw;
    const uint8_t *rx;
    size_t left;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void pool_grow(void)
{
    int fd = memfd_create("gimle-native", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, CHUNK) == 0, "no memory for code");
    pool.rw = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const void *rx = mmap(NULL, CHUNK, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    CHECK(pool.rw != MAP_FAILED && rx != MAP_FAILED, "no memory for code");
    close(fd);
    pool.rx = rx;
    pool.left = CHUNK;
}

/** NATIVE with the address from a scratch word, then leave. */
static IrBlock *one_insn_block(const NativeInsn *n, Arena *arena)
{
    IrBlock *b = ir_block_new(arena, 0, 0);
    IrMem m = { IR_NONE, IR_NONE, 0, 0 };
    if (native_has_mem(n)) {
        IrMem where = { IR_NONE, IR_NONE, 0,
                        (int64_t)offsetof(VexState, scratch) + 8 * ADDR_SCRATCH };
        m.base = ir_load(b, SPACE_STATE, TY_I64, where);
    }
    ir_native(b, (NativeInsn *)(uintptr_t)n, m);
    ir_jump(b, 0, JK_YIELD, 0);
    b->insn[b->n - 1].aux = 1; /* condition codes go to the state */
    return b;
}

static const void *compile(const NativeInsn *n)
{
    Arena arena = { 0 };
    VexTranslation t;
    memset(&t, 0, sizeof t);
    if (pool.left < 2 * BLOCK_MAX)
        pool_grow();
    const uint8_t *code = pool.rx;
    bool ok = host_compile(one_insn_block(n, &arena), 0, pool.rw, pool.left, code, &arena, &t);
    CHECK(ok, "one instruction does not fit");
    size_t used = (t.code_len + 15u) & ~15u;
    pool.rw += used;
    pool.rx += used;
    pool.left = t.cold_off - used; /* the cold part stands at the end */
    arena_free(&arena);
    return code;
}

static unsigned hash_of(const NativeInsn *n)
{
    uint64_t h = n->op[0].reg * 31u + n->op[1].reg;
    for (unsigned k = 0; k < n->len; k++)
        h = h * 0x100000001b3ull ^ n->bytes[k];
    return (unsigned)(h ^ h >> 32) % BUCKETS;
}

static const void *find(const NativeInsn *n)
{
    Entry **b = &pool.bucket[hash_of(n)];
    for (Entry *e = *b; e; e = e->next) {
        if (memcmp(&e->insn, n, sizeof *n) == 0)
            return e->code;
    }
    Entry *e = arena_new(&pool.entries, Entry);
    e->insn = *n;
    e->code = compile(n);
    e->next = *b;
    *b = e;
    return e->code;
}

void host_native_exec(VexState *s, const NativeInsn *n, uint64_t addr)
{
    pthread_mutex_lock(&pool.lock);
    const void *code = find(n);
    pthread_mutex_unlock(&pool.lock);
    uint64_t pc = s->guest.pc;
    if (!s->stubs.exit_kind)
        host_stubs(&s->stubs);
    s->scratch[ADDR_SCRATCH] = addr;
    vex_enter(s, code, false);
    s->guest.pc = pc;
}
