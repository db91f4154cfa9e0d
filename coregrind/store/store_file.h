/* SPDX-License-Identifier: MIT */
/*
 * A file of records found by 64-bit keys, kept between runs: what one run adds is appended as a
 * segment with an index of its own; a file with many segments is written anew.
 *
 * The file is trusted as far as its owner is: it must belong to the effective user and be writable
 * by nobody else.  Damage (a full disk, a torn write) is expected: every length is checked when it
 * is used, and a record is only given out if the hash in its index entry agrees.
 *
 * Format, little-endian: StoreFileHead; then segments: StoreSegment, its index (StoreEntry, by
 * ascending key), its records.  What follows the last valid segment is ignored and overwritten.
 */
#ifndef COREGRIND_STORE_FILE_H
#define COREGRIND_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the names of such files end in; store_directory_trim() looks at no others. */
#define STORE_SUFFIX ".gimle-code"

typedef struct StoreFile StoreFile;

/**
 * Open @p name in the directory @p dir_fd; a file that is missing, not ours, or made for another
 * @p purpose is as an empty one.  Never NULL.  Not thread-safe, nor are the others.
 */
StoreFile *store_file_open(int dir_fd, const char *name, uint64_t purpose);

/** The record with @p key, newest first; valid until the file is closed. False: none. */
bool store_file_find(StoreFile *f, uint64_t key, const void **data, size_t *len);

/** Remember a record (copied) for the next store_file_save(). */
void store_file_add(StoreFile *f, uint64_t key, const void *data, size_t len);

/** Bytes that wait to be written. */
size_t store_file_pending(const StoreFile *f);
/** Forget what waits to be written. */
void store_file_drop_pending(StoreFile *f);

/**
 * Write what waits into @p dir_fd, beside what other processes have written meanwhile; 0 or negative
 * errno.  The file never grows above @p limit bytes: it starts anew with what waits instead.
 */
int store_file_save(StoreFile *f, int dir_fd, size_t limit);

void store_file_close(StoreFile *f);

/**
 * Open (create if @p create) the directory of such files; -1 and *why if it cannot be had or is not
 * the effective user's own.
 */
int store_directory_open(const char *path, bool create, const char **why);

/** Remove the oldest of our files in directory @p dir_fd until at most @p limit bytes are left. */
void store_directory_trim(int dir_fd, uint64_t limit);

#endif
