/* SPDX-License-Identifier: MIT */
/*
 * What the launcher and the core agree on.  The launcher is a small static program; it starts the
 * core, a dynamically linked one, and must keep what is meant for the client away from the core's
 * own dynamic linker and libc.  Everything travels in the environment; argv is passed unchanged.
 *
 * 1. A variable meant for the client's dynamic linker or libc (LAUNCHER_HIDDEN below) is renamed
 *    in place: NAME=value becomes GIMLE_CLIENT_ENV_NAME=value.  A variable that has this prefix
 *    already gets it a second time, so removing the prefix once from each variable that has it
 *    gives the client's environment exactly, and in the original order.
 * 2. GIMLE_CORE_* variables are added at the end, for the core only; it removes them:
 *    GIMLE_CORE_LAUNCHER    path of the launcher; the core runs it for a traced execve
 *    GIMLE_CORE_LIB         directory of the core and of the tools
 *    GIMLE_CORE_RLIMIT_STACK  soft stack limit ("unlimited" or bytes) of the caller, present when
 *                           the launcher changed it: an unlimited one makes the kernel map
 *                           libraries bottom up into the shadow, and a tiny one is too small for
 *                           the core.  The client is given this limit.
 *    GIMLE_CORE_PERSONALITY personality (hex) of the caller, present when changed (same reason).
 *    Such variables in the caller's environment are dropped.
 * 3. For execve(path, argv, envp) of a traced client the core runs the launcher with
 *    argv = { launcher, options..., "--", path, argv[1]... } and, when argv[0] differs from path,
 *    GIMLE_CLIENT_ARGV0=argv[0] added to envp, which must be the client's envp (nothing hidden);
 *    so is GIMLE_CLIENT_NAME=name when the kernel would show another name than path (one without
 *    slash, or /dev/fd/N).  GIMLE_CLIENT_SECCOMP_0 and so on are the client's seccomp filters
 *    (syscall/seccomp.c), and GIMLE_CLIENT_TRACED tells of a tracer that runs under Gimle
 *    (signal/tracee.h).  The launcher passes these variables on and the core removes them.
 *    Before that the core itself refuses what may not be traced (set-user-ID programs), so that
 *    execve fails as it should.
 */
#ifndef CORE_LAUNCHER_H
#define CORE_LAUNCHER_H

#define LAUNCHER_ENV_PREFIX "GIMLE_CLIENT_ENV_"
#define LAUNCHER_CORE_PREFIX "GIMLE_CORE_"
#define LAUNCHER_PATH_VAR "GIMLE_CORE_LAUNCHER"
#define LAUNCHER_LIB_VAR "GIMLE_CORE_LIB"
#define LAUNCHER_STACK_VAR "GIMLE_CORE_RLIMIT_STACK"
#define LAUNCHER_PERSONALITY_VAR "GIMLE_CORE_PERSONALITY"
#define LAUNCHER_ARGV0_VAR "GIMLE_CLIENT_ARGV0"
#define LAUNCHER_NAME_VAR "GIMLE_CLIENT_NAME"
#define LAUNCHER_TRACED_VAR "GIMLE_CLIENT_TRACED"
#define LAUNCHER_SECCOMP_VAR "GIMLE_CLIENT_SECCOMP_" /* and a number */

/** Where users (and the tests) say that the core and the tools are somewhere else. */
#define LAUNCHER_LIB_OVERRIDE "GIMLE_LIB"

/**
 * Variables that the core's own libc would obey: a name, or a prefix when it ends with '_'
 * (LD_PRELOAD, LD_LIBRARY_PATH, ..., MALLOC_ARENA_MAX, ...).
 */
#define LAUNCHER_HIDDEN \
    { "LD_", "MALLOC_", "GLIBC_TUNABLES", "GCONV_PATH", "LIBC_FATAL_STDERR_", "UNW_", \
      LAUNCHER_ENV_PREFIX }

#endif
