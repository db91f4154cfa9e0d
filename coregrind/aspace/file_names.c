/* SPDX-License-Identifier: MIT */
/*
 * The path of a file that is mapped: /proc tells.  Where there is no /proc (a bare chroot) the paths
 * that the client opened are kept, for without names there are no symbols.
 */
#include "file_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ranked_lock.h"
#include "base/vec.h"
#include "segments.h"

typedef struct FileName {
    dev_t dev;
    ino_t ino;
    const char *path; /* interned */
} FileName;

static VEC(FileName) names; /* LOCK_aspace */

bool file_names_wanted(void)
{
    static int answer = -1;
    if (answer < 0)
        answer = access("/proc/self/fd", F_OK) != 0;
    return answer;
}

void file_names_note(const char *path)
{
    struct stat st;
    char *real;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || !(real = realpath(path, NULL)))
        return;
    lock_take(LOCK_aspace);
    vec_push(&names, ((FileName){ st.st_dev, st.st_ino, segments_intern_path(real) }));
    lock_release(LOCK_aspace);
    free(real);
}

const char *file_names_of(int fd, dev_t dev, ino_t ino)
{
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n > 0) {
        path[n] = 0;
        return segments_intern_path(path);
    }
    for (size_t i = names.n; i-- > 0;) /* the last one that was opened */
        if (names.data[i].dev == dev && names.data[i].ino == ino)
            return names.data[i].path;
    return NULL;
}
