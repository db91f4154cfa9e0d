/* SPDX-License-Identifier: MIT */
/*
 * The system call table against the system's headers and against itself, and the course of single
 * calls: real calls on memory in the client's range, with the events recorded as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/events.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/core/options.h"
#include "coregrind/signal/signal.h"
#include "coregrind/syscall/syscall.h"
#include "coregrind/syscall/table.h"
#include "coregrind/thread/serialise.h"

static Thread *thread;
static StrBuf events;
static GuestAddr page; /* 16 pages of the client's, rw */

/* ---- the table ------------------------------------------------------------------------------- */

static void test_numbers_are_the_kernels(void **state)
{
    (void)state;
    FILE *f = fopen("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "r");
    if (!f)
        f = fopen("/usr/include/asm/unistd_64.h", "r");
    if (!f)
        skip();
    char line[256], name[128];
    unsigned number, seen = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "#define __NR_%127s %u", name, &number) != 2)
            continue;
        const SysRow *row = sys_row(number);
        if (!row)
            fail_msg("no row for %s (%u)", name, number);
        if (strcmp(row->name, name) != 0)
            fail_msg("%u is %s, the table says %s", number, name, row->name);
        seen++;
    }
    fclose(f);
    assert_true(seen > 300);
}

static void check_arg(const SysRow *row, const SysArg *a)
{
    if (!a->name || !a->name[0])
        fail_msg("%s: an argument without a name", row->name);
    if (a->len_arg >= 0 && (a->len_arg >= row->n_args || row->arg[a->len_arg].kind == SK_NONE))
        fail_msg("%s(%s): its length is no argument", row->name, a->name);
    if (a->kind == SK_SOCK_OUT && row->arg[a->len_arg].kind != SK_LEN)
        fail_msg("%s(%s): its length is no LEN", row->name, a->name);
    if (a->kind == SK_MEM && (a->unit == 0 || a->dir == 0))
        fail_msg("%s(%s): memory of no size or direction", row->name, a->name);
    if (a->by_result && a->len_arg < 0)
        fail_msg("%s(%s): written by result without a room", row->name, a->name);
}

static void test_rows_are_consistent(void **state)
{
    (void)state;
    unsigned rows = 0;
    for (unsigned no = 0; no < sys_row_limit(); no++) {
        const SysRow *row = sys_row(no);
        if (!row)
            continue;
        rows++;
        for (unsigned i = 0; i < row->n_args; i++)
            check_arg(row, &row->arg[i]);
    }
    assert_true(rows > 375);
    assert_true(sys_row_limit() <= 512);
    assert_null(sys_row(337));
    assert_null(sys_row(sys_row_limit()));
}

/* ---- running calls --------------------------------------------------------------------------- */

static void on_reg(Thread *t, const char *what, RegId reg, unsigned bytes)
{
    (void)t;
    strbuf_printf(&events, "R %s r%u/%u\n", what, reg, bytes);
}
static void on_read(Thread *t, const char *what, GuestAddr a, size_t len)
{
    (void)t;
    strbuf_printf(&events, "< %s +%lld/%zu\n", what, (long long)(a - page), len);
}
static void on_string(Thread *t, const char *what, GuestAddr a)
{
    (void)t;
    strbuf_printf(&events, "s %s +%lld\n", what, (long long)(a - page));
}
static void on_write(Thread *t, const char *what, GuestAddr a, size_t len)
{
    (void)t;
    strbuf_printf(&events, "> %s +%lld/%zu\n", what, (long long)(a - page), len);
}
static void on_wrote(Thread *t, GuestAddr a, size_t len)
{
    (void)t;
    strbuf_printf(&events, "= +%lld/%zu\n", (long long)(a - page), len);
}

static int64_t call(uint64_t no, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                    uint64_t f)
{
    GuestAmd64 *g = &thread->state->guest;
    g->gpr[0] = no;
    g->gpr[7] = a;
    g->gpr[6] = b;
    g->gpr[2] = c;
    g->gpr[10] = d;
    g->gpr[8] = e;
    g->gpr[9] = f;
    g->pc = 0x401002;
    strbuf_clear(&events);
    syscall_run(thread);
    assert_int_equal(g->gpr[1], 0x401002); /* rcx: return address */
    return (int64_t)g->gpr[0];
}

static void assert_events(const char *expected)
{
    assert_string_equal(strbuf_text(&events), expected);
}

static void test_write(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_WRONLY);
    assert_int_equal(call(SYS_write, (uint64_t)fd, page + 8, 5, 0, 0, 0), 5);
    assert_events("R write(fd) r7/4\nR write(buf) r6/8\nR write(count) r2/8\n< write(buf) +8/5\n");
    close(fd);
}

static void test_short_read_defines_only_what_was_read(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(write(p[1], "abc", 3), 3);
    assert_int_equal(call(SYS_read, (uint64_t)p[0], page, 100, 0, 0, 0), 3);
    assert_events("R read(fd) r7/4\nR read(buf) r6/8\nR read(count) r2/8\n"
                  "> read(buf) +0/100\n= +0/3\n");
    assert_memory_equal((void *)page, "abc", 3);
    close(p[0]);
    close(p[1]);
}

static void test_pointers_to_the_core_are_refused(void **state)
{
    (void)state;
    static char mine[64] = "untouched";
    uint64_t core = (uintptr_t)mine;
    int p[2];
    assert_true(core >= GIMLE_CLIENT_END);
    assert_int_equal(pipe(p), 0);
    assert_int_equal(write(p[1], "abc", 3), 3);
    assert_int_equal(call(SYS_read, (uint64_t)p[0], core, 3, 0, 0, 0), -EFAULT);
    assert_int_equal(call(SYS_stat, core, page, 0, 0, 0, 0), -EFAULT);
    assert_int_equal(call(SYS_clock_gettime, 0, core, 0, 0, 0, 0), -EFAULT);
    struct iovec *v = (void *)page;
    v[0] = (struct iovec){ (void *)(page + 64), 1 };
    v[1] = (struct iovec){ mine, 2 };
    assert_int_equal(call(SYS_readv, (uint64_t)p[0], page, 2, 0, 0, 0), -EFAULT);
    struct msghdr *m = (void *)(page + 256);
    *m = (struct msghdr){ .msg_iov = v, .msg_iovlen = 2 };
    assert_int_equal(call(SYS_recvmsg, (uint64_t)p[0], page + 256, 0, 0, 0, 0), -EFAULT);
    assert_int_equal(call(SYS_process_vm_readv, (uint64_t)getpid(), page, 1, (uintptr_t)m, 0, 0),
                     0);
    v[2] = (struct iovec){ mine, 8 };
    assert_int_equal(call(SYS_process_vm_readv, (uint64_t)getpid(), page, 1, page + 32, 1, 0),
                     -EFAULT);
    assert_int_equal(call(SYS_mlock, core & ~4095ULL, 4096, 0, 0, 0, 0), -ENOMEM);
    assert_int_equal(call(SYS_munmap, core & ~4095ULL, 4096, 0, 0, 0, 0), 0); /* nothing is there */
    assert_int_equal(call(SYS_ioctl, 0, 0x12345, core, 0, 0, 0), -EFAULT);
    assert_string_equal(mine, "untouched");
    close(p[0]);
    close(p[1]);
}

/* A length that runs out of the client's range is the kernel's business: it stops where nothing is
 * mapped, and refuses what leaves user space. */
static void test_length_may_leave_the_client(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(write(p[1], "abc", 3), 3);
    assert_int_equal(call(SYS_read, (uint64_t)p[0], page, 1ULL << 46, 0, 0, 0), 3);
    assert_int_equal(call(SYS_read, (uint64_t)p[0], page, INT64_MAX, 0, 0, 0), -EFAULT);
    close(p[0]);
    close(p[1]);
}

static void test_iovecs(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_WRONLY);
    struct iovec *v = (void *)page;
    v[0] = (struct iovec){ (void *)(page + 100), 4 };
    v[1] = (struct iovec){ (void *)(page + 200), 6 };
    assert_int_equal(call(SYS_writev, (uint64_t)fd, page, 2, 0, 0, 0), 10);
    assert_events(
        "R writev(fd) r7/4\nR writev(vector) r6/8\nR writev(count) r2/4\n"
        "< writev(vector) +0/32\n< writev(vector[...]) +100/4\n< writev(vector[...]) +200/6\n");
    close(fd);
}

static void test_names_as_valgrind_has_them(void **state)
{
    (void)state;
    struct msghdr *m = (void *)page;
    struct iovec *v = (void *)(page + 128);
    *v = (struct iovec){ (void *)(page + 512), 4 };
    *m = (struct msghdr){ .msg_iov = v, .msg_iovlen = 1 };
    call(SYS_sendmsg, (uint64_t)-1, page, 0, 0, 0, 0);
    assert_non_null(strstr(events.s, "< sendmsg(msg.msg_iov[0]) +512/4\n"));
    struct sockaddr *a = (void *)page;
    a->sa_family = AF_INET;
    call(SYS_sendto, (uint64_t)-1, page + 64, 3, 0, page, 16);
    assert_non_null(strstr(events.s, "R sendto(tolen) r9/4\n"));
    assert_non_null(strstr(events.s, "< socketcall.sendto(msg) +64/3\n"
                                     "< socketcall.sendto(to.sa_family) +0/2\n"
                                     "< socketcall.sendto(to.sin_port) +2/2\n"
                                     "< socketcall.sendto(to.sin_addr) +4/4\n"));
    call(SYS_ioctl, (uint64_t)-1, TCSETS, page, 0, 0, 0);
    assert_non_null(strstr(events.s, "< ioctl(TCSET{S,SW,SF}) +0/36\n"));
    call(SYS_ioctl, (uint64_t)-1, 0x40047a03, page, 0, 0, 0); /* _IOW('z', 3, int) */
    assert_non_null(strstr(events.s, "< ioctl(generic) +0/4\n"));
    call(SYS_newfstatat, (uint64_t)-1, page, page + 64, 0, 0, 0);
    assert_non_null(strstr(events.s, "R fstatat(dfd) r7/4\n"));
    assert_non_null(strstr(events.s, "s fstatat(file_name) +0\n"));
    call(SYS_prlimit64, 0, 7, 0, page, 0, 0);
    assert_non_null(strstr(events.s, "> rlimit64(old_rlim) +0/16\n"));
    call(SYS_futex, page, FUTEX_WAKE, 1, 0, 0, 0);
    assert_non_null(strstr(events.s, "R futex(val) r2/4\n< futex(futex) +0/4\n"));
    strcpy((char *)page, "/no-such-dir/x");
    call(SYS_openat, (uint64_t)AT_FDCWD, page, O_RDONLY, 0, 0, 0);
    assert_null(strstr(events.s, "openat(mode)"));
    call(SYS_openat, (uint64_t)AT_FDCWD, page, O_CREAT | O_EXCL, 0, 0, 0);
    assert_non_null(strstr(events.s, "R openat(mode) r10/4\n"));
    call(SYS_poll, page, 1, 0, 0, 0, 0);
    assert_non_null(strstr(events.s, "< poll(ufds.fd) +0/4\n< poll(ufds.events) +4/2\n"
                                     "> poll(ufds.revents) +6/2\n"));
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void test_core_descriptors_do_not_exist(void **state)
{
    (void)state;
    int core = host_fd_move(open("/dev/null", O_RDWR));
    assert_true(core >= 0 && host_fd_is_core(core));
    uint64_t fd = (uint64_t)core;
    assert_int_equal(call(SYS_write, fd, page, 1, 0, 0, 0), -EBADF);
    assert_int_equal(call(SYS_close, fd, 0, 0, 0, 0, 0), -EBADF);
    assert_int_equal(call(SYS_dup, fd, 0, 0, 0, 0, 0), -EBADF);
    assert_int_equal(call(SYS_dup2, 0, fd, 0, 0, 0, 0), -EBADF);
    assert_int_equal(call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0), -EBADF);
    assert_int_equal(call(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 0), -EBADF);
    int mine = fcntl(0, F_DUPFD, 200);
    assert_int_equal(call(SYS_close_range, 200, UINT32_MAX, 0, 0, 0, 0), 0);
    assert_int_equal(fcntl(mine, F_GETFD), -1);
    assert_true(fcntl(core, F_GETFD) >= 0);
    host_fd_close(core);
}

static void test_descriptor_limit_is_the_clients(void **state)
{
    (void)state;
    uint64_t *rlim = (void *)page;
    assert_int_equal(call(SYS_getrlimit, 7, page, 0, 0, 0, 0), 0);
    assert_int_equal(rlim[0], host_fd_client_limit());
    uint64_t old = rlim[0];
    rlim[0] = 64;
    assert_int_equal(call(SYS_setrlimit, 7, page, 0, 0, 0, 0), 0);
    assert_int_equal(call(SYS_dup2, 0, 64, 0, 0, 0, 0), -EBADF);
    assert_int_equal(call(SYS_fcntl, 0, F_DUPFD, 64, 0, 0, 0), -EINVAL);
    rlim[0] = 3;
    assert_int_equal(call(SYS_setrlimit, 7, page, 0, 0, 0, 0), 0);
    assert_int_equal(call(SYS_dup, 0, 0, 0, 0, 0, 0), -EMFILE);
    rlim[0] = old;
    assert_int_equal(call(SYS_setrlimit, 7, page, 0, 0, 0, 0), 0);
}

/* ---- odds and ends --------------------------------------------------------------------------- */

static void test_thread_registers(void **state)
{
    (void)state;
    assert_int_equal(call(SYS_arch_prctl, 0x1002, 0x123456, 0, 0, 0, 0), 0);
    assert_int_equal(thread->state->guest.fs_base, 0x123456);
    assert_int_equal(call(SYS_arch_prctl, 0x1003, page, 0, 0, 0, 0), 0);
    assert_int_equal(*(uint64_t *)page, 0x123456);
    assert_int_equal(call(SYS_set_tid_address, page + 8, 0, 0, 0, 0, 0), syscall(SYS_gettid));
    assert_int_equal(thread->clear_child_tid, page + 8);
}

static void test_unknown_numbers(void **state)
{
    (void)state;
    assert_int_equal(call(334, 0, 0, 0, 0, 0, 0), -ENOSYS); /* rseq */
    assert_int_equal(call(0x40000000, 0, 0, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(call(500, 0, 0, 0, 0, 0, 0), -ENOSYS);
}

static void test_memory_calls(void **state)
{
    (void)state;
    int64_t a = call(SYS_mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     (uint64_t)-1, 0);
    assert_true(a > 0 && (uint64_t)a < GIMLE_CLIENT_END);
    *(char *)a = 1;
    int64_t b = call(SYS_mremap, (uint64_t)a, 8192, 1 << 20, MREMAP_MAYMOVE, 0, 0);
    assert_true(b > 0 && (uint64_t)b < GIMLE_CLIENT_END);
    assert_int_equal(*(char *)b, 1);
    assert_int_equal(call(SYS_munmap, (uint64_t)b, 1 << 20, 0, 0, 0, 0), 0);
    assert_int_equal(call(SYS_munmap, 1, 4096, 0, 0, 0, 0), -EINVAL);
    assert_int_equal(call(SYS_madvise, (uint64_t)b, GIMLE_CLIENT_END, 4, 0, 0, 0), -ENOMEM);
    assert_int_equal(call(SYS_mlockall, 0, 0, 0, 0, 0, 0), -EINVAL);
}

static void test_proc_self_is_the_clients(void **state)
{
    (void)state;
    char *s = (char *)page;
    strcpy(s, "/proc/self/exe");
    assert_int_equal(call(SYS_readlink, page, page + 100, 100, 0, 0, 0), 12);
    assert_memory_equal(s + 100, "/bin/a-client", 12);
    strcpy(s, "/proc/self/cmdline");
    int64_t fd = call(SYS_open, page, O_RDONLY, 0, 0, 0, 0);
    assert_true(fd >= 0);
    assert_int_equal(read((int)fd, s, 100), 4);
    assert_memory_equal(s, "a\0b\0", 4);
    assert_int_equal(call(SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0), 0);
    snprintf(s, 64, "/proc/%d/maps", getpid());
    fd = call(SYS_open, page, O_RDONLY, 0, 0, 0, 0);
    assert_true(fd >= 0);
    FILE *f = fdopen((int)fd, "r");
    unsigned long lo, hi;
    char line[512];
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%lx-%lx", &lo, &hi) == 2 && !strstr(line, "[vsyscall]"))
            assert_true(hi <= GIMLE_CLIENT_END);
    fclose(f);
}

static int set_up(void **state)
{
    (void)state;
    host_fd_init();
    assert_int_equal(aspace_init(false), 0);
    page = (GuestAddr)aspace_mmap(0, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                  -1, 0);
    thread = thread_new_main(false);
    syscall_init();
    core_events.sys_pre_reg = on_reg;
    core_events.sys_pre_read = on_read;
    core_events.sys_pre_read_string = on_string;
    core_events.sys_pre_write = on_write;
    core_events.sys_post_write = on_wrote;
    /* argc, argv "a" "b", no environment, empty auxv */
    uint64_t *sp = (uint64_t *)(page + 8 * 4096);
    char *strings = (char *)(page + 9 * 4096);
    memcpy(strings, "a\0b", 4);
    sp[0] = 2;
    sp[1] = (uintptr_t)strings;
    sp[2] = (uintptr_t)strings + 2;
    syscall_set_client(thread, &(SyscallClient){ .exe = "/bin/a-clien", .start_sp = (uintptr_t)sp });
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_the_kernels),
        cmocka_unit_test(test_rows_are_consistent),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_short_read_defines_only_what_was_read),
        cmocka_unit_test(test_pointers_to_the_core_are_refused),
        cmocka_unit_test(test_length_may_leave_the_client),
        cmocka_unit_test(test_iovecs),
        cmocka_unit_test(test_names_as_valgrind_has_them),
        cmocka_unit_test(test_core_descriptors_do_not_exist),
        cmocka_unit_test(test_descriptor_limit_is_the_clients),
        cmocka_unit_test(test_thread_registers),
        cmocka_unit_test(test_unknown_numbers),
        cmocka_unit_test(test_memory_calls),
        cmocka_unit_test(test_proc_self_is_the_clients),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
