/* SPDX-License-Identifier: MIT */
/* What the printer and the parser share: the scalar fields of a NATIVE's payload by name. */
#ifndef VEX_IR_TEXT_H
#define VEX_IR_TEXT_H

#include <stddef.h>
#include <string.h>

#include "gimle/native.h"

typedef struct NativeField {
    const char *name; /**< NULL after the last */
    uint16_t offset;
    uint8_t size;
} NativeField;

/** All scalar fields but len and n_ops, which follow from bytes= and op=. */
extern const NativeField ir_native_fields[];

/** Fields are read with their sign: an unsigned one is never wide enough for it to matter. */
static inline int64_t ir_native_field_get(const NativeInsn *n, const NativeField *f)
{
    int64_t v = 0;
    memcpy(&v, (const char *)n + f->offset, f->size);
    return f->size == 4 ? (int32_t)v : v;
}

static inline void ir_native_field_set(NativeInsn *n, const NativeField *f, int64_t v)
{
    memcpy((char *)n + f->offset, &v, f->size);
}

#endif
