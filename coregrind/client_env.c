/* SPDX-License-Identifier: MIT */
/* See client_env.h; the protocol is in launcher/launcher.h. */
#include "client_env.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "launcher/launcher.h"

extern char **environ;

static int has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

char **client_env_build(void)
{
    size_t n = 0, k = 0;
    while (environ[n])
        n++;
    char **env = calloc(n + 1, sizeof *env);
    CHECK(env != NULL);
    for (size_t i = 0; i < n; i++) {
        char *e = environ[i];
        if (has_prefix(e, LAUNCHER_CORE_PREFIX) || has_prefix(e, LAUNCHER_ARGV0_VAR "=") ||
            has_prefix(e, LAUNCHER_NAME_VAR "=") || has_prefix(e, LAUNCHER_TRACED_VAR "=") ||
            has_prefix(e, LAUNCHER_SECCOMP_VAR))
            continue;
        if (has_prefix(e, LAUNCHER_ENV_PREFIX))
            e += strlen(LAUNCHER_ENV_PREFIX);
        env[k++] = e;
    }
    return env;
}

const char *client_env_get(char **envp, const char *name)
{
    size_t n = strlen(name);
    for (; *envp; envp++)
        if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
            return *envp + n + 1;
    return NULL;
}

const char *client_env_lib_dir(void)
{
    static char self[PATH_MAX];
    const char *dir = getenv(LAUNCHER_LIB_VAR);
    if (dir && *dir)
        return dir;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    return dirname(self);
}

uint64_t client_env_stack_limit(void)
{
    const char *s = getenv(LAUNCHER_STACK_VAR);
    struct rlimit r;
    if (s)
        return strcmp(s, "unlimited") == 0 ? RLIM_INFINITY : strtoull(s, NULL, 10);
    return getrlimit(RLIMIT_STACK, &r) == 0 ? r.rlim_cur : 8u << 20;
}
