/* SPDX-License-Identifier: MIT */
/*
 * A guest instruction's bytes with other registers in them.  The fields of the encoding are
 * taken apart, those that operands name are replaced, and all is put together again; what no
 * operand names (opcode extensions, x87 stack registers, masks) stays as it was.
 */
#include "codegen.h"

/** The register fields of an instruction, full width. */
typedef struct Fields {
    unsigned reg, rm, vvvv, vsib;
    bool w, need_rex, no_rex;
    bool has_vsib, is4;
    unsigned is4_reg, opcode_reg, aaa;
} Fields;

static Fields fields_of(const NativeInsn *n)
{
    const uint8_t *p = n->bytes + n->off_prefix;
    unsigned modrm = n->off_modrm ? n->bytes[n->off_modrm] : 0;
    Fields f = { .reg = modrm >> 3 & 7, .rm = modrm & 7 };
    f.opcode_reg = n->bytes[n->off_opcode + n->opcode_len - 1] & 7;
    unsigned r = 0, x = 0, b = 0;
    if (n->enc == NE_LEGACY) {
        unsigned rex = n->prefix_len ? p[0] : 0;
        f.w = rex >> 3 & 1;
        r = rex >> 2 & 1;
        b = rex & 1;
    } else if (n->enc == NE_EVEX) {
        r = (~p[1] >> 7 & 1) | (~p[1] >> 4 & 1) << 1;
        x = ~p[1] >> 6 & 1;
        b = ~p[1] >> 5 & 1;
        f.w = p[2] >> 7;
        f.vvvv = (~p[2] >> 3 & 15) | (~p[3] >> 3 & 1) << 4;
        f.aaa = p[3] & 7;
    } else if (n->prefix_len == 2) {
        r = ~p[1] >> 7 & 1;
        f.vvvv = ~p[1] >> 3 & 15;
    } else {
        r = ~p[1] >> 7 & 1;
        b = ~p[1] >> 5 & 1;
        f.w = p[2] >> 7;
        f.vvvv = ~p[2] >> 3 & 15;
    }
    f.reg |= r << 3;
    f.opcode_reg |= b << 3;
    f.rm |= b << 3;
    if (n->enc == NE_EVEX && modrm >> 6 == 3)
        f.rm |= x << 4;
    return f;
}

static void set_field(Fields *f, const NativeOp *op, unsigned h, bool homes)
{
    if (op->cls == RC_GPR && op->size == 1 && op->slot <= NS_OPCODE && op->slot != NS_VVVV) {
        if (op->offset == 1 && h < 4 && homes) {
            f->no_rex = true;
            h += 4;
        } else if (h >= 4) {
            f->need_rex = true;
        }
    }
    switch (op->slot) {
    case NS_REG:
        f->reg = h;
        break;
    case NS_RM:
        f->rm = h;
        break;
    case NS_VVVV:
        f->vvvv = h;
        break;
    case NS_OPCODE:
        f->opcode_reg = h;
        break;
    case NS_IS4:
        f->is4 = true;
        f->is4_reg = h;
        break;
    case NS_AAA:
        f->aaa = h;
        break;
    case NS_VSIB:
        f->has_vsib = true;
        f->vsib = h;
        break;
    }
}

/** Prefixes that stay: not segment and address size, unless that is for each lane of a gather. */
static uint8_t *put_kept_prefixes(uint8_t *p, const NativeInsn *n, bool vsib)
{
    unsigned end = n->prefix_len ? n->off_prefix : n->off_opcode;
    for (unsigned k = 0; k < end; k++) {
        if (k + 1 != n->seg_prefix_off && (k + 1 != n->addr32_off || vsib))
            *p++ = n->bytes[k];
    }
    return p;
}

/** REX/VEX/EVEX X and B of the r/m side. */
static void rm_bits(const NativeInsn *n, const Fields *f, const HMem *m, unsigned *x, unsigned *b)
{
    if (!n->off_modrm) {
        *x = 0;
        *b = f->opcode_reg >> 3;
    } else if (!native_has_mem(n)) {
        *x = f->rm >> 4 & 1;
        *b = f->rm >> 3 & 1;
    } else {
        unsigned index = f->has_vsib ? f->vsib : m->index == H_NONE ? 0 : (unsigned)m->index;
        *x = index >> 3 & 1;
        *b = m->base == H_NONE ? 0 : m->base >> 3 & 1;
    }
}

static uint8_t *put_opcode_prefix(uint8_t *p, const NativeInsn *n, const Fields *f, unsigned x,
                                  unsigned b)
{
    const uint8_t *o = n->bytes + n->off_prefix;
    unsigned r = f->reg >> 3 & 1, v = ~f->vvvv & 15;
    if (n->enc == NE_LEGACY) {
        unsigned rex = (unsigned)f->w << 3 | r << 2 | x << 1 | b;
        CHECK(!rex || !f->no_rex, "high byte register with REX");
        if (rex || (f->need_rex && !f->no_rex))
            *p++ = (uint8_t)(0x40 | rex);
    } else if (n->enc == NE_EVEX) {
        unsigned v4 = f->has_vsib ? f->vsib >> 4 : f->vvvv >> 4;
        *p++ = 0x62;
        *p++ = (uint8_t)((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (~f->reg >> 4 & 1) << 4 |
                         (o[1] & 0x0f));
        *p++ = (uint8_t)((unsigned)f->w << 7 | v << 3 | (o[2] & 7));
        *p++ = (uint8_t)((o[3] & 0xf0) | (~v4 & 1) << 3 | f->aaa);
    } else {
        bool three = n->enc == NE_XOP || n->prefix_len == 3;
        unsigned map = three ? o[1] & 0x1f : 1, last = (three ? o[2] : o[1]) & 7;
        if (n->enc == NE_VEX && map == 1 && !x && !b && !f->w) {
            *p++ = 0xc5;
            *p++ = (uint8_t)((r ^ 1) << 7 | v << 3 | last);
        } else {
            *p++ = n->enc == NE_XOP ? 0x8f : 0xc4;
            *p++ = (uint8_t)((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | map);
            *p++ = (uint8_t)((unsigned)f->w << 7 | v << 3 | last);
        }
    }
    return p;
}

void emit_native(Code *c, const NativeInsn *n, const int8_t *host, const HMem *m, bool homes)
{
    Fields f = fields_of(n);
    for (unsigned k = 0; k < n->n_ops; k++) {
        if (host[k] != H_NONE)
            set_field(&f, &n->op[k], (unsigned)host[k], homes);
    }
    uint8_t *p = c->p;
    if (m && m->gs)
        *p++ = 0x65;
    p = put_kept_prefixes(p, n, f.has_vsib);
    unsigned x, b;
    rm_bits(n, &f, m, &x, &b);
    p = put_opcode_prefix(p, n, &f, x, b);
    memcpy(p, n->bytes + n->off_opcode, n->opcode_len);
    p += n->opcode_len;
    if (!n->off_modrm) {
        p[-1] = (uint8_t)((p[-1] & ~7u) | (f.opcode_reg & 7));
    } else if (native_has_mem(n)) {
        HMem mem = *m;
        if (f.has_vsib) {
            mem.index = (int8_t)(f.vsib & 15);
            mem.scale = n->bytes[n->off_modrm + 1] >> 6;
        }
        p = put_mem(p, f.reg, &mem, n->disp8_scale);
    } else {
        *p++ = (uint8_t)(0xc0 | (f.reg & 7) << 3 | (f.rm & 7));
    }
    memcpy(p, n->bytes + n->off_imm, n->imm_len);
    if (f.is4)
        p[0] = (uint8_t)((p[0] & 15) | f.is4_reg << 4);
    c->p = p + n->imm_len;
}
