/* SPDX-License-Identifier: MIT */
/* The cases as data; the calls' numbers are those of Gimle's own table. */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/input.h>
#include <linux/loop.h>
#include <linux/membarrier.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/rtc.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <utime.h>

#include "probe.h"

enum {
#define SYS(no, name, ...) NR_##name = no,
#include "coregrind/syscall/syscalls.def"
#undef SYS
};

#define CASE(call, label, flags, ...)                                                       \
    { NR_##call, label[0] ? #call "/" label : #call, flags, { __VA_ARGS__ } },

extern const Case cases[];
extern const unsigned n_cases;

const Case cases[] = {
#include "cases_files.def"
#include "cases_memory.def"
#include "cases_process.def"
};
const unsigned n_cases = sizeof cases / sizeof cases[0];
