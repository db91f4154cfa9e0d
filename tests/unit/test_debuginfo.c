/* SPDX-License-Identifier: MIT */
/*
 * Debug info of the test's own process: symbols, lines, inlined calls, data; and of copies of
 * a file with random bytes changed or the end missing, which must never do harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coregrind/unwind/unwind.h"
#include "tests/unit/self_maps.h"

static Arena arena;

/* ---- code to describe -------------------------------------------------------------------- */

int test_debuginfo_variable[4] = {1, 2, 3, 4};
static volatile int sink;

static uintptr_t innermost_pc;
enum { LINE_INNER = __LINE__ + 4, LINE_MIDDLE = __LINE__ + 9, LINE_OUTER = __LINE__ + 14 };

static inline __attribute__((always_inline)) void inner(void)
{
    __asm__ volatile("lea 0(%%rip), %0" : "=r"(innermost_pc));
}
static inline __attribute__((always_inline)) void middle(void)
{
    sink++;
    inner();
    sink++;
}
static __attribute__((noinline)) void outer(void)
{
    middle();
    sink++;
}

/* ---- positions --------------------------------------------------------------------------- */

static void test_inlined_frames(void **state)
{
    (void)state;
    FrameInfo f[8];
    outer();
    unsigned n = debuginfo_describe_pc(innermost_pc - 1, f, 8, &arena);
    assert_int_equal(n, 3);
    assert_string_equal(f[0].fn, "inner");
    assert_string_equal(f[1].fn, "middle");
    assert_string_equal(f[2].fn, "outer");
    assert_true(f[0].inlined && f[1].inlined && !f[2].inlined);
    for (unsigned i = 0; i < n; i++)
        assert_string_equal(f[i].file, "test_debuginfo.c");
    assert_int_equal(f[0].line, LINE_INNER);
    assert_int_equal(f[1].line, LINE_MIDDLE);
    assert_int_equal(f[2].line, LINE_OUTER);
    assert_non_null(strstr(f[0].dir, "tests/unit"));
    char expected[100];
    snprintf(expected, sizeof expected, "0x%lX: outer (test_debuginfo.c:%u)", f[2].pc, LINE_OUTER);
    assert_string_equal(debuginfo_format_frame(&f[2], &arena), expected);
    debuginfo_options.inline_info = false;
    assert_int_equal(debuginfo_describe_pc(innermost_pc - 1, f, 8, &arena), 1);
    assert_string_equal(f[0].fn, "outer");
    assert_int_equal(f[0].line, LINE_INNER);
    debuginfo_options.inline_info = true;
}

static bool is_same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

/* What is said of many addresses at once is what is said of each. */
static void test_lines_of_ranges(void **state)
{
    (void)state;
    GuestAddr begin = (uintptr_t)outer & ~0xfffULL, end = begin;
    FrameInfo line = {0}, f[16];
    unsigned questions = 0;
    for (GuestAddr pc = begin; pc < begin + 0x1000; pc++) {
        if (pc >= end) {
            debuginfo_describe_line(pc, &line, &end, &arena);
            assert_true(end > pc);
            questions++;
        }
        unsigned n = debuginfo_describe_pc(pc, f, 16, &arena);
        if (!is_same_text(line.fn, f[n - 1].fn) || !is_same_text(line.file, f[0].file) ||
            !is_same_text(line.dir, f[0].dir) || line.line != f[0].line)
            fail_msg("0x%lx: %s %s:%u, not %s %s:%u", pc, f[n - 1].fn, f[0].file, f[0].line, line.fn,
                     line.file, line.line);
        if (pc % 64 == 0)
            arena_reset(&arena), end = 0;
    }
    assert_true(questions < 0x1000);
}

static void test_no_module(void **state)
{
    (void)state;
    FrameInfo f;
    assert_int_equal(debuginfo_describe_pc(0x42, &f, 1, &arena), 1);
    assert_null(f.fn);
    assert_string_equal(debuginfo_format_frame(&f, &arena), "0x42: ???");
    assert_null(debuginfo_find_module(0x42));
    f = (FrameInfo){.pc = 0xabc, .obj = "/usr/bin/foo"};
    assert_string_equal(debuginfo_format_frame(&f, &arena), "0xABC: ??? (in /usr/bin/foo)");
}

/* libc's lines come from its separate debug file, where that is installed. */
static void test_separate_debug_file(void **state)
{
    (void)state;
    FrameInfo f[8];
    unsigned n = debuginfo_describe_pc((uintptr_t)qsort + 4, f, 8, &arena);
    assert_non_null(f[n - 1].fn);
    if (!f[0].line)
        skip();
    assert_string_equal(f[n - 1].fn, "qsort");
    assert_string_equal(f[n - 1].file, "msort.c");
    assert_non_null(strstr(f[n - 1].obj, "libc.so"));
}

/* ---- symbols ----------------------------------------------------------------------------- */

static void test_symbols_by_name(void **state)
{
    (void)state;
    SymbolInfo s[4];
    Module *libc = debuginfo_find_module((uintptr_t)qsort);
    assert_non_null(libc);
    assert_string_equal(module_soname(libc), "libc.so.6");
    assert_true(debuginfo_find_symbol(libc, "qsort", s));
    assert_int_equal(s->addr, (uintptr_t)qsort);
    assert_int_equal(s->kind, SYM_FUNC);
    assert_true(debuginfo_find_symbol(libc, "memcpy", s));
    assert_int_equal(s->kind, SYM_IFUNC);
    assert_true(debuginfo_find_symbol(libc, "environ", s));
    assert_int_equal(s->kind, SYM_OBJECT);
    assert_false(debuginfo_find_symbol(libc, "no_such_symbol", s));
    /* Two versions with different code; the default one first. */
    assert_int_equal(debuginfo_find_symbols(libc, "memcpy", false, s, 4), 2);
    /* Not exported: only .symtab knows. */
    Module *self = debuginfo_find_module((uintptr_t)outer);
    assert_int_equal(debuginfo_find_symbols(self, "outer", true, s, 4), 1);
    assert_int_equal(s->addr, (uintptr_t)outer);
    assert_true(s->local);
}

static bool count_symbol(void *arg, const char *name, const SymbolInfo *s)
{
    assert_int_equal(strncmp(name, "test_debuginfo_", 15), 0);
    assert_int_equal(s->addr, (uintptr_t)test_debuginfo_variable);
    ++*(unsigned *)arg;
    return true;
}

static void test_each_symbol(void **state)
{
    (void)state;
    unsigned n = 0;
    Module *self = debuginfo_find_module((uintptr_t)outer);
    debuginfo_each_symbol(self, "test_debuginfo_", true, count_symbol, &n);
    assert_int_equal(n, 1);
}

static void test_data(void **state)
{
    (void)state;
    DataInfo d;
    uintptr_t a = (uintptr_t)&test_debuginfo_variable[1] + 2;
    assert_true(debuginfo_describe_data(a, &d, &arena));
    assert_string_equal(d.name, "test_debuginfo_variable");
    assert_int_equal(a - d.start, 6);
    assert_int_equal(d.size, sizeof test_debuginfo_variable);
    assert_string_equal(d.section, ".data");
    assert_false(debuginfo_describe_data((uintptr_t)&d, &d, &arena));
}

static void test_demangling(void **state)
{
    (void)state;
    static const struct { const char *raw, *text; } cases[] = {
        {"_ZNK2ns3FooIlE3barElRKSs", "ns::Foo<long>::bar(long, std::string const&) const"},
        {"_Z3addii@@VERS_1", "add(int, int)"},
        {"_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"},
        {"_RNvNtCsgEmfK2I1SDS_4core3str4trim", "core::str::trim"},
        {"_D4test3fooFiZv", "test.foo(int)"},
        {"main", "main"},
        {"_Zgarbage", "_Zgarbage"},
        {"foo__bar", "foo__bar"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(debuginfo_demangle(cases[i].raw, &arena), cases[i].text);
    debuginfo_options.demangle = false;
    assert_string_equal(debuginfo_demangle("_Z3addii", &arena), "_Z3addii");
    debuginfo_options.demangle = true;
    assert_true(debuginfo_is_main("main"));
    assert_true(debuginfo_is_below_main("__libc_start_call_main"));
    assert_false(debuginfo_is_below_main("main"));
}

static void test_vdso(void **state)
{
    (void)state;
    SymbolInfo s;
    Module *m = NULL;
    while ((m = debuginfo_next_module(m)) && strcmp(module_path(m), "[vdso]") != 0)
        ;
    if (!m)
        skip();
    assert_true(debuginfo_find_symbol(m, "__vdso_clock_gettime", &s));
    FrameInfo f;
    debuginfo_describe_pc(s.addr, &f, 1, &arena);
    assert_non_null(f.fn);
}

/* ---- hostile files ----------------------------------------------------------------------- */

typedef struct File {
    uint8_t *data;
    size_t size;
    uint64_t text_vaddr, text_size, text_offset;
} File;

static File read_file(const char *path)
{
    File f = {0};
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    f.size = (size_t)st.st_size;
    f.data = malloc(f.size);
    assert_int_equal(read(fd, f.data, f.size), f.size);
    close(fd);
    const ElfW(Ehdr) *e = (const void *)f.data;
    const ElfW(Phdr) *p = (const void *)(f.data + e->e_phoff);
    for (unsigned i = 0; i < e->e_phnum; i++) {
        if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X)) {
            f.text_vaddr = p[i].p_vaddr;
            f.text_size = p[i].p_filesz;
            f.text_offset = p[i].p_offset;
        }
    }
    return f;
}

static bool ignore_symbol(void *arg, const char *name, const SymbolInfo *s)
{
    *(size_t *)arg += strlen(name) + (s->addr & 1);
    return true;
}

/* Everything that can be asked about an object, wherever it makes sense or not. */
static void ask_everything(const char *path, const File *f)
{
    const uint64_t bias = 0x200000000000;
    uint64_t page = f->text_offset & ~4095ull;
    debuginfo_options.variables = rand() & 1;
    debuginfo_map(bias + (f->text_vaddr & ~4095ull), f->text_size, PROT_READ | PROT_EXEC, page,
                  path, 0, 0);
    Module *m = debuginfo_find_module(bias + f->text_vaddr + 16);
    if (m) {
        FrameInfo frames[16];
        DataInfo d;
        VariableInfo v;
        SymbolInfo s[4];
        char id[64];
        size_t sum = 0;
        for (unsigned i = 0; i < 40; i++) {
            uint64_t pc = bias + f->text_vaddr + (uint64_t)rand() % f->text_size;
            unsigned n = debuginfo_describe_pc(pc, frames, 16, &arena);
            GuestAddr end;
            debuginfo_describe_line(pc, &frames[n < 15 ? n : 15], &end, &arena);
            assert_true(end > pc);
            for (unsigned k = 0; k < n; k++)
                sum += strlen(debuginfo_format_frame(&frames[k], &arena));
            debuginfo_describe_local(pc, -(rand() % 256), &v, &arena);
            uint64_t stack[32] = {pc, pc + 1, pc};
            UnwindRegs regs = {.pc = pc, .gpr[4] = (uintptr_t)stack, .gpr[5] = (uintptr_t)stack};
            GuestAddr pcs[8];
            unwind_stack(&regs, pcs, 8, NULL, (uintptr_t)stack, (uintptr_t)(stack + 32));
        }
        for (unsigned i = 0; i < 10; i++)
            debuginfo_describe_data(bias + (uint64_t)rand() % (f->size * 2), &d, &arena);
        debuginfo_describe_global(bias + (uint64_t)rand() % (f->size * 2), &v, &arena);
        debuginfo_find_symbols(m, "main", true, s, 4);
        debuginfo_find_symbols(m, "memcpy", true, s, 4);
        debuginfo_each_symbol(m, "", true, ignore_symbol, &sum);
        module_soname(m);
        module_build_id(m, id, sizeof id);
        assert_true(sum > 0);
    }
    debuginfo_unmap(0, UINT64_MAX / 2);
    debuginfo_options.variables = false;
    arena_reset(&arena);
}

static void write_copy(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
}

/* Half of the changes go to the headers and the ends, where the tables are. */
static void corrupt(uint8_t *data, size_t size)
{
    static const uint8_t nasty[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x40, 8};
    unsigned n = 1u << rand() % 12;
    for (unsigned i = 0; i < n; i++) {
        size_t zone = rand() % 4 == 0 ? 64 : rand() % 4 == 0 ? 4096 : size;
        size_t at = ((size_t)rand() << 16 ^ (size_t)rand()) % (zone < size ? zone : size);
        at = rand() % 4 == 0 ? size - 1 - at : at;
        /* The identification stays, or nothing else would be read. */
        if (at >= 20)
            data[at] = rand() & 1 ? nasty[rand() % sizeof nasty] : (uint8_t)rand();
    }
}

static void test_corrupt_files(void **state)
{
    (void)state;
    const char *rounds = getenv("GIMLE_FUZZ_ROUNDS"), *input = getenv("GIMLE_FUZZ_FILE");
    char path[] = "/tmp/gimle-debuginfo-XXXXXX";
    close(mkstemp(path));
    File f = read_file(input ? input : "/proc/self/exe");
    uint8_t *copy = malloc(f.size);
    ask_everything(path, &f);
    for (unsigned i = 0, n = rounds ? (unsigned)atoi(rounds) : 150; i < n; i++) {
        srand(i);
        memcpy(copy, f.data, f.size);
        size_t size = f.size;
        if (i % 4 == 3)
            size = ((size_t)rand() << 16 ^ (size_t)rand()) % f.size;
        else
            corrupt(copy, size);
        write_copy(path, copy, size);
        ask_everything(path, &f);
    }
    unlink(path);
    free(copy);
    free(f.data);
    self_maps_publish();
}

/* ---- separate debug files ---------------------------------------------------------------- */

/* Line of outer's inlined code according to @p path, mapped at some other address. */
static unsigned line_in(const char *path, const File *f)
{
    const uint64_t bias = 0x200000000000;
    FrameInfo frames[8];
    Module *self = debuginfo_find_module((uintptr_t)outer);
    uint64_t vaddr = innermost_pc - 1 - module_bias(self);
    debuginfo_map(bias + (f->text_vaddr & ~4095ull), f->text_size, PROT_READ | PROT_EXEC,
                  f->text_offset & ~4095ull, path, 0, 0);
    unsigned n = debuginfo_describe_pc(bias + vaddr, frames, 8, &arena);
    debuginfo_unmap(bias, 1ull << 40);
    return n == 3 && frames[2].fn ? frames[0].line : 0;
}

/* Runs a command of binutils or dwz; a test that needs what is not installed is skipped. */
static void run_or_skip(const char *command)
{
    if (system(command) != 0)
        skip();
}

static void test_debuglink(void **state)
{
    (void)state;
    char dir[] = "/tmp/gimle-debuginfo-XXXXXX", path[100];
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    File f = read_file("/proc/self/exe");
    write_copy("full", f.data, f.size);
    snprintf(path, sizeof path, "%s/stripped", dir);
    /* Without the build-id only name and CRC tie the two together. */
    run_or_skip("exec 2>/dev/null; objcopy --remove-section .note.gnu.build-id full full2 &&"
                "objcopy --only-keep-debug full2 full.debug &&"
                "objcopy --strip-all full2 stripped &&"
                "objcopy --add-gnu-debuglink=full.debug stripped");
    assert_int_equal(line_in(path, &f), LINE_INNER);
    run_or_skip("echo >> full.debug");
    assert_int_equal(line_in(path, &f), 0);
    debuginfo_options.allow_mismatched = true;
    assert_int_equal(line_in(path, &f), LINE_INNER);
    debuginfo_options.allow_mismatched = false;
    snprintf(path, sizeof path, "%s/full", dir);
    run_or_skip("cp full full2 && dwz -m common full full2 2>/dev/null && test -f common");
    assert_int_equal(line_in(path, &f), LINE_INNER);
    run_or_skip("rm -r \"$PWD\"");
    assert_int_equal(chdir("/"), 0);
    free(f.data);
}

/* A file that shrinks while it is mapped: the SIGBUS handler's part. */
static void test_truncated_while_mapped(void **state)
{
    (void)state;
    char path[] = "/tmp/gimle-debuginfo-XXXXXX";
    close(mkstemp(path));
    File f = read_file("/proc/self/exe");
    write_copy(path, f.data, f.size);
    debuginfo_map(0x200000001000, 4096, PROT_READ | PROT_EXEC, f.text_offset & ~4095ull, path, 0,
                  0);
    /* The view is the newest mapping of that file. */
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned long lo = 0;
    while (fgets(line, sizeof line, maps))
        if (strstr(line, path))
            sscanf(line, "%lx", &lo);
    fclose(maps);
    assert_true(lo != 0);
    assert_int_equal(truncate(path, 4096), 0);
    const volatile uint8_t *lost = (const volatile uint8_t *)lo + 8192;
    assert_true(debuginfo_recover_fault((const void *)lost));
    assert_int_equal(*lost, 0);
    assert_false(debuginfo_recover_fault(&f));
    debuginfo_unmap(0x200000000000, 1ull << 40);
    unlink(path);
    free(f.data);
}

int main(void)
{
    unwind_init();
    self_maps_publish();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inlined_frames),
        cmocka_unit_test(test_lines_of_ranges),
        cmocka_unit_test(test_no_module),
        cmocka_unit_test(test_separate_debug_file),
        cmocka_unit_test(test_symbols_by_name),
        cmocka_unit_test(test_each_symbol),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_demangling),
        cmocka_unit_test(test_vdso),
        cmocka_unit_test(test_debuglink),
        cmocka_unit_test(test_corrupt_files),
        cmocka_unit_test(test_truncated_while_mapped),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    debuginfo_forget_all();
    arena_free(&arena);
    return failed;
}
