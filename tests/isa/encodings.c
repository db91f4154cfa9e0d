/* SPDX-License-Identifier: MIT */
/*
 * Enumerates encodings: opcode map, opcode, mandatory prefix, W, L, the ModRM.reg field, register
 * or memory.  Everything else (which registers, displacement, immediate) is random.  Most numbers
 * do not stand for a valid instruction; the decoder tells.
 */
#include <stdbool.h>
#include <string.h>

#include "encodings.h"

static uint64_t random_state = 1;

void random_seed(uint64_t seed)
{
    random_state = seed ? seed : 1;
}

uint64_t random64(void)
{
    uint64_t x = random_state; /* xorshift64* */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random_state = x;
    return x * 0x2545f4914f6cdd1dull;
}

/** Fields of an encoding number, from the fastest varying. */
typedef struct Fields {
    unsigned memory, reg, opcode, w, pp, map, l, b;
} Fields;

enum { LEGACY_MAPS = 4, VEX_MAPS = 3, PER_MAP = 2 * 8 * 256 * 2 * 4 };
enum { EVEX_MAPS = 5, EVEX_PER_MAP = 2 * 8 * 256 * 2 * 4 * 4 * 2 };
enum {
    N_LEGACY = LEGACY_MAPS * PER_MAP, N_VEX = VEX_MAPS * 2 * PER_MAP,
    N_EVEX = EVEX_MAPS * EVEX_PER_MAP
};

static const uint8_t mandatory[4] = { 0, 0x66, 0xf3, 0xf2 };

unsigned encoding_count(void)
{
    return N_LEGACY + N_VEX + N_EVEX;
}

static Fields fields_of(unsigned k)
{
    Fields f;
    f.memory = k & 1;
    f.reg = k >> 1 & 7;
    f.opcode = k >> 4 & 255;
    f.w = k >> 12 & 1;
    f.pp = k >> 13 & 3;
    f.map = k >> 15;
    f.l = 0;
    return f;
}

/** ModRM, and SIB and displacement for memory; returns the end. */
static uint8_t *put_modrm(uint8_t *p, const Fields *f)
{
    unsigned mod = f->memory ? random_below(3) : 3, rm = random_below(8);
    *p++ = (uint8_t)(mod << 6 | f->reg << 3 | rm);
    if (mod == 3)
        return p;
    if (rm == 4)
        *p++ = (uint8_t)random64();
    return p; /* displacement and immediate: whatever random bytes follow */
}

static void put_random(uint8_t *p, const uint8_t *end)
{
    while (p < end)
        *p++ = random_below(4) ? (uint8_t)random_below(64) : (uint8_t)random64();
}

static void make_legacy(const Fields *f, uint8_t *p, const uint8_t *end)
{
    if (random_below(16) == 0)
        *p++ = 0xf0;
    if (random_below(16) == 0)
        *p++ = 0x67;
    if (mandatory[f->pp])
        *p++ = mandatory[f->pp];
    unsigned rex = random_below(8);
    if (f->w || random_below(2))
        *p++ = (uint8_t)(0x40 | f->w << 3 | rex);
    if (f->map)
        *p++ = 0x0f;
    if (f->map == 2)
        *p++ = 0x38;
    if (f->map == 3)
        *p++ = 0x3a;
    *p++ = (uint8_t)f->opcode;
    put_random(put_modrm(p, f), end);
}

static void make_vex(const Fields *f, uint8_t *p, const uint8_t *end)
{
    unsigned vvvv = random_below(3) ? random_below(16) : 15, rxb = random_below(8);
    if (random_below(16) == 0)
        *p++ = 0x67;
    *p++ = 0xc4;
    *p++ = (uint8_t)(rxb << 5 | (f->map + 1));
    *p++ = (uint8_t)(f->w << 7 | vvvv << 3 | f->l << 2 | f->pp);
    *p++ = (uint8_t)f->opcode;
    put_random(put_modrm(p, f), end);
}

/** Groups, where ModRM.reg is part of the opcode: shifts by a constant, prefetching gathers. */
static bool is_evex_group(const Fields *f)
{
    return (f->map == 0 && f->opcode >= 0x71 && f->opcode <= 0x73) ||
           (f->map == 1 && (f->opcode == 0xc6 || f->opcode == 0xc7));
}

static void make_evex(Fields *f, uint8_t *p, const uint8_t *end)
{
    static const uint8_t maps[EVEX_MAPS] = { 1, 2, 3, 5, 6 };
    unsigned vvvv = random_below(4) ? random_below(32) : 31, rxbr = random_below(16);
    unsigned mask = random_below(3) ? random_below(8) : 0, zeroing = mask && random_below(2);
    if (!is_evex_group(f)) {
        if (f->reg) { /* the same as reg 0: which register it is is random anyway */
            memset(p, 0x06, 15); /* no instruction */
            return;
        }
        f->reg = random_below(8);
    }
    if (random_below(16) == 0)
        *p++ = 0x67;
    *p++ = 0x62;
    *p++ = (uint8_t)(rxbr << 4 | maps[f->map]);
    *p++ = (uint8_t)(f->w << 7 | (vvvv & 15) << 3 | 4 | f->pp);
    *p++ = (uint8_t)(zeroing << 7 | f->l << 5 | f->b << 4 | (vvvv >> 4) << 3 | mask);
    *p++ = (uint8_t)f->opcode;
    put_random(put_modrm(p, f), end);
}

unsigned encoding_part(unsigned k, unsigned parts)
{
    return (k >> 4) % 256 % parts;
}

void encoding_make(unsigned k, uint8_t out[32])
{
    Fields f = fields_of(k < N_LEGACY ? k : k < N_LEGACY + N_VEX ? k - N_LEGACY
                                                                  : k - N_LEGACY - N_VEX);
    if (k < N_LEGACY) {
        make_legacy(&f, out, out + 32);
    } else if (k < N_LEGACY + N_VEX) {
        f.l = f.map & 1;
        f.map >>= 1;
        make_vex(&f, out, out + 32);
    } else {
        f.l = f.map & 3;
        f.b = f.map >> 2 & 1;
        f.map >>= 3;
        make_evex(&f, out, out + 32);
    }
}
