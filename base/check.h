/* SPDX-License-Identifier: MIT */
/*
 * Assertions that stay on.  CHECK is for what only a bug of ours can break: it prints where,
 * what and the context that the core registered (guest and host state), and ends the process.
 * It is never used for what a user, a client program or the environment can cause.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#define CHECK(cond, ...)                                                                   \
    do {                                                                                   \
        if (__builtin_expect(!(cond), 0))                                                  \
            check_failed(__FILE__, __LINE__, __func__, #cond, " " __VA_ARGS__);             \
    } while (0)

/** Not reachable unless we have a bug. */
#define UNREACHABLE(...) check_failed(__FILE__, __LINE__, __func__, "unreachable", " " __VA_ARGS__)

_Noreturn void check_failed(const char *file, int line, const char *func, const char *cond,
                            const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/** What to do after the message is printed (core/fatal.c prints state and backtraces); may not return. */
extern void (*check_on_failure)(void);

#endif
