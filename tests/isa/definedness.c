/* SPDX-License-Identifier: MIT */
/*
 * Definedness rules against their definition: run under memcheck, this program executes every
 * instruction it can on partly undefined registers, reads the V bits of all registers and flags
 * afterwards, and compares with what happens when the undefined bits are filled in in many ways.
 * A bit that changes from one filling to another but is called defined is an error; bits that
 * are called undefined without ever changing are counted, since rules may be cautious.
 *
 *   gimle -q ./definedness [--rounds=N] [--seed=N] [--only=MNEMONIC] [--cautious=N]
 *
 * --cautious: how many of the most cautious instructions to name
 */
#include <Zydis/Zydis.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "encodings.h"
#include "gimle/memcheck.h"

enum { N_VEC = 16, N_GPR = 8, FILLINGS = 24, CODE_BYTES = 4096 };

/** Registers before and after; the generated code finds it at a fixed address. */
typedef struct Regs {
    uint8_t v[N_VEC][32];
    uint64_t gpr[N_GPR]; /**< rax rcx rdx rbx rbp rsi rdi r8 */
    uint64_t flags;
    uint64_t mm[8];
} Regs;

enum { REGS_BYTES = sizeof(Regs), FLAG_CODES = 0x8d5 };
static const uint8_t gpr_number[N_GPR] = { 0, 1, 2, 3, 5, 6, 7, 8 };

static Regs *in, *out;
static uint8_t *code;       /**< where it runs */
static uint8_t *code_alias; /**< the same memory, writable: no page is both */
static ZydisDecoder decoder;
static sigjmp_buf recover;
static unsigned n_tested, n_unsound;
static unsigned long long bits_undefined, bits_cautious;
/** Bits that an instruction calls undefined without need. */
static struct Caution {
    unsigned trials;
    unsigned long long undefined, cautious;
} cautions[ZYDIS_MNEMONIC_MAX_VALUE + 1], *current;
static struct {
    unsigned rounds, cautious;
    const char *only;
} opt = { .rounds = 4, .cautious = 12 };

/* ---- generated code ---------------------------------------------------------------------------- */

static uint8_t *emit(uint8_t *p, const void *bytes, unsigned n)
{
    memcpy(p, bytes, n);
    return p + n;
}
#define EMIT(p, ...) emit(p, (const uint8_t[]){ __VA_ARGS__ }, sizeof (uint8_t[]){ __VA_ARGS__ })

static uint8_t *emit_disp(uint8_t *p, size_t disp)
{
    uint32_t d = (uint32_t)disp;
    return emit(p, &d, 4);
}

/** vmovdqu between register @p r and [r15 + disp] (opcode 6f: load, 7f: store). */
static uint8_t *emit_vec(uint8_t *p, unsigned opcode, unsigned r, size_t disp)
{
    p = EMIT(p, 0xc4, (uint8_t)(r >= 8 ? 0x41 : 0xc1), 0x7e, (uint8_t)opcode,
             (uint8_t)(0x87 | (r & 7) << 3));
    return emit_disp(p, disp);
}

/** mov between general register @p r and [r15 + disp] (opcode 8b: load, 89: store). */
static uint8_t *emit_gpr(uint8_t *p, unsigned opcode, unsigned r, size_t disp)
{
    p = EMIT(p, (uint8_t)(0x49 | (r >= 8 ? 4 : 0)), (uint8_t)opcode, (uint8_t)(0x87 | (r & 7) << 3));
    return emit_disp(p, disp);
}

/** movq between MMX register @p r and [r15 + disp] (opcode 6f: load, 7f: store). */
static uint8_t *emit_mmx(uint8_t *p, unsigned opcode, unsigned r, size_t disp)
{
    p = EMIT(p, 0x41, 0x0f, (uint8_t)opcode, (uint8_t)(0x87 | r << 3));
    return emit_disp(p, disp);
}

/** void f(Regs *in, Regs *out): load everything, one instruction, store everything. */
static void generate(const uint8_t *insn, unsigned len)
{
    uint8_t *p = code_alias;
    p = EMIT(p, 0x53, 0x55, 0x41, 0x54, 0x41, 0x56, 0x41, 0x57); /* push rbx rbp r12 r14 r15 */
    p = EMIT(p, 0x49, 0x89, 0xff, 0x49, 0x89, 0xf6);             /* r15 = in, r14 = out */
    p = EMIT(p, 0x41, 0xff, 0xb7);                               /* push flags; popfq */
    p = emit_disp(p, offsetof(Regs, flags));
    p = EMIT(p, 0x9d);
    for (unsigned i = 0; i < N_VEC; i++)
        p = emit_vec(p, 0x6f, i, offsetof(Regs, v) + 32 * i);
    for (unsigned i = 0; i < 8; i++)
        p = emit_mmx(p, 0x6f, i, offsetof(Regs, mm) + 8 * i);
    for (unsigned i = 0; i < N_GPR; i++)
        p = emit_gpr(p, 0x8b, gpr_number[i], offsetof(Regs, gpr) + 8 * i);
    p = emit(p, insn, len);
    p = EMIT(p, 0x4d, 0x89, 0xf7); /* r15 = out */
    for (unsigned i = 0; i < N_GPR; i++)
        p = emit_gpr(p, 0x89, gpr_number[i], offsetof(Regs, gpr) + 8 * i);
    p = EMIT(p, 0x9c, 0x41, 0x8f, 0x87); /* pushfq; pop flags */
    p = emit_disp(p, offsetof(Regs, flags));
    for (unsigned i = 0; i < N_VEC; i++)
        p = emit_vec(p, 0x7f, i, offsetof(Regs, v) + 32 * i);
    for (unsigned i = 0; i < 8; i++)
        p = emit_mmx(p, 0x7f, i, offsetof(Regs, mm) + 8 * i);
    p = EMIT(p, 0x0f, 0x77, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5c, 0x5d, 0x5b, 0xc5, 0xf8, 0x77, 0xc3);
}

static void run(void)
{
    ((void (*)(Regs *, Regs *))(uintptr_t)code)(in, out);
}

/* ---- which instructions --------------------------------------------------------------------------- */

static bool is_allowed_gpr(ZydisRegister r)
{
    int id = ZydisRegisterGetId(r);
    for (unsigned i = 0; i < N_GPR; i++)
        if (ZydisRegisterGetId(ZYDIS_REGISTER_RAX) + gpr_number[i] == id ||
            gpr_number[i] == id)
            return true;
    return false;
}

static bool is_skipped_mnemonic(ZydisMnemonic m)
{
    static const uint16_t list[] = {
        ZYDIS_MNEMONIC_DIV, ZYDIS_MNEMONIC_IDIV, ZYDIS_MNEMONIC_POPF, ZYDIS_MNEMONIC_POPFQ,
        ZYDIS_MNEMONIC_RDTSC, ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_RDRAND, ZYDIS_MNEMONIC_RDSEED,
        ZYDIS_MNEMONIC_CPUID, ZYDIS_MNEMONIC_XGETBV, ZYDIS_MNEMONIC_RDPID, ZYDIS_MNEMONIC_RDPKRU,
        ZYDIS_MNEMONIC_WRPKRU, ZYDIS_MNEMONIC_RDPRU, ZYDIS_MNEMONIC_LEAVE, ZYDIS_MNEMONIC_STD,
        ZYDIS_MNEMONIC_MCOMMIT, ZYDIS_MNEMONIC_RDFSBASE, ZYDIS_MNEMONIC_RDGSBASE,
        ZYDIS_MNEMONIC_WRFSBASE, ZYDIS_MNEMONIC_WRGSBASE, ZYDIS_MNEMONIC_BSWAP, ZYDIS_MNEMONIC_CLZERO };
    for (unsigned i = 0; i < sizeof list / sizeof list[0]; i++)
        if (list[i] == m)
            return true;
    return false;
}

/** Only registers that the generated code loads, no memory, no control. */
static bool is_suitable(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *op)
{
    if (z->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE || is_skipped_mnemonic(z->mnemonic) ||
        z->meta.category == ZYDIS_CATEGORY_SYSTEM || z->meta.isa_ext == ZYDIS_ISA_EXT_X87 ||
        z->attributes & (ZYDIS_ATTRIB_IS_PRIVILEGED | ZYDIS_ATTRIB_HAS_LOCK) || z->length > 15 ||
        z->meta.category == ZYDIS_CATEGORY_INTERRUPT || z->meta.category == ZYDIS_CATEGORY_IO ||
        z->meta.category == ZYDIS_CATEGORY_SYSCALL || z->operand_count == 0)
        return false;
    for (unsigned i = 0; i < z->operand_count; i++) {
        if (op[i].type == ZYDIS_OPERAND_TYPE_MEMORY || op[i].type == ZYDIS_OPERAND_TYPE_POINTER)
            return false;
        if (op[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
            continue;
        switch (ZydisRegisterGetClass(op[i].reg.value)) {
        case ZYDIS_REGCLASS_XMM:
        case ZYDIS_REGCLASS_YMM:
        case ZYDIS_REGCLASS_MMX:
        case ZYDIS_REGCLASS_FLAGS:
            break;
        case ZYDIS_REGCLASS_GPR8:
        case ZYDIS_REGCLASS_GPR16:
        case ZYDIS_REGCLASS_GPR32:
        case ZYDIS_REGCLASS_GPR64:
            if (!is_allowed_gpr(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
                                                                 op[i].reg.value)))
                return false;
            break;
        default:
            return false;
        }
    }
    return true;
}

/* ---- one trial -------------------------------------------------------------------------------------- */

static void randomise(Regs *r)
{
    uint64_t *w = (uint64_t *)r;
    for (unsigned i = 0; i < REGS_BYTES / 8; i++) {
        unsigned k = random_below(4);
        w[i] = k == 0 ? 0 : k == 1 ? random64() & 0x0101010101010101ull : random64();
    }
    for (unsigned i = 0; i < N_GPR; i++)
        if (random_below(3) == 0)
            r->gpr[i] &= 63;
    r->flags = (random64() & FLAG_CODES) | 0x202;
}

/** Which input bits are undefined: a few bits of a few registers. */
static void choose_undefined(Regs *v)
{
    uint64_t *w = (uint64_t *)v;
    memset(v, 0, sizeof *v);
    unsigned density = random_below(3);
    for (unsigned i = 0; i < REGS_BYTES / 8; i++) {
        unsigned k = random_below(8);
        w[i] = density == 0 && k > 1 ? 0
               : k < 2               ? 0
               : k == 2              ? ~0ull
               : k == 3              ? 0xffull << random_below(57)
               : k == 4              ? 1ull << random_below(64)
               : k == 5              ? random64() & random64()
                                     : 0;
    }
    v->flags = random_below(2) ? random64() & FLAG_CODES : 0;
}

static uint64_t undefined_flags(const ZydisDecodedInstruction *z)
{
    return z->cpu_flags ? z->cpu_flags->undefined : 0;
}

static const char *part_name(unsigned byte, char *buf)
{
    if (byte < offsetof(Regs, gpr))
        sprintf(buf, "ymm%u+%u", byte / 32, byte % 32);
    else if (byte < offsetof(Regs, flags))
        sprintf(buf, "gpr%u+%u", gpr_number[(byte - (unsigned)offsetof(Regs, gpr)) / 8], byte % 8);
    else if (byte < offsetof(Regs, mm))
        sprintf(buf, "flags+%u", byte % 8);
    else
        sprintf(buf, "mm%u+%u", (byte - (unsigned)offsetof(Regs, mm)) / 8, byte % 8);
    return buf;
}

/** Compare what memcheck says (@p vbits) with what changed. */
static void judge(const char *text, const uint8_t *changed, const uint8_t *vbits)
{
    bool told = false;
    for (unsigned i = 0; i < REGS_BYTES; i++) {
        current->undefined += (unsigned)__builtin_popcount(changed[i]);
        current->cautious += (unsigned)__builtin_popcount(vbits[i] & ~changed[i]);
        bits_undefined += (unsigned)__builtin_popcount(vbits[i]);
        bits_cautious += (unsigned)__builtin_popcount(vbits[i] & ~changed[i]);
        if (!(changed[i] & ~vbits[i]))
            continue;
        char buf[32];
        if (!told)
            printf("# %s: %s changes in bits %02x that are called defined (V %02x)\n", text,
                   part_name(i, buf), changed[i] & ~vbits[i], vbits[i]);
        told = true;
    }
    n_unsound += told;
}

static void trial(const char *text, const ZydisDecodedInstruction *z)
{
    static Regs data, undefined, vbits, first, changed;
    randomise(&data);
    choose_undefined(&undefined);
    *in = data;
    (void)VALGRIND_SET_VBITS(in, &undefined, sizeof *in);
    run();
    (void)VALGRIND_GET_VBITS(out, &vbits, sizeof *out);
    (void)VALGRIND_MAKE_MEM_DEFINED(in, sizeof *in);
    (void)VALGRIND_MAKE_MEM_DEFINED(out, sizeof *out);
    first = *out;
    memset(&changed, 0, sizeof changed);
    for (unsigned k = 0; k < FILLINGS; k++) {
        const uint64_t *d = (const uint64_t *)&data, *u = (const uint64_t *)&undefined;
        uint64_t *w = (uint64_t *)in, *c = (uint64_t *)&changed;
        for (unsigned i = 0; i < REGS_BYTES / 8; i++) {
            uint64_t fill = k == 0 ? 0 : k == 1 ? ~0ull : k & 1 ? random64() : random64() & random64();
            w[i] = (d[i] & ~u[i]) | (fill & u[i]);
        }
        run();
        for (unsigned i = 0; i < REGS_BYTES / 8; i++)
            c[i] |= ((const uint64_t *)out)[i] ^ ((const uint64_t *)&first)[i];
    }
    changed.flags &= FLAG_CODES & ~undefined_flags(z);
    judge(text, (const uint8_t *)&changed, (const uint8_t *)&vbits);
}

static void on_signal(int sig)
{
    siglongjmp(recover, sig);
}

static void try(const char *text, const ZydisDecodedInstruction *z)
{
    if (sigsetjmp(recover, 1) != 0)
        return; /* the processor does not have it */
    current = &cautions[z->mnemonic];
    trial(text, z);
    current->trials++;
    n_tested++;
}

static void test_encoding(unsigned k)
{
    ZydisDecodedInstruction z;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    uint8_t bytes[32];
    for (unsigned r = 0; r < opt.rounds; r++) {
        encoding_make(k, bytes);
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, 15, &z, op)) ||
            !is_suitable(&z, op))
            continue;
        const char *name = ZydisMnemonicGetString(z.mnemonic);
        if (opt.only && strcmp(opt.only, name) != 0)
            continue;
        char text[96];
        int n = snprintf(text, sizeof text, "%s", name);
        for (unsigned i = 0; i < z.length; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, " %02x", bytes[i]);
        generate(bytes, z.length);
        VALGRIND_DISCARD_TRANSLATIONS(code, CODE_BYTES);
        try(text, &z);
    }
}

static int by_caution(const void *a, const void *b)
{
    const struct Caution *x = &cautions[*(const uint16_t *)a], *y = &cautions[*(const uint16_t *)b];
    double p = x->trials ? (double)x->cautious / x->trials : 0;
    double q = y->trials ? (double)y->cautious / y->trials : 0;
    return (p < q) - (p > q);
}

/** The mnemonics that are most cautious, by unneeded bits in a trial. */
static void print_cautious(unsigned n)
{
    static uint16_t order[ZYDIS_MNEMONIC_MAX_VALUE + 1];
    for (unsigned i = 0; i <= ZYDIS_MNEMONIC_MAX_VALUE; i++)
        order[i] = (uint16_t)i;
    qsort(order, ZYDIS_MNEMONIC_MAX_VALUE + 1, sizeof order[0], by_caution);
    for (unsigned i = 0; i < n && cautions[order[i]].cautious; i++) {
        const struct Caution *c = &cautions[order[i]];
        printf("# %-18s %4u trials, %.1f bits of each called undefined without need\n",
               ZydisMnemonicGetString(order[i]), c->trials, (double)c->cautious / c->trials);
    }
}

static void *map(size_t bytes, int prot, int flags, int fd)
{
    void *p = mmap(NULL, bytes, prot, flags, fd, 0);
    if (p == MAP_FAILED) {
        printf("Bail out! out of memory\n");
        exit(1);
    }
    return p;
}

int main(int argc, char **argv)
{
    random_seed(1);
    for (int i = 1; i < argc; i++) {
        const char *eq = strchr(argv[i], '=');
        if (strncmp(argv[i], "--rounds=", 9) == 0)
            opt.rounds = (unsigned)atoi(eq + 1);
        else if (strncmp(argv[i], "--seed=", 7) == 0)
            random_seed(strtoull(eq + 1, NULL, 0));
        else if (strncmp(argv[i], "--only=", 7) == 0)
            opt.only = eq + 1;
        else if (strncmp(argv[i], "--cautious=", 11) == 0)
            opt.cautious = (unsigned)atoi(eq + 1);
    }
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    int fd = memfd_create("code", 0);
    if (fd < 0 || ftruncate(fd, CODE_BYTES) != 0) {
        printf("Bail out! no memory file\n");
        return 1;
    }
    code = map(CODE_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, fd);
    code_alias = map(CODE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    in = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    out = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    signal(SIGILL, on_signal);
    signal(SIGSEGV, on_signal);
    for (unsigned k = 0; k < encoding_count(); k++)
        test_encoding(k);
    print_cautious(opt.cautious);
    printf("# %u trials; of %llu bits called undefined %llu never changed\n", n_tested,
           bits_undefined, bits_cautious);
    printf("%sok 1 - definedness: %u trials too bold\n1..1\n", n_unsound ? "not " : "", n_unsound);
    return n_unsound ? 1 : 0;
}
