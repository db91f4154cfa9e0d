/* SPDX-License-Identifier: MIT */
/* Names of mapped files, with and without /proc. */
#ifndef COREGRIND_FILE_NAMES_H
#define COREGRIND_FILE_NAMES_H

#include <stdbool.h>
#include <sys/types.h>

/** There is no /proc. */
bool file_names_wanted(void);
/** The client opened the file @p path: kept, to be found by file_names_of(). */
void file_names_note(const char *path);
/** Path of the file behind @p fd, NULL if unknown; interned. The caller holds LOCK_aspace. */
const char *file_names_of(int fd, dev_t dev, ino_t ino);

#endif
