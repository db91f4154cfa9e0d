/* SPDX-License-Identifier: MIT */
/* Makes what a case needs: files with content, sockets with a peer, children that wait.  Each runs
 * in the process that makes the call, which ends afterwards; what outlives it is removed in clean(). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "makers.h"
#include "probe.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

static int shm_id = -1, sem_id = -1, msg_id = -1;
static pid_t child_pid;

void makers_clean(void)
{
    if (shm_id >= 0)
        shmctl(shm_id, IPC_RMID, NULL);
    if (sem_id >= 0)
        semctl(sem_id, 0, IPC_RMID);
    if (msg_id >= 0)
        msgctl(msg_id, IPC_RMID, NULL);
    if (child_pid > 0)
        kill(child_pid, SIGKILL);
}

long make_file(void)
{
    int fd = open("file", O_RDWR);
    return fd;
}

long make_rofile(void) { return open("file", O_RDONLY); }
long make_dir(void) { return open("dir", O_RDONLY | O_DIRECTORY); }
long make_null(void) { return open("/dev/null", O_RDWR); }

long make_pipe_in(void)
{
    int p[2];
    if (pipe(p) != 0 || write(p[1], "0123456789abcdef0123456789abcdef", 32) != 32)
        return -1;
    return p[0];
}

long make_pipe_out(void)
{
    int p[2];
    return pipe(p) == 0 ? p[1] : -1;
}

long make_full_pipe(void)
{
    int p[2];
    char b[4096] = "";
    if (pipe2(p, O_NONBLOCK) != 0)
        return -1;
    while (write(p[1], b, sizeof b) > 0)
        ;
    return p[1];
}

static long bound(int type)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int s = socket(AF_INET, type, 0);
    bind(s, (struct sockaddr *)&a, sizeof a);
    return s;
}

long make_tcp(void)
{
    int s = (int)bound(SOCK_STREAM);
    listen(s, 5);
    return s;
}

long make_udp(void)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    int s = (int)bound(SOCK_DGRAM), from = (int)bound(SOCK_DGRAM);
    getsockname(s, (struct sockaddr *)&a, &n);
    sendto(from, "message", 7, 0, (struct sockaddr *)&a, n);
    sendto(from, "second one", 10, 0, (struct sockaddr *)&a, n);
    return s;
}

static int connected(int *listener)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    *listener = (int)make_tcp();
    getsockname(*listener, (struct sockaddr *)&a, &n);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    connect(s, (struct sockaddr *)&a, n);
    return s;
}

long make_tcp_client(void)
{
    int listener;
    return connected(&listener);
}

long make_tcp_accept(void)
{
    int listener;
    connected(&listener);
    return listener;
}

long make_unix_stream(void)
{
    int s[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0 || write(s[1], "0123456789", 10) != 10)
        return -1;
    return s[0];
}

long make_unix_message(void)
{
    int s[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s) != 0 || write(s[1], "0123456789", 10) != 10 ||
        write(s[1], "second", 6) != 6)
        return -1;
    return s[0];
}

long make_unix_rights(void)
{
    int s[2];
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } c = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
    struct iovec v = { "rights", 6 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c,
                        .msg_controllen = sizeof c.room };
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s) != 0)
        return -1;
    memcpy(CMSG_DATA(&c.head), &s[1], sizeof(int));
    return sendmsg(s[1], &m, 0) == 6 ? s[0] : -1;
}

long make_epoll(void) { return epoll_create1(0); }

long make_epoll_ready(void)
{
    int e = epoll_create1(0);
    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 77 };
    epoll_ctl(e, EPOLL_CTL_ADD, (int)make_pipe_in(), &ev);
    return e;
}

long make_eventfd(void) { return eventfd(3, 0); }
long make_timerfd(void) { return timerfd_create(CLOCK_MONOTONIC, 0); }
long make_inotify(void) { return inotify_init1(0); }
long make_memfd(void)
{
    int fd = memfd_create("probe", MFD_ALLOW_SEALING);
    return ftruncate(fd, 65536) == 0 ? fd : -1;
}
long make_pidfd(void) { return syscall(SYS_pidfd_open, getpid(), 0); }
long make_child_pidfd(void) { return syscall(SYS_pidfd_open, make_child(), 0); }
long make_signalfd(void)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGUSR1);
    return signalfd(-1, &s, 0);
}
long make_landlock(void)
{
    uint64_t handled = 1;
    return syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
}
long make_userfaultfd(void) { return syscall(SYS_userfaultfd, 1 | O_NONBLOCK); }
long make_loop(void) { return open("/dev/loop0", O_RDWR); }
long make_tun(void) { return open("/dev/net/tun", O_RDWR); }
long make_pty(void) { return posix_openpt(O_RDWR | O_NOCTTY); }

static long queue(bool full)
{
    char name[64];
    struct mq_attr a = { .mq_maxmsg = 4, .mq_msgsize = 64 };
    snprintf(name, sizeof name, "/probe-%d", (int)getpid());
    int q = mq_open(name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &a);
    mq_unlink(name);
    if (full)
        mq_send(q, "a message", 9, 5);
    return q;
}

long make_mq(void) { return queue(false); }
long make_mq_full(void) { return queue(true); }
long make_namespace(void) { return open("/proc/self/ns/uts", O_RDONLY); }
long make_self(void) { return getpid(); }
long make_tid(void) { return syscall(SYS_gettid); }
long make_group(void) { return getpgrp(); }

long make_child(void)
{
    child_pid = fork();
    if (child_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return child_pid;
}

long make_dead_child(void)
{
    siginfo_t si;
    child_pid = fork();
    if (child_pid == 0)
        _exit(3);
    waitid(P_PID, (id_t)child_pid, &si, WEXITED | WNOWAIT);
    return child_pid;
}

/* A child that is traced and stopped; natively run children are all that ptrace is good for. */
long make_stopped_child(void)
{
    int status;
    make_child();
    syscall(SYS_ptrace, 16 /* ATTACH */, child_pid, 0, 0);
    waitpid(child_pid, &status, 0);
    return child_pid;
}

long make_shm(void) { return shm_id = shmget(IPC_PRIVATE, 8192, 0600); }
long make_shm_at(void) { return (long)shmat((int)make_shm(), NULL, 0); }
long make_sem(void) { return sem_id = semget(IPC_PRIVATE, 3, 0600); }
long make_msg(void) { return msg_id = msgget(IPC_PRIVATE, 0600); }
long make_msg_full(void)
{
    struct { long type; char text[10]; } m = { 1, "a message" };
    msgsnd((int)make_msg(), &m, sizeof m.text, 0);
    return msg_id;
}
long make_key(void)
{
    return syscall(SYS_add_key, "user", "probe", "payload", 7, -2 /* process keyring */);
}

long make_map(void)
{
    return (long)mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
long make_map_file(void)
{
    return (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, (int)make_file(), 0);
}
long make_stack_map(void) { return make_map() + 16 * 4096; }
long make_code_page(void)
{
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(p, "\xb8\x2a\x00\x00\x00\xc3", 6);
    return ((int (*)(void))p)() == 42 ? (long)p : -1;
}
long make_free_range(void)
{
    long a = make_map();
    munmap((void *)a, 16 * 4096);
    return a;
}

long make_aio(void)
{
    aio_context_t c = 0;
    syscall(SYS_io_setup, 8, &c);
    return (long)c;
}

long make_timer(void)
{
    int id = -1;
    struct sigevent e = { .sigev_notify = SIGEV_NONE };
    syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id);
    return id;
}

long make_brk_now(void) { return (long)sbrk(0); }

long make_ring(void)
{
    struct io_uring_params p = { 0 };
    return syscall(425, 4, &p);
}

/* inotify_rm_watch's second argument: the only watch of the instance that the first one opened. */
long make_watch(void) { return inotify_add_watch(3, "dir", IN_CREATE); }

long make_file_name_handle(void) { return open(".", O_RDONLY | O_DIRECTORY); }

static int word = 7;
long make_futex_word(void) { return (long)&word; }

long make_fsctx(void) { return syscall(430, "tmpfs", 0); }
