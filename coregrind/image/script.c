/* SPDX-License-Identifier: MIT */
/* #! lines, with the kernel's rules: one optional argument, at most four levels (execve(2)). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "coregrind/core/options.h"
#include "image.h"

enum { SCRIPT_LINE = 256 };

/** Put @p interp, @p arg (may be NULL) and the script's path in front of the arguments. */
static void script_prepend(Image *img, const char *interp, const char *arg, const char *script)
{
    size_t n = 0;
    while (img->argv[n])
        n++;
    char **argv = calloc(n + 4, sizeof *argv);
    CHECK(argv != NULL);
    size_t k = 0;
    argv[k++] = strdup(interp);
    if (arg)
        argv[k++] = strdup(arg);
    argv[k++] = strdup(script);
    for (size_t i = 1; i < n; i++)
        argv[k++] = img->argv[i];
    img->argv = argv;
}

/** A text without an interpreter is for the shell, if Valgrind's customs are followed. */
static int give_to_shell(Image *img, char path[PATH_MAX], const char *name)
{
    script_prepend(img, "/bin/sh", NULL, name);
    snprintf(path, PATH_MAX, "/bin/sh");
    return 1;
}

/** No byte of its first line is one that texts do not have. */
static bool is_text(const char *head, size_t n)
{
    for (size_t i = 0; i < n && head[i] != '\n'; i++) {
        unsigned char c = (unsigned char)head[i];
        if (c == 0x7f || (c < ' ' && !strchr("\t\r\f\v", c)) || c == 0)
            return false;
    }
    return true;
}

int image_follow_script(Image *img, char path[PATH_MAX], const char *name)
{
    char line[SCRIPT_LINE + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0; /* opening it as ELF gives the message */
    ssize_t n = read(fd, line, SCRIPT_LINE);
    close(fd);
    if (n < 2 || line[0] != '#' || line[1] != '!') {
        if (n < 0 || !options_as_valgrind() || (n >= 4 && memcmp(line, "\177ELF", 4) == 0))
            return 0;
        if (is_text(line, (size_t)n))
            return give_to_shell(img, path, name);
        snprintf(img->error, sizeof img->error, "%s: cannot execute binary file", path);
        return -1;
    }
    line[n] = 0;
    line[strcspn(line, "\n")] = 0;
    char *interp = line + 2 + strspn(line + 2, " \t");
    size_t len = strcspn(interp, " \t");
    char *arg = NULL;
    if (interp[len]) {
        arg = interp + len + strspn(interp + len, " \t");
        interp[len] = 0;
        size_t m = strlen(arg);
        while (m > 0 && (arg[m - 1] == ' ' || arg[m - 1] == '\t'))
            arg[--m] = 0;
        if (m == 0)
            arg = NULL;
    }
    if (!*interp && options_as_valgrind())
        return give_to_shell(img, path, name);
    if (!*interp) {
        snprintf(img->error, sizeof img->error, "%s: no interpreter after #!", path);
        return -1;
    }
    if (access(interp, X_OK) != 0) {
        if (options_as_valgrind())
            snprintf(img->error, sizeof img->error, "%s: bad interpreter: %m", path);
        else
            snprintf(img->error, sizeof img->error, "%s: bad interpreter %s: %m", path, interp);
        return -1;
    }
    script_prepend(img, interp, arg, name);
    snprintf(path, PATH_MAX, "%s", interp);
    return 1;
}
