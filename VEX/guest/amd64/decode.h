/* SPDX-License-Identifier: MIT */
/* Decoding of amd64 instructions (decode.c). */
#ifndef VEX_GUEST_AMD64_DECODE_H
#define VEX_GUEST_AMD64_DECODE_H

#include <Zydis/Zydis.h>

#include "insn.h"

typedef struct Amd64Decoder {
    ZydisDecoder zydis;
} Amd64Decoder;

typedef enum DecodeStatus {
    DECODE_OK,
    DECODE_UNREADABLE, /**< the bytes end within the instruction */
    DECODE_UNKNOWN,    /**< not an instruction we know */
    DECODE_ILLEGAL,    /**< the processor raises #UD */
    DECODE_TOO_LONG    /**< the processor raises #GP */
} DecodeStatus;

void amd64_decoder_init(Amd64Decoder *d);

/**
 * Decode the instruction at @p code, which the guest has at @p addr and of which @p avail
 * bytes are readable.
 */
DecodeStatus amd64_decode(const Amd64Decoder *d, const uint8_t *code, size_t avail, GuestAddr addr,
                          Insn *out);

/** Only what the instruction does with control and condition codes, which is quicker. */
DecodeStatus amd64_decode_effect(const Amd64Decoder *d, const uint8_t *code, size_t avail,
                                 GuestAddr addr, InsnEffect *out);

/** amd64_decode() without what was learned from earlier instructions; for tests. */
DecodeStatus amd64_decode_uncached(const Amd64Decoder *d, const uint8_t *code, size_t avail,
                                   GuestAddr addr, Insn *out);

#endif
