// SPDX-License-Identifier: MIT
// Memory calls: placement, remapping, protection, advice, brk, shared memory.
// DIFFERS: Valgrind maps otherwise
// TOOL: none
// STDOUT: ok
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { printf("line %d: %s (errno %d)\n", __LINE__, #x, errno); exit(1); } } while (0)

static sigjmp_buf back;
static void *fault_address;
static void on_segv(int sig, siginfo_t *i, void *u)
{
    (void)sig, (void)u;
    fault_address = i->si_addr;
    siglongjmp(back, 1);
}

static int faults(volatile char *p)
{
    if (sigsetjmp(back, 1))
        return fault_address == (void *)p;
    *p = 1;
    return 0;
}

/* Pages of a file, with code in them that has run, are exchanged in place. */
static void remapped_pages(void)
{
    int fd = memfd_create("pages", 0);
    MUST(fd >= 0 && ftruncate(fd, 4 * 4096) == 0);
    for (int i = 0; i < 4; i++) {
        unsigned char code[] = { 0xb8, i, 0, 0, 0, 0xc3 }; /* mov $i, %eax; ret */
        MUST(pwrite(fd, code, sizeof code, i * 4096) == sizeof code);
    }
    char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, fd, 0);
    MUST(p != MAP_FAILED);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++)
            MUST(((int (*)(void))(p + i * 4096))() == (round ? 3 - i : i));
        for (int i = 0; i < 4 && round == 0; i++)
            MUST(syscall(SYS_remap_file_pages, p + i * 4096, 4096, 0, 3 - i, 0) == 0);
    }
    MUST(syscall(SYS_remap_file_pages, p, 4096, PROT_READ, 0, 0) == -1 && errno == EINVAL);
    char *own = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    MUST(syscall(SYS_remap_file_pages, own, 4096, 0, 1, 0) == -1 && errno == EINVAL);
    MUST(munmap(p, 4 * 4096) == 0 && munmap(own, 4096) == 0 && close(fd) == 0);
}

int main(void)
{
    struct sigaction sa = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &sa, NULL);
    const int rw = PROT_READ | PROT_WRITE, anon = MAP_PRIVATE | MAP_ANONYMOUS;
    char *p = mmap(NULL, 16384, rw, anon, -1, 0);
    MUST(p != MAP_FAILED && p[100] == 0);
    p[0] = 7;
    MUST(mprotect(p + 4096, 4096, PROT_NONE) == 0 && faults(p + 4096 + 5));
    MUST(mprotect(p, 4096, PROT_READ) == 0 && faults(p) && p[0] == 7);
    MUST(mprotect(p, 16384, rw) == 0 && !faults(p + 4096));
    MUST(munmap(p + 8192, 4096) == 0 && faults(p + 8192) && !faults(p + 12288));
    char *q = mmap(p + 8192, 4096, rw, anon | MAP_FIXED_NOREPLACE, -1, 0);
    MUST(q == p + 8192);
    MUST(mmap(p, 4096, rw, anon | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
    p[0] = 42;
    char *big = mremap(p, 16384, 1 << 22, MREMAP_MAYMOVE);
    MUST(big != MAP_FAILED && big[0] == 42 && !faults(big + (1 << 22) - 1));
    MUST(mremap(big, 1 << 22, 4096, 0) == big && faults(big + 4096));
    char *low = mmap(NULL, 4096, rw, anon | MAP_32BIT, -1, 0);
    MUST(low != MAP_FAILED && (uintptr_t)low < 1ULL << 31);
    low[9] = 1;
    MUST(madvise(low, 4096, MADV_DONTNEED) == 0 && low[9] == 0);
    unsigned char vec[1];
    MUST(mincore(low, 4096, vec) == 0);
    MUST(msync(low, 4096, MS_ASYNC) == 0 && mlock(low, 4096) == 0 && munlock(low, 4096) == 0);
    MUST(mlockall(MCL_CURRENT) == 0 || errno == ENOMEM || errno == EPERM);
    MUST(munlockall() == 0);
    char *b = sbrk(0);
    MUST(sbrk(100000) == b && !faults(b + 99999) && b[5000] == 0);
    MUST(sbrk(-100000) == b + 100000 && sbrk(0) == b);
    int id = shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600);
    MUST(id >= 0);
    char *one = shmat(id, NULL, 0), *two = shmat(id, NULL, SHM_RDONLY);
    MUST(one != (void *)-1 && two != (void *)-1 && one != two);
    one[9000] = 5;
    struct shmid_ds ds;
    MUST(two[9000] == 5 && faults(two) && shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 2);
    MUST(shmdt(two) == 0 && shmctl(id, IPC_RMID, NULL) == 0 && shmdt(one) == 0 && faults(one));
    MUST(shmdt(one) == -1 && errno == EINVAL);
    int fd = open("/proc/self/exe", O_RDONLY);
    char *f = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    MUST(fd >= 0 && f != MAP_FAILED && memcmp(f, "\177ELF", 4) == 0 && faults(f));
    remapped_pages();
    MUST(mmap(NULL, 0, rw, anon, -1, 0) == MAP_FAILED && errno == EINVAL);
    MUST(mmap(NULL, 4096, rw, MAP_PRIVATE, 999, 0) == MAP_FAILED && errno == EBADF);
    MUST(mmap((void *)1, 4096, rw, anon | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
    MUST(munmap((void *)4097, 1) == -1 && errno == EINVAL);
    MUST(mprotect(p + 1, 1, rw) == -1 && errno == EINVAL);
    /* nothing of the core's can be had: the kernel's half of the 47 bits is above */
    MUST(mprotect((void *)0x7ffff0000000, 4096, rw) == -1 && errno == ENOMEM);
    MUST(munmap((void *)0x200000000000, 4096) == -1 || 1);
    puts("ok");
    return 0;
}
