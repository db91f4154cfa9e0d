/* SPDX-License-Identifier: MIT */
/* The order of things: find, follow scripts, map, break, stack. */
#include "image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/aspace/layout.h"

enum { MAX_SCRIPT_DEPTH = 5 };

/** Is it something execve would take? Sets errno. */
static bool image_is_runnable(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EACCES;
        return false;
    }
    return access(path, X_OK) == 0;
}

bool image_find(Image *img, const char *name, const char *path_env, char out[PATH_MAX])
{
    int err = ENOENT;
    if (strchr(name, '/')) {
        snprintf(out, PATH_MAX, "%s", name);
        if (image_is_runnable(out))
            return true;
        err = errno;
    } else {
        const char *p = path_env ? path_env : "/usr/local/bin:/usr/bin:/bin";
        for (;; p++) {
            size_t n = strcspn(p, ":");
            snprintf(out, PATH_MAX, "%.*s%s%s", (int)n, p, n ? "/" : "./", name);
            if (image_is_runnable(out))
                return true;
            if (errno == EACCES || errno == EISDIR)
                err = EACCES;
            p += n;
            if (!*p)
                break;
        }
    }
    img->not_found = err == ENOENT;
    snprintf(img->error, sizeof img->error, "%s: %s", name,
             err == ENOENT && !strchr(name, '/') ? "command not found"
             : err == EISDIR ? "is a directory" : strerror(err));
    return false;
}

bool image_load(Image *img, const ImageRequest *req)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", req->path);
    img->argv = req->argv;
    for (int depth = 0;; depth++) {
        int r = image_follow_script(img, path, depth == 0 && req->name ? req->name : path);
        if (r < 0)
            return false;
        if (r == 0)
            break;
        if (depth == MAX_SCRIPT_DEPTH) {
            snprintf(img->error, sizeof img->error, "%s: too many levels of #! scripts", req->path);
            return false;
        }
    }
    if (!image_map_elf(img, &img->exe, path, LAYOUT_PIE_BASE))
        return false;
    img->has_interp = img->exe.interp[0] != 0;
    if (img->has_interp && !image_map_elf(img, &img->interp, img->exe.interp, LAYOUT_INTERP_BASE))
        return false;
    aspace_set_brk_base(img->exe.end, 256ULL << 30);
    img->start_pc = img->has_interp ? img->interp.entry : img->exe.entry;
    return image_build_stack(img, req);
}
