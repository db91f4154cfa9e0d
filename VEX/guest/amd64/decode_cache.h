/* SPDX-License-Identifier: MIT */
/*
 * What was learned about the shapes of instructions (decode_cache.c).  A shape is an encoding
 * less its register numbers, displacement and immediate.
 */
#ifndef VEX_GUEST_AMD64_DECODE_CACHE_H
#define VEX_GUEST_AMD64_DECODE_CACHE_H

#include "insn.h"

/** The parts of an encoding that can be told without knowing the instruction. */
typedef struct Shape {
    uint32_t key;     /**< never 0 */
    uint8_t rex;      /**< REX, or W, R, X, B of a VEX prefix in the places of REX */
    uint8_t vvvv;     /**< VEX.vvvv, not inverted: 0 if there is none */
    uint8_t opcode;
    uint8_t has_rex;  /**< a REX prefix is present */
    uint8_t vex_len;  /**< bytes of the VEX prefix, 0 if legacy */
    uint8_t off_prefix, off_opcode, opcode_len;
    uint8_t off_modrm; /**< 0: none */
    uint8_t modrm, sib, has_sib;
    uint8_t off_disp, disp_size;
    uint8_t off_imm;  /**< where the immediate would be */
} Shape;

/** How the immediates of a shape are encoded. */
typedef struct ImmFormat {
    uint8_t size[2]; /**< bytes, 0: not encoded */
    uint8_t sign;    /**< bits: immediate 0, 1 is sign-extended */
} ImmFormat;

/** Take @p code apart; false if the cache is not for such encodings. */
bool shape_parse(const uint8_t *code, size_t avail, Shape *s);

/**
 * Fill @p out with the instruction at @p code of shape @p s, all but what depends on its
 * operands (insn_apply_operands()).  False if its shape is not known.
 */
bool decode_cache_find(const Shape *s, const uint8_t *code, size_t avail, GuestAddr addr,
                       Insn *out);

/** Only what it does; false too if that depends on its operands. */
bool decode_cache_effect(const Shape *s, const uint8_t *code, size_t avail, GuestAddr addr,
                         InsnEffect *out);

/** Learn from @p in, a correct decoding of @p code in the state that decode_cache_find() yields. */
void decode_cache_learn(const Shape *s, const uint8_t *code, const Insn *in, ImmFormat imm);

#endif
