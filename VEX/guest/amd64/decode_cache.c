/* SPDX-License-Identifier: MIT */
/*
 * A full decoding takes a quarter of a microsecond, and a program uses a few hundred shapes of
 * instructions.  So the first instruction of a shape is decoded by Zydis and kept as a template;
 * later ones are the template with other register numbers, displacement and immediate, which are
 * at known places.  A template is kept only if it reproduces the instruction it was made from;
 * shapes whose meaning depends on more than the key are never kept.
 *
 * The table is the one thing in VEX that all threads write: entries are facts about the
 * architecture, are published once by compare-and-swap, and never change or go away.
 */
#include "decode_cache.h"
#include "insn_table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_SLOTS = 4096, CACHE_PROBES = 8, MAX_LEN = 15 };
enum { REX_W = 8, REX_R = 4, REX_X = 2, REX_B = 1 };

typedef struct Template {
    uint32_t key;
    bool usable;  /**< false: this shape must be decoded each time */
    ImmFormat imm;
    bool has_vvvv;
    bool has_effect; /**< what it does does not depend on operands either */
    InsnEffect effect;
    Insn proto;
} Template;

static _Atomic(const Template *) cache[CACHE_SLOTS];

/* ---- shapes --------------------------------------------------------------------------------- */

/** A set of opcodes. */
typedef struct OpcodeSet {
    uint32_t bits[8]; /**< bit n of word w: opcode 32 * w + n */
} OpcodeSet;

static inline bool in_set(const OpcodeSet *s, unsigned op)
{
    return s->bits[op >> 5] >> (op & 31) & 1;
}

/* One-byte map: those with ModRM. */
static const OpcodeSet one_modrm = { {
    0x0f0f0f0f, 0x0f0f0f0f, 0x00000000, 0x00000a08,
    0x0000affb, 0x00000000, 0x000f00c3, 0xc0c00000 } };
/* Never kept: nop/xchg, fwait, moffs, moves of segments, other encodings, x87, prefixes, invalid. */
static const OpcodeSet one_never = { {
    0xc0c0c0c0, 0xc0c0c0c0, 0x0000ffff, 0x000000f7,
    0x0c01d004, 0x0000000f, 0xff704030, 0x000d0400 } };
/* Two-byte map: those without ModRM. */
static const OpcodeSet two_plain = { {
    0x00005ff0, 0x00ff0000, 0x00000000, 0x00800000,
    0x0000ffff, 0x00000707, 0x0000ff00, 0x00000000 } };
/* Never kept: the meaning is in the r/m field too, control registers, invalid. */
static const OpcodeSet two_never = { {
    0x00009413, 0x000000ff, 0x00000000, 0x03800000,
    0x00000000, 0x030040c0, 0x00000080, 0x80000000 } };

/** The prefixes that a shape may have, as bits of its key. */
enum { KP_66 = 1, KP_F3 = 2, KP_F2 = 4 };

/** Reads 66, F2, F3 and REX; returns the offset of what follows, or -1. */
static int parse_prefixes(const uint8_t *code, Shape *s, unsigned *bits)
{
    unsigned i = 0;
    for (;; i++) {
        if (code[i] < 0xf2 && code[i] != 0x66)
            break;
        unsigned bit = code[i] == 0x66 ? KP_66 : code[i] == 0xf3 ? KP_F3 : code[i] == 0xf2 ? KP_F2 : 0;
        if (!bit)
            break;
        if (*bits & bit || (bit != KP_66 && *bits & (KP_F2 | KP_F3)))
            return -1;
        *bits |= bit;
    }
    s->off_prefix = (uint8_t)i;
    if ((code[i] & 0xf0) == 0x40) {
        s->rex = code[i++] & 15;
        s->has_rex = 1;
    }
    return (int)i;
}

/** Key of everything but the ModRM byte. */
static uint32_t base_key(const Shape *s, unsigned map, unsigned prefixes, unsigned l)
{
    return 1u | (uint32_t)s->opcode << 1 | map << 9 | prefixes << 11 |
           (uint32_t)(s->vex_len != 0) << 14 | l << 15 | (uint32_t)(s->rex >> 3 & 1) << 16 |
           (uint32_t)s->has_rex << 17;
}

static bool parse_legacy(const uint8_t *code, Shape *s, bool *modrm)
{
    unsigned prefixes = 0, map = 0;
    int at = parse_prefixes(code, s, &prefixes);
    if (at < 0)
        return false;
    s->off_opcode = (uint8_t)at;
    const uint8_t *p = code + at;
    if (*p == 0x0f) {
        map = *++p == 0x38 ? 2 : *p == 0x3a ? 3 : 1;
        if (map > 1)
            p++;
    }
    s->opcode = *p;
    s->opcode_len = (uint8_t)(p + 1 - code - at);
    if (map == 0 && in_set(&one_never, *p))
        return false;
    if (map == 1 && in_set(&two_never, *p))
        return false;
    *modrm = map == 0 ? in_set(&one_modrm, *p) : map == 1 ? !in_set(&two_plain, *p) : true;
    s->key = base_key(s, map, prefixes, 0);
    return true;
}

static bool parse_vex(const uint8_t *code, Shape *s)
{
    unsigned last, map = 1;
    if (code[0] == 0xc5) {
        last = code[1];
        s->rex = code[1] & 0x80 ? 0 : REX_R;
        s->vex_len = 2;
    } else {
        last = code[2];
        map = code[1] & 31;
        s->rex = (uint8_t)((~code[1] >> 5 & 7) | (last >> 7 ? REX_W : 0));
        s->vex_len = 3;
    }
    if (map < 1 || map > 3)
        return false;
    s->vvvv = ~last >> 3 & 15; /* 0 if unused: encoded inverted */
    s->opcode = code[s->vex_len];
    s->off_opcode = s->vex_len;
    s->opcode_len = 1;
    if (map == 1 && s->opcode == 0x77)
        return false;
    s->key = base_key(s, map, last & 3, last >> 2 & 1);
    return true;
}

/** ModRM, SIB and displacement. */
static void parse_modrm(const uint8_t *code, Shape *s)
{
    unsigned at = s->off_opcode + s->opcode_len;
    s->off_modrm = (uint8_t)at;
    s->modrm = code[at++];
    unsigned mod = s->modrm >> 6, rm = s->modrm & 7;
    s->key |= (uint32_t)(s->modrm >> 3 & 7) << 18 | (uint32_t)(mod == 3) << 21 | 1u << 22;
    if (mod == 3) {
        s->off_imm = (uint8_t)at;
        return;
    }
    if (rm == 4) {
        s->has_sib = 1;
        s->sib = code[at++];
    }
    bool no_base = mod == 0 && (rm == 5 || (s->has_sib && (s->sib & 7) == 5));
    s->disp_size = mod == 1 ? 1 : mod == 2 || no_base ? 4 : 0;
    s->off_disp = (uint8_t)at;
    s->off_imm = (uint8_t)(at + s->disp_size);
}

bool shape_parse(const uint8_t *code, size_t avail, Shape *s)
{
    if (avail < MAX_LEN)
        return false; /* all reads below stay within the longest instruction */
    memset(s, 0, sizeof *s);
    bool modrm = true;
    if (code[0] == 0xc4 || code[0] == 0xc5) {
        if (!parse_vex(code, s))
            return false;
    } else if (!parse_legacy(code, s, &modrm)) {
        return false;
    }
    s->off_imm = (uint8_t)(s->off_opcode + s->opcode_len);
    if (modrm)
        parse_modrm(code, s);
    return true;
}

/* ---- templates -------------------------------------------------------------------------------- */

static uint32_t slot_of(uint32_t key)
{
    return key * 0x9e3779b1u >> 20;
}

_Static_assert(CACHE_SLOTS == 1 << 12, "slot_of() yields 12 bits");

static uint64_t read_bytes(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;
    memcpy(&v, p, bytes);
    return v;
}

static int64_t read_signed(const uint8_t *p, unsigned bytes)
{
    unsigned shift = 64 - 8 * bytes;
    return (int64_t)(read_bytes(p, bytes) << shift) >> shift;
}

static void set_immediates(const Template *t, const Shape *s, const uint8_t *code, Insn *in)
{
    unsigned at = s->off_imm;
    for (unsigned i = 0; i < 2 && t->imm.size[i]; i++) {
        unsigned n = t->imm.size[i];
        in->imm[i] = t->imm.sign >> i & 1 ? (uint64_t)read_signed(code + at, n)
                                          : read_bytes(code + at, n);
        at += n;
    }
    in->n.imm_len = (uint8_t)(at - s->off_imm);
    in->n.off_imm = in->n.imm_len ? s->off_imm : 0;
    in->len = (uint8_t)at;
}

static void set_memory(const Shape *s, const uint8_t *code, Insn *in)
{
    unsigned mod = s->modrm >> 6, rm = s->modrm & 7;
    in->mem_base = in->mem_index = REG_NONE;
    in->mem_scale = 0;
    in->mem_disp = s->disp_size ? read_signed(code + s->off_disp, s->disp_size) : 0;
    if (!s->has_sib) {
        in->mem_base = mod == 0 && rm == 5 ? AMD64_PC : (RegId)(rm | (s->rex & REX_B) << 3);
        return;
    }
    unsigned index = (s->sib >> 3 & 7) | (s->rex & REX_X) << 2, base = s->sib & 7;
    if (index != 4) {
        in->mem_index = (RegId)index;
        in->mem_scale = s->sib >> 6;
    }
    if (base != 5 || mod != 0)
        in->mem_base = (RegId)(base | (s->rex & REX_B) << 3);
}

_Static_assert(AMD64_RAX == 0 && AMD64_R15 == 15, "general registers are numbered as encoded");

/** The register number in the encoding's field for slot @p slot. */
static unsigned field(const Shape *s, const uint8_t *code, unsigned slot)
{
    switch (slot) {
    case NS_REG:
        return (s->modrm >> 3 & 7) | (s->rex & REX_R) << 1;
    case NS_RM:
        return (s->modrm & 7) | (s->rex & REX_B) << 3;
    case NS_VVVV:
        return s->vvvv;
    case NS_OPCODE:
        return (s->opcode & 7) | (s->rex & REX_B) << 3;
    default: /* NS_IS4 */
        return code[s->off_imm] >> 4;
    }
}

static void set_register(NativeOp *op, const Shape *s, const uint8_t *code)
{
    unsigned n = field(s, code, op->slot);
    if (op->cls == RC_GPR) {
        bool high = op->size == 1 && !s->has_rex && !s->vex_len && n >= 4;
        op->offset = high;
        op->reg = (RegId)(high ? n - 4 : n);
    } else if (op->cls == RC_VEC) {
        op->reg = (RegId)(AMD64_V0 + n);
    } else {
        op->reg = (RegId)(AMD64_K0 + (n & 7));
    }
}

static void set_registers(const Shape *s, const uint8_t *code, Insn *in)
{
    for (unsigned i = 0; i < in->n.n_ops; i++)
        if (in->n.op[i].slot != NS_FIXED)
            set_register(&in->n.op[i], s, code);
    for (unsigned i = 0; i < in->n_operands; i++) {
        Operand *o = &in->operand[i];
        if (o->kind != OPK_REG)
            continue;
        o->reg = in->n.op[o->native].reg;
        o->offset = in->n.op[o->native].offset;
    }
}

/** @p len (at most 15) of @p avail bytes, and zeros behind them. */
static void set_bytes(uint8_t to[16], const uint8_t *code, unsigned len, size_t avail)
{
    unsigned __int128 v = 0;
    if (avail < sizeof v) {
        memcpy(&v, code, len);
    } else {
        memcpy(&v, code, sizeof v);
        v &= ((unsigned __int128)1 << 8 * len) - 1;
    }
    memcpy(to, &v, sizeof v);
}

/** The instruction of template @p t at @p code; false if it is longer than what may be read. */
static bool instantiate(const Template *t, const Shape *s, const uint8_t *code, size_t avail,
                        GuestAddr addr, Insn *in)
{
    if (!t->has_vvvv && s->vvvv)
        return false; /* reserved value: let Zydis tell */
    *in = t->proto;
    set_immediates(t, s, code, in);
    if (in->len > MAX_LEN || in->len > avail)
        return false;
    NativeInsn *n = &in->n;
    in->addr = addr;
    in->next = addr + in->len;
    n->len = in->len;
    set_bytes(n->bytes, code, n->len, avail);
    n->off_prefix = s->off_prefix;
    n->prefix_len = s->vex_len ? s->vex_len : s->has_rex;
    n->off_opcode = s->off_opcode;
    n->off_modrm = s->off_modrm;
    set_registers(s, code, in);
    if (in->has_mem)
        set_memory(s, code, in);
    return true;
}

static const Template *find(uint32_t key)
{
    uint32_t at = slot_of(key);
    for (unsigned i = 0; i < CACHE_PROBES; i++) {
        const Template *t =
            atomic_load_explicit(&cache[(at + i) % CACHE_SLOTS], memory_order_acquire);
        if (!t || t->key == key)
            return t;
    }
    return NULL;
}

bool decode_cache_find(const Shape *s, const uint8_t *code, size_t avail, GuestAddr addr,
                       Insn *out)
{
    const Template *t = find(s->key);
    return t && t->usable && instantiate(t, s, code, avail, addr, out);
}

bool decode_cache_effect(const Shape *s, const uint8_t *code, size_t avail, GuestAddr addr,
                         InsnEffect *out)
{
    const Template *t = find(s->key);
    if (!t || !t->has_effect || (!t->has_vvvv && s->vvvv))
        return false;
    unsigned len = s->off_imm + t->imm.size[0] + t->imm.size[1];
    if (len > MAX_LEN || len > avail)
        return false;
    *out = t->effect;
    out->next = addr + len;
    if (out->direct)
        out->target = out->next + (uint64_t)read_signed(code + s->off_imm, t->imm.size[0]);
    return true;
}

/** Only what set_registers() and set_memory() can redo. */
static bool is_simple(const Shape *s, const Insn *in)
{
    if (in->n.flags & (NF_VSIB | NF_AVX512 | NF_X87) || in->mem_seg != REG_NONE || in->prefixes & INP_LOCK ||
        (in->has_mem && !in->n.off_modrm))
        return false;
    for (unsigned i = 0; i < in->n_operands; i++)
        if (in->operand[i].kind == OPK_OTHER)
            return false;
    for (unsigned i = 0; i < in->n.n_ops; i++)
        if (in->n.op[i].cls != RC_GPR && in->n.op[i].cls != RC_VEC)
            return false;
    return in->n.off_opcode == s->off_opcode;
}

static void publish(const Template *t)
{
    uint32_t at = slot_of(t->key);
    for (unsigned i = 0; i < CACHE_PROBES; i++) {
        const Template *none = NULL;
        if (atomic_compare_exchange_strong(&cache[(at + i) % CACHE_SLOTS], &none, t))
            return;
        if (none->key == t->key)
            break; /* another thread was faster */
    }
    free((void *)t);
}

void decode_cache_learn(const Shape *s, const uint8_t *code, const Insn *in, ImmFormat imm)
{
    if (find(s->key))
        return;
    Template *t = calloc(1, sizeof *t);
    if (!t)
        return;
    t->key = s->key;
    t->imm = imm;
    t->proto = *in;
    memset(t->proto.n.bytes, 0, sizeof t->proto.n.bytes);
    for (unsigned i = 0; i < in->n.n_ops; i++)
        t->has_vvvv |= in->n.op[i].slot == NS_VVVV;
    Insn again;
    memset(&again, 0, sizeof again);
    t->usable = is_simple(s, in) && instantiate(t, s, code, MAX_LEN, in->addr, &again) &&
                memcmp(&again, in, sizeof again) == 0;
    t->has_effect = t->usable && !(insn_row(in->mnemonic)->props & RP_COUNT_CL) &&
                    (in->operand[0].kind != OPK_IMM || imm.size[0]);
    t->effect = insn_effect(in);
    publish(t);
}
