/* SPDX-License-Identifier: MIT */
/* A translation as bytes of a file, and back. */
#ifndef COREGRIND_STORE_RECORD_H
#define COREGRIND_STORE_RECORD_H

#include "base/arena.h"
#include "store.h"

/**
 * Bytes of @p t, in @p arena; NULL if it calls something outside @p image.  Addresses of functions
 * become offsets in an image.
 */
const void *record_pack(const VexTranslation *t, const StoreImage *image, struct Arena *arena,
                        size_t *len);

/**
 * Read @p len bytes at @p data: @p t, its tables and *@p cold, the cold part of its code, point
 * into @p data (the calls: into @p arena) and are only to be read.  False if the bytes do not make
 * sense or the guest's code is not what it was.
 */
bool record_unpack(const void *data, size_t len, const StoreImage *image, struct Arena *arena,
                   VexTranslation *t, const uint8_t **cold);

#endif
