/* SPDX-License-Identifier: MIT */
/*
 * Checking and running the programs of seccomp filters.  The instructions that may be used, and what is
 * wrong with each, are in one table; the jumps go forwards only, so every program ends.
 */
#include "seccomp_filter.h"

#include <stddef.h>

typedef enum Check {
    CHECK_NOTHING,
    CHECK_LOAD,    /* k: an aligned word of struct seccomp_data */
    CHECK_DIVISOR, /* k: not zero */
    CHECK_SHIFT,   /* k: below 32 */
    CHECK_MEMORY,  /* k: a word of scratch memory */
    CHECK_JUMP,    /* k: how far */
    CHECK_BRANCH   /* jt, jf: how far */
} Check;

static const struct {
    uint16_t code;
    uint8_t check; /* Check */
} allowed[] = {
    { BPF_LD | BPF_W | BPF_ABS, CHECK_LOAD },    { BPF_LD | BPF_W | BPF_LEN, CHECK_NOTHING },
    { BPF_LDX | BPF_W | BPF_LEN, CHECK_NOTHING }, { BPF_LD | BPF_IMM, CHECK_NOTHING },
    { BPF_LDX | BPF_IMM, CHECK_NOTHING },        { BPF_LD | BPF_MEM, CHECK_MEMORY },
    { BPF_LDX | BPF_MEM, CHECK_MEMORY },         { BPF_ST, CHECK_MEMORY },
    { BPF_STX, CHECK_MEMORY },                   { BPF_MISC | BPF_TAX, CHECK_NOTHING },
    { BPF_MISC | BPF_TXA, CHECK_NOTHING },       { BPF_RET | BPF_K, CHECK_NOTHING },
    { BPF_RET | BPF_A, CHECK_NOTHING },          { BPF_ALU | BPF_NEG, CHECK_NOTHING },
    { BPF_ALU | BPF_ADD | BPF_K, CHECK_NOTHING }, { BPF_ALU | BPF_ADD | BPF_X, CHECK_NOTHING },
    { BPF_ALU | BPF_SUB | BPF_K, CHECK_NOTHING }, { BPF_ALU | BPF_SUB | BPF_X, CHECK_NOTHING },
    { BPF_ALU | BPF_MUL | BPF_K, CHECK_NOTHING }, { BPF_ALU | BPF_MUL | BPF_X, CHECK_NOTHING },
    { BPF_ALU | BPF_DIV | BPF_K, CHECK_DIVISOR }, { BPF_ALU | BPF_DIV | BPF_X, CHECK_NOTHING },
    { BPF_ALU | BPF_AND | BPF_K, CHECK_NOTHING }, { BPF_ALU | BPF_AND | BPF_X, CHECK_NOTHING },
    { BPF_ALU | BPF_OR | BPF_K, CHECK_NOTHING }, { BPF_ALU | BPF_OR | BPF_X, CHECK_NOTHING },
    { BPF_ALU | BPF_XOR | BPF_K, CHECK_NOTHING }, { BPF_ALU | BPF_XOR | BPF_X, CHECK_NOTHING },
    { BPF_ALU | BPF_LSH | BPF_K, CHECK_SHIFT },  { BPF_ALU | BPF_LSH | BPF_X, CHECK_NOTHING },
    { BPF_ALU | BPF_RSH | BPF_K, CHECK_SHIFT },  { BPF_ALU | BPF_RSH | BPF_X, CHECK_NOTHING },
    { BPF_JMP | BPF_JA, CHECK_JUMP },
    { BPF_JMP | BPF_JEQ | BPF_K, CHECK_BRANCH }, { BPF_JMP | BPF_JEQ | BPF_X, CHECK_BRANCH },
    { BPF_JMP | BPF_JGE | BPF_K, CHECK_BRANCH }, { BPF_JMP | BPF_JGE | BPF_X, CHECK_BRANCH },
    { BPF_JMP | BPF_JGT | BPF_K, CHECK_BRANCH }, { BPF_JMP | BPF_JGT | BPF_X, CHECK_BRANCH },
    { BPF_JMP | BPF_JSET | BPF_K, CHECK_BRANCH }, { BPF_JMP | BPF_JSET | BPF_X, CHECK_BRANCH },
};

/** @p left: instructions behind this one. */
static bool instruction_valid(const struct sock_filter *f, unsigned left)
{
    size_t i = 0, n = sizeof allowed / sizeof allowed[0];
    while (i < n && allowed[i].code != f->code)
        i++;
    switch (i < n ? (Check)allowed[i].check : CHECK_LOAD) {
    case CHECK_NOTHING:
        return true;
    case CHECK_LOAD:
        return i < n && f->k < sizeof(struct seccomp_data) && f->k % sizeof(uint32_t) == 0;
    case CHECK_DIVISOR:
        return f->k != 0;
    case CHECK_SHIFT:
        return f->k < 32;
    case CHECK_MEMORY:
        return f->k < BPF_MEMWORDS;
    case CHECK_JUMP:
        return f->k < left;
    case CHECK_BRANCH:
        return f->jt < left && f->jf < left;
    }
    return false;
}

/** No word of scratch memory is read before it was written on every way that leads there. */
static bool memory_written_first(const struct sock_filter *program, unsigned n)
{
    uint16_t written_at[BPF_MAXINSNS], written = 0; /* a bit for each word */
    for (unsigned i = 0; i < n; i++)
        written_at[i] = UINT16_MAX;
    for (unsigned i = 0; i < n; i++) {
        const struct sock_filter *f = &program[i];
        written &= written_at[i];
        switch (f->code) {
        case BPF_ST:
        case BPF_STX:
            written |= (uint16_t)(1u << f->k);
            break;
        case BPF_LD | BPF_MEM:
        case BPF_LDX | BPF_MEM:
            if (!(written & 1u << f->k))
                return false;
            break;
        default:
            if (BPF_CLASS(f->code) != BPF_JMP)
                break;
            if (BPF_OP(f->code) == BPF_JA) {
                written_at[i + 1 + f->k] &= written;
            } else {
                written_at[i + 1 + f->jt] &= written;
                written_at[i + 1 + f->jf] &= written;
            }
            written = UINT16_MAX; /* the next one is reached by jumps, this one's among them */
        }
    }
    return true;
}

bool seccomp_filter_valid(const struct sock_filter *program, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!instruction_valid(&program[i], n - 1 - i))
            return false;
    return BPF_CLASS(program[n - 1].code) == BPF_RET && memory_written_first(program, n);
}

static uint32_t alu(uint16_t code, uint32_t a, uint32_t b)
{
    switch (BPF_OP(code)) {
    case BPF_ADD: return a + b;
    case BPF_SUB: return a - b;
    case BPF_MUL: return a * b;
    case BPF_DIV: return a / b;
    case BPF_AND: return a & b;
    case BPF_OR:  return a | b;
    case BPF_XOR: return a ^ b;
    case BPF_LSH: return a << (b & 31);
    case BPF_RSH: return a >> (b & 31);
    default:      return -a; /* BPF_NEG */
    }
}

static bool branch_taken(uint16_t code, uint32_t a, uint32_t b)
{
    switch (BPF_OP(code)) {
    case BPF_JEQ: return a == b;
    case BPF_JGE: return a >= b;
    case BPF_JGT: return a > b;
    default:      return (a & b) != 0; /* BPF_JSET */
    }
}

uint32_t seccomp_filter_run(const struct sock_filter *program, const struct seccomp_data *data)
{
    uint32_t a = 0, x = 0, memory[BPF_MEMWORDS];
    for (const struct sock_filter *f = program;; f++) {
        uint32_t operand = BPF_SRC(f->code) == BPF_X ? x : f->k;
        switch (BPF_CLASS(f->code)) {
        case BPF_LD:
        case BPF_LDX: {
            uint16_t mode = BPF_MODE(f->code);
            uint32_t value = mode == BPF_ABS   ? ((const uint32_t *)data)[f->k / sizeof(uint32_t)]
                             : mode == BPF_MEM ? memory[f->k]
                             : mode == BPF_LEN ? sizeof *data
                                               : f->k;
            *(BPF_CLASS(f->code) == BPF_LD ? &a : &x) = value;
            break;
        }
        case BPF_ST:
            memory[f->k] = a;
            break;
        case BPF_STX:
            memory[f->k] = x;
            break;
        case BPF_ALU:
            if (BPF_OP(f->code) == BPF_DIV && operand == 0)
                return SECCOMP_RET_KILL_THREAD;
            a = alu(f->code, a, operand);
            break;
        case BPF_JMP:
            f += BPF_OP(f->code) == BPF_JA ? f->k : branch_taken(f->code, a, operand) ? f->jt : f->jf;
            break;
        case BPF_MISC:
            *(BPF_MISCOP(f->code) == BPF_TAX ? &x : &a) = BPF_MISCOP(f->code) == BPF_TAX ? a : x;
            break;
        default: /* BPF_RET */
            return BPF_RVAL(f->code) == BPF_A ? a : f->k;
        }
    }
}
