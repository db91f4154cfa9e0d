/* SPDX-License-Identifier: MIT */
/*
 * Bringing the client's program into memory: what execve does in the kernel.  Finds the program,
 * follows #! lines, maps the ELF file and its interpreter, sets up brk and the initial stack.
 * Everything read from the file is checked; a file that the kernel would refuse is refused.
 */
#ifndef COREGRIND_IMAGE_H
#define COREGRIND_IMAGE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "gimle/ir.h"

#define IMAGE_MAX_SEGMENTS 32

/** One PT_LOAD segment as mapped. */
typedef struct ImageSegment {
    GuestAddr start, end;
    int prot;
    uint64_t file_offset;
} ImageSegment;

/** One mapped ELF file. */
typedef struct ImageObject {
    char path[PATH_MAX];
    GuestAddr bias;       /**< added to the file's virtual addresses */
    GuestAddr entry;
    GuestAddr phdr;       /**< program headers in memory, 0 if they are not mapped */
    unsigned phnum, phent;
    GuestAddr end;        /**< after the last segment */
    ImageSegment seg[IMAGE_MAX_SEGMENTS];
    unsigned n_seg;
    char interp[PATH_MAX];/**< "" if none */
    bool exec_stack;
} ImageObject;

typedef struct Image {
    ImageObject exe, interp;
    bool has_interp;
    char **argv;          /**< after #! processing; owned by the image */
    GuestAddr start_pc, start_sp;
    GuestAddr stack_lo, stack_hi;
    char error[PATH_MAX + 200]; /**< why it failed, without "gimle: " */
    bool not_found;             /**< there is no such program; otherwise it cannot be run */
} Image;

/**
 * Find @p name as execvp would: with a slash as it is, else along @p path_env. False and a message
 * in img->error if there is none that could be run.
 */
bool image_find(Image *img, const char *name, const char *path_env, char out[PATH_MAX]);

/** What image_load() needs to know. */
typedef struct ImageRequest {
    const char *path;     /**< from image_find() */
    const char *name;     /**< what the program is told about it; NULL: path */
    char **argv, **envp;  /**< the client's; argv[0] as the user typed it */
    GuestAddr vdso;       /**< for AT_SYSINFO_EHDR, 0: none */
    uint64_t stack_limit; /**< bytes; RLIM_INFINITY allowed */
} ImageRequest;

/** Map everything; false and img->error on failure (nothing else may be assumed then). */
bool image_load(Image *img, const ImageRequest *req);

/* ---- parts, in their own files ------------------------------------------------------------ */

/** elf_load.c: map the ELF file @p path. @p base: where a position-independent one goes. */
bool image_map_elf(Image *img, ImageObject *obj, const char *path, GuestAddr base);
/**
 * script.c: if @p path (called @p name) starts with #!, replace it and img->argv; 1 replaced, 0 not
 * a script, -1 error.
 */
int image_follow_script(Image *img, char path[PATH_MAX], const char *name);
/** initial_stack.c: map the stack, lay out argv, envp and auxv; sets start_sp, stack_lo, stack_hi. */
bool image_build_stack(Image *img, const ImageRequest *req);

#endif
