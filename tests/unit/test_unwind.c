/* SPDX-License-Identifier: MIT */
/* Stack traces of the test's own stack, compared with those of libgcc's unwinder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>

#include "coregrind/unwind/cfi.h"
#include "coregrind/unwind/unwind.h"
#include "tests/unit/self_maps.h"

enum { MAX = 64 };

static StackRange stack;

/* The registers right here, in the order rax rcx rdx rbx rsp rbp rsi rdi r8..r15. */
#define CAPTURE(r)                                                                         \
    __asm__ volatile("lea 0(%%rip), %%rax\n mov %%rax, 0(%0)\n"                            \
                     "mov %%rbx, 32(%0)\n mov %%rsp, 40(%0)\n mov %%rbp, 48(%0)\n"         \
                     "mov %%r12, 104(%0)\n mov %%r13, 112(%0)\n mov %%r14, 120(%0)\n"      \
                     "mov %%r15, 128(%0)\n"                                                \
                     :: "r"(r) : "rax", "memory")

/* What the two unwinders saw at the same place. */
static GuestAddr ours[MAX];
static void *theirs[MAX];
static unsigned n_ours, n_theirs;

static __attribute__((noinline)) void look_around(void)
{
    UnwindRegs regs = {0};
    CAPTURE(&regs);
    n_ours = unwind_stack(&regs, ours, MAX, NULL, stack.lo, stack.hi);
    n_theirs = (unsigned)backtrace(theirs, MAX);
}

/* All but the innermost frame must agree; glibc's backtrace() may add a frame after _start. */
static void assert_same_trace(unsigned at_least)
{
    assert_true(n_ours >= at_least);
    assert_in_range(n_theirs, n_ours, n_ours + 1);
    for (unsigned i = 1; i < n_ours; i++)
        assert_int_equal(ours[i], (uintptr_t)theirs[i]);
}

static __attribute__((noinline)) int recurse(int n)
{
    if (n == 0) {
        look_around();
        return 0;
    }
    volatile int x = recurse(n - 1);
    return x + 1;
}

static void test_recursion(void **state)
{
    (void)state;
    assert_int_equal(recurse(30), 30);
    assert_same_trace(34);
}

static int compare(const void *a, const void *b)
{
    look_around();
    return *(const int *)a - *(const int *)b;
}

static void test_through_libc(void **state)
{
    (void)state;
    int v[] = {3, 1, 2};
    qsort(v, 3, sizeof *v, compare);
    assert_same_trace(6);
}

/* A variable-sized frame on a realigned stack: the CFA is found by an expression. */
static __attribute__((noinline)) int realigned(size_t n)
{
    _Alignas(64) volatile char line[64];
    volatile char *more = __builtin_alloca(n);
    line[0] = more[n - 1] = 7;
    look_around();
    return line[0] + more[n - 1];
}

static void test_realigned_stack(void **state)
{
    (void)state;
    assert_int_equal(realigned((size_t)rand() % 100 + 1), 14);
    assert_same_trace(4);
}

static void on_signal(int sig)
{
    (void)sig;
    look_around();
}

/* As assert_same_trace, but an interrupted pc is reported plus 1. */
static void assert_same_trace_through_signal(void)
{
    assert_true(n_ours >= 6);
    assert_in_range(n_theirs, n_ours, n_ours + 1);
    unsigned interrupted = 0;
    for (unsigned i = 1; i < n_ours; i++) {
        if (ours[i] == (uintptr_t)theirs[i] + 1)
            interrupted++;
        else
            assert_int_equal(ours[i], (uintptr_t)theirs[i]);
    }
    assert_int_equal(interrupted, 1);
}

static void test_signal_frames(void **state)
{
    (void)state;
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    assert_same_trace_through_signal();
    assert_true(unwind_stats().slow_walks > 0);
}

static void test_signal_on_other_stack(void **state)
{
    (void)state;
    static char other[65536];
    sigaltstack(&(stack_t){.ss_sp = other, .ss_size = sizeof other}, NULL);
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR2, &sa, NULL);
    raise(SIGUSR2);
    assert_same_trace_through_signal();
}

/* Code that no module has: push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret */
static void test_code_without_information(void **state)
{
    (void)state;
    static const uint8_t code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
    uint8_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);
    assert_ptr_not_equal(p, MAP_FAILED);
    memcpy(p, code, sizeof code);
    ((void (*)(void (*)(void)))(uintptr_t)p)(look_around);
    assert_true(n_ours >= 4);
    assert_int_equal(ours[1], (uintptr_t)p + 6);
    /* The caller of the code is this function. */
    uintptr_t here = (uintptr_t)test_code_without_information;
    assert_in_range(ours[2], here, here + 1000);
    munmap(p, 4096);
}

static sigjmp_buf after_fault;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                  REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                  REG_R12, REG_R13, REG_R14, REG_R15};
    const ucontext_t *uc = context;
    UnwindRegs regs = {.pc = (uint64_t)uc->uc_mcontext.gregs[REG_RIP]};
    (void)sig;
    (void)info;
    for (unsigned i = 0; i < 16; i++)
        regs.gpr[i] = (uint64_t)uc->uc_mcontext.gregs[order[i]];
    n_ours = unwind_stack(&regs, ours, MAX, NULL, stack.lo, stack.hi);
    siglongjmp(after_fault, 1);
}

/* The return address is on top of the stack, where no frame information would look for it. */
static void test_wild_jump(void **state)
{
    (void)state;
    sigaction(SIGSEGV, &(struct sigaction){.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, NULL);
    void (*volatile nowhere)(void) = (void (*)(void))16;
    if (sigsetjmp(after_fault, 1) == 0)
        nowhere();
    signal(SIGSEGV, SIG_DFL);
    assert_true(n_ours >= 4);
    assert_int_equal(ours[0], 16);
    uintptr_t here = (uintptr_t)test_wild_jump;
    assert_in_range(ours[1], here, here + 1000);
}

static void test_bad_registers(void **state)
{
    (void)state;
    srand(1);
    for (unsigned i = 0; i < 20000; i++) {
        UnwindRegs regs = {.pc = ours[i % n_ours]};
        for (unsigned k = 0; k < 16; k++)
            regs.gpr[k] = i & 1 ? stack.hi - (unsigned)rand() % 65536
                                : ((uint64_t)rand() << 33 | (unsigned)rand());
        GuestAddr pcs[MAX], sps[MAX];
        unsigned n = unwind_stack(&regs, pcs, MAX, sps, stack.lo, stack.hi);
        assert_in_range(n, 1, MAX);
    }
}

static void test_unmapped_module(void **state)
{
    (void)state;
    uint64_t before = 0;
    for (volatile unsigned i = 0; i < 2; i++) { /* volatile: one call site, not two */
        before = unwind_stats().misses;
        recurse(3);
    }
    assert_int_equal(unwind_stats().misses - before, 0);
    unsigned n = n_ours;
    Module *m = debuginfo_find_module((uintptr_t)recurse);
    assert_non_null(m);
    GuestAddr lo, hi;
    module_text(m, &lo, &hi);
    debuginfo_unmap(lo, hi - lo);
    recurse(3);
    assert_true(unwind_stats().misses > before);
    self_maps_publish();
    recurse(3);
    assert_int_equal(n_ours, n);
    assert_same_trace(5);
}

static void test_expressions(void **state)
{
    (void)state;
    uint64_t reg[CFI_REGS] = {[CFI_RSP] = 0x1000, [CFI_RA] = 0x400b}, v;
    ExprContext x = {.reg = reg};
    /* The rule of lazy PLT entries: rsp + 8 + ((rip & 15) >= 11) << 3. */
    static const uint8_t plt[] = {0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
    assert_true(cfi_eval(&(CfiExpr){plt, sizeof plt}, &x, false, 0, &v));
    assert_int_equal(v, 0x1010);
    reg[CFI_RA] = 0x400a;
    assert_true(cfi_eval(&(CfiExpr){plt, sizeof plt}, &x, false, 0, &v));
    assert_int_equal(v, 0x1008);
    static const uint8_t loop[] = {0x2f, 0xfd, 0xff}; /* skip -3 */
    assert_false(cfi_eval(&(CfiExpr){loop, sizeof loop}, &x, false, 0, &v));
    static const uint8_t underflow[] = {0x22};
    assert_false(cfi_eval(&(CfiExpr){underflow, 1}, &x, false, 0, &v));
}

int main(void)
{
    unwind_init();
    stack = self_maps_publish();
    void *warm[2];
    backtrace(warm, 2); /* loads libgcc_s */
    self_maps_publish();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recursion),
        cmocka_unit_test(test_through_libc),
        cmocka_unit_test(test_realigned_stack),
        cmocka_unit_test(test_signal_frames),
        cmocka_unit_test(test_signal_on_other_stack),
        cmocka_unit_test(test_code_without_information),
        cmocka_unit_test(test_wild_jump),
        cmocka_unit_test(test_bad_registers),
        cmocka_unit_test(test_unmapped_module),
        cmocka_unit_test(test_expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
