// SPDX-License-Identifier: MIT
// Timers, clocks, queues and semaphores; futexes; asynchronous I/O.
// TOOL: none
// STDOUT: ok
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { printf("line %d: %s (errno %d)\n", __LINE__, #x, errno); exit(1); } } while (0)

static int word;
static volatile int got;
static void handler(int s) { got = s; }

static void *waker(void *arg)
{
    (void)arg;
    usleep(20000);
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
    return NULL;
}

static void times(void)
{
    struct timespec a, b, ten = { 0, 10000000 }, zero = { 0, 0 };
    struct timeval tv;
    MUST(clock_gettime(CLOCK_MONOTONIC, &a) == 0 && nanosleep(&ten, NULL) == 0);
    MUST(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
    MUST((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 10000000);
    MUST(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &zero, NULL) == 0);
    MUST(gettimeofday(&tv, NULL) == 0 && labs(tv.tv_sec - time(NULL)) <= 1);
    MUST(clock_getres(CLOCK_REALTIME, &a) == 0 && syscall(SYS_time, NULL) >= tv.tv_sec);
    int tfd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec its = { .it_value = ten }, cur;
    uint64_t ticks;
    MUST(timerfd_settime(tfd, 0, &its, NULL) == 0 && timerfd_gettime(tfd, &cur) == 0);
    MUST(read(tfd, &ticks, 8) == 8 && ticks == 1);
    signal(SIGALRM, handler);
    struct itimerval itv = { { 0, 10000 }, { 0, 10000 } }, off = { 0 }; /* the first may come before pause() */
    MUST(setitimer(ITIMER_REAL, &itv, NULL) == 0 && pause() == -1 && errno == EINTR && got == SIGALRM);
    MUST(setitimer(ITIMER_REAL, &off, NULL) == 0);
    got = 0;
    timer_t timer;
    struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
    its.it_interval = ten; /* as above */
    MUST(timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0 && timer_settime(timer, 0, &its, NULL) == 0);
    struct timespec one = { 1, 0 }, rest = { 0, 0 };
    MUST(nanosleep(&one, &rest) == -1 && errno == EINTR && got == SIGALRM && rest.tv_nsec > 0);
    MUST(timer_getoverrun(timer) >= 0 && timer_delete(timer) == 0);
}

static void signal_calls(void)
{
    sigset_t s, old, pend;
    siginfo_t si;
    struct timespec zero = { 0, 0 };
    sigemptyset(&s);
    sigaddset(&s, SIGUSR1);
    sigaddset(&s, SIGUSR2);
    signal(SIGUSR1, handler);
    MUST(sigprocmask(SIG_BLOCK, &s, &old) == 0 && kill(getpid(), SIGUSR1) == 0);
    MUST(sigpending(&pend) == 0 && sigismember(&pend, SIGUSR1) && !sigismember(&pend, SIGUSR2));
    MUST(sigtimedwait(&s, &si, &zero) == SIGUSR1 && si.si_pid == getpid());
    MUST(sigtimedwait(&s, &si, &zero) == -1 && errno == EAGAIN);
    union sigval v = { .sival_int = 99 };
    MUST(sigqueue(getpid(), SIGUSR2, v) == 0 && sigwaitinfo(&s, &si) == SIGUSR2 && si.si_value.sival_int == 99);
    int fd = signalfd(-1, &s, SFD_NONBLOCK);
    struct signalfd_siginfo fdsi;
    MUST(read(fd, &fdsi, sizeof fdsi) == -1 && errno == EAGAIN && raise(SIGUSR1) == 0);
    MUST(read(fd, &fdsi, sizeof fdsi) == sizeof fdsi && fdsi.ssi_signo == SIGUSR1);
    got = 0;
    raise(SIGUSR1);
    MUST(got == 0 && sigsuspend(&old) == -1 && errno == EINTR && got == SIGUSR1);
    MUST(sigprocmask(SIG_SETMASK, &old, &s) == 0 && sigismember(&s, SIGUSR1));
    stack_t ss = { .ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ }, was;
    MUST(sigaltstack(&ss, NULL) == 0 && sigaltstack(NULL, &was) == 0 && was.ss_sp == ss.ss_sp);
}

static void queues(void)
{
    struct { long type; char text[8]; } m = { 3, "hello" };
    int q = msgget(IPC_PRIVATE, 0600), s = semget(IPC_PRIVATE, 2, 0600);
    struct msqid_ds ds;
    MUST(q >= 0 && msgsnd(q, &m, 8, 0) == 0 && msgctl(q, IPC_STAT, &ds) == 0 && ds.msg_qnum == 1);
    memset(&m, 0, sizeof m);
    MUST(msgrcv(q, &m, 8, 3, 0) == 8 && strcmp(m.text, "hello") == 0 && msgctl(q, IPC_RMID, NULL) == 0);
    struct sembuf op = { 0, 2, 0 };
    unsigned short all[2];
    MUST(s >= 0 && semop(s, &op, 1) == 0 && semctl(s, 0, GETVAL) == 2);
    MUST(semctl(s, 0, GETALL, all) == 0 && all[0] == 2 && all[1] == 0 && semctl(s, 0, IPC_RMID) == 0);
}

static void aio(void)
{
    aio_context_t ctx = 0;
    char path[] = "/tmp/sys_aio_XXXXXX", buf[512] = "";
    int fd = mkstemp(path);
    unlink(path);
    MUST(write(fd, "data", 4) == 4);
    if (syscall(SYS_io_setup, 4, &ctx) != 0)
        return; /* a kernel without it */
    struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd,
                       .aio_buf = (uintptr_t)buf, .aio_nbytes = sizeof buf };
    struct iocb *list = &cb;
    struct io_event e;
    MUST(syscall(SYS_io_submit, ctx, 1, &list) == 1);
    MUST(syscall(SYS_io_getevents, ctx, 1, 1, &e, NULL) == 1 && e.res == 4 && memcmp(buf, "data", 4) == 0);
    MUST(*(volatile unsigned *)ctx != 0xffffffff); /* the ring can be read */
    MUST(syscall(SYS_io_destroy, ctx) == 0);
}

int main(void)
{
    times();
    signal_calls();
    queues();
    aio();
    pthread_t t;
    MUST(pthread_create(&t, NULL, waker, NULL) == 0);
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
    MUST(pthread_join(t, NULL) == 0);
    struct timespec tiny = { 0, 1000000 };
    MUST(syscall(SYS_futex, &word, FUTEX_WAIT, 1, &tiny) == -1 && errno == ETIMEDOUT);
    struct sysinfo info;
    char r[8];
    MUST(sysinfo(&info) == 0 && info.totalram > 0 && getrandom(r, 8, 0) == 8);
    int in = inotify_init1(IN_NONBLOCK);
    MUST(in >= 0 && inotify_add_watch(in, "/tmp", IN_CREATE) >= 0);
    puts("ok");
    return 0;
}
