/* SPDX-License-Identifier: MIT */
/* The handlers that syscalls.def names; which file each is in follows from its family. */
#ifndef SYSCALL_SPECIAL_H
#define SYSCALL_SPECIAL_H

#include "table.h"

SysHandler sys_adjtimex;
SysHandler sys_arch_prctl;
SysHandler sys_bpf;
SysHandler sys_brk;
SysHandler sys_capget;
SysHandler sys_capset;
SysHandler sys_clone;
SysHandler sys_clone3;
SysHandler sys_close;
SysHandler sys_close_range;
SysHandler sys_dup2;
SysHandler sys_dup3;
SysHandler sys_einval;
SysHandler sys_enosys;
SysHandler sys_epoll_ctl;
SysHandler sys_epoll_pwait;
SysHandler sys_execve;
SysHandler sys_execveat;
SysHandler sys_exit;
SysHandler sys_exit_group;
SysHandler sys_fcntl;
SysHandler sys_fork;
SysHandler sys_fsconfig;
SysHandler sys_futex;
SysHandler sys_futex_requeue;
SysHandler sys_futex_waitv;
SysHandler sys_get_mempolicy;
SysHandler sys_get_robust_list;
SysHandler sys_getdents;
SysHandler sys_getitimer;
SysHandler sys_getrlimit;
SysHandler sys_getsockopt;
SysHandler sys_gettid;
SysHandler sys_io_getevents;
SysHandler sys_io_pgetevents;
SysHandler sys_io_setup;
SysHandler sys_io_submit;
SysHandler sys_io_uring_enter;
SysHandler sys_io_uring_register;
SysHandler sys_io_uring_setup;
SysHandler sys_ioctl;
SysHandler sys_keyctl;
SysHandler sys_landlock_add_rule;
SysHandler sys_lsm_get_self_attr;
SysHandler sys_lsm_list_modules;
SysHandler sys_madvise;
SysHandler sys_mbind;
SysHandler sys_membarrier;
SysHandler sys_migrate_pages;
SysHandler sys_mincore;
SysHandler sys_mlockall;
SysHandler sys_mmap;
SysHandler sys_move_pages;
SysHandler sys_mprotect;
SysHandler sys_mq_open;
SysHandler sys_mremap;
SysHandler sys_msgctl;
SysHandler sys_msgrcv;
SysHandler sys_msgsnd;
SysHandler sys_munlockall;
SysHandler sys_munmap;
SysHandler sys_name_to_handle_at;
SysHandler sys_nanosleep;
SysHandler sys_open;
SysHandler sys_open_by_handle_at;
SysHandler sys_openat;
SysHandler sys_openat2;
SysHandler sys_path_of_self;
SysHandler sys_pathat_of_self;
SysHandler sys_perf_event_open;
SysHandler sys_personality;
SysHandler sys_pipe;
SysHandler sys_pkey_alloc;
SysHandler sys_ppoll;
SysHandler sys_prctl;
SysHandler sys_prlimit64;
SysHandler sys_process_madvise;
SysHandler sys_process_vm_readv;
SysHandler sys_process_vm_writev;
SysHandler sys_pselect6;
SysHandler sys_ptrace;
SysHandler sys_quotactl;
SysHandler sys_readlink;
SysHandler sys_readlinkat;
SysHandler sys_recvmmsg;
SysHandler sys_recvmsg;
SysHandler sys_remap_file_pages;
SysHandler sys_restart_syscall;
SysHandler sys_rt_sigaction;
SysHandler sys_rt_sigpending;
SysHandler sys_rt_sigprocmask;
SysHandler sys_rt_sigqueueinfo;
SysHandler sys_rt_sigreturn;
SysHandler sys_rt_sigsuspend;
SysHandler sys_rt_sigtimedwait;
SysHandler sys_sched_setattr;
SysHandler sys_seccomp;
SysHandler sys_semctl;
SysHandler sys_sendmmsg;
SysHandler sys_sendmsg;
SysHandler sys_set_mempolicy;
SysHandler sys_set_robust_list;
SysHandler sys_set_tid_address;
SysHandler sys_setitimer;
SysHandler sys_setrlimit;
SysHandler sys_setsockopt;
SysHandler sys_shmat;
SysHandler sys_shmctl;
SysHandler sys_shmdt;
SysHandler sys_sigaltstack;
SysHandler sys_socketpair;
SysHandler sys_sysfs;
SysHandler sys_timer_create;
SysHandler sys_unshare;
SysHandler sys_utimensat;
SysHandler sys_utimes;
SysHandler sys_vfork;
SysHandler sys_vmsplice;
SysHandler sys_wait4;
SysHandler sys_waitid;
SysHandler sys_xattrat;

/** prctl(PR_SET_SYSCALL_USER_DISPATCH) */
void sys_prctl_user_dispatch(SysCall *c);
/** Under user dispatch: true if the call that is about to be made has become a signal. */
bool syscall_user_dispatch(Thread *t);
/** @p fd was mapped from @p offset to @p at: part of a ring? (io_uring.c) */
void io_uring_mapped(int fd, uint64_t offset, GuestAddr at);
/** sys_do() with the signal mask at @p mask (0: none) in force, as in ppoll(2) (special_signal.c). */
void sys_do_with_mask(SysCall *c, GuestAddr mask, uint64_t size);

#endif
