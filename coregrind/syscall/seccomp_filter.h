/* SPDX-License-Identifier: MIT */
/*
 * Programs of seccomp filters: classic BPF over struct seccomp_data (seccomp(2), and
 * Documentation/userspace-api/seccomp_filter.rst of Linux).  Nothing here has state.
 */
#ifndef SYSCALL_SECCOMP_FILTER_H
#define SYSCALL_SECCOMP_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/** Would the kernel take this program?  @p n is 1 to BPF_MAXINSNS. */
bool seccomp_filter_valid(const struct sock_filter *program, unsigned n);

/** What a valid program answers for @p data: an action and 16 bits that belong to it. */
uint32_t seccomp_filter_run(const struct sock_filter *program, const struct seccomp_data *data);

#endif
