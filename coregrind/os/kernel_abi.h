/* SPDX-License-Identifier: MIT */
/*
 * Sizes and numbers of the kernel's interface on amd64 that the system's headers of an older
 * distribution, or libc's different types, do not give.  Layouts are facts of the ABI.
 */
#ifndef COREGRIND_KERNEL_ABI_H
#define COREGRIND_KERNEL_ABI_H

#include <stdint.h>

/* Newer than the headers of Debian 12. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

/* Sizes of structures that are only passed through, in bytes. */
enum {
    KSIZE_STAT = 144, KSIZE_STATFS = 120, KSIZE_STATX = 256, KSIZE_TIMESPEC = 16,
    KSIZE_TIMEVAL = 16, KSIZE_TIMEZONE = 8, KSIZE_ITIMERVAL = 32, KSIZE_ITIMERSPEC = 32,
    KSIZE_RUSAGE = 144, KSIZE_RLIMIT = 16, KSIZE_UTSNAME = 390, KSIZE_SYSINFO = 112,
    KSIZE_TMS = 32, KSIZE_SIGINFO = 128, KSIZE_SIGSET = 8, KSIZE_SIGACTION = 32,
    KSIZE_STACK = 24, KSIZE_TIMEX = 208, KSIZE_UTIMBUF = 16, KSIZE_POLLFD = 8,
    KSIZE_EPOLL_EVENT = 12, KSIZE_SHMID_DS = 112, KSIZE_SEMID_DS = 104, KSIZE_MSQID_DS = 120,
    KSIZE_SIGEVENT = 64, KSIZE_MQ_ATTR = 64, KSIZE_SCHED_PARAM = 4, KSIZE_CLONE_ARGS = 88,
    KSIZE_FLOCK = 32, KSIZE_OPEN_HOW = 24, KSIZE_IOCB = 64, KSIZE_IO_EVENT = 32,
    KSIZE_SEMBUF = 6, KSIZE_MMSGHDR = 64, KSIZE_MSGHDR = 56, KSIZE_IOVEC = 16,
    KSIZE_FUTEX_WAITV = 24, KSIZE_KEXEC_SEGMENT = 32, KSIZE_ROBUST_LIST = 24,
    KSIZE_FILE_HANDLE = 8, KSIZE_CAP_HEADER = 8, KSIZE_CAP_DATA = 12, KSIZE_USTAT = 32,
    KSIZE_IO_URING_PARAMS = 120, KSIZE_MOUNT_ATTR = 32, KSIZE_CACHESTAT_RANGE = 16,
    KSIZE_CACHESTAT = 40, KSIZE_MNT_ID_REQ = 24, KSIZE_FILE_ATTR = 24, KSIZE_XATTR_ARGS = 16
};

/** The kernel's struct clone_args (clone3). */
typedef struct KernelCloneArgs {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size, cgroup;
} KernelCloneArgs;

/** The kernel's struct user_msghdr. */
typedef struct KernelMsghdr {
    uint64_t name;
    uint32_t name_len, pad0;
    uint64_t iov, iov_len;
    uint64_t control, control_len;
    uint32_t flags, pad1;
} KernelMsghdr;

/** struct iovec with guest pointers. */
typedef struct KernelIovec {
    uint64_t base, len;
} KernelIovec;

/** struct rlimit. */
typedef struct KernelRlimit {
    uint64_t cur, max;
} KernelRlimit;

_Static_assert(sizeof(KernelCloneArgs) == KSIZE_CLONE_ARGS, "ABI");
_Static_assert(sizeof(KernelMsghdr) == KSIZE_MSGHDR, "ABI");

#endif
