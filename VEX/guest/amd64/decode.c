/* SPDX-License-Identifier: MIT */
/*
 * Decoding: Zydis' view of an instruction turned into ours.  This file owns the rule that the
 * NATIVE payload tells everything about an instruction that Zydis knows: registers with the
 * bytes that are read and written, memory, condition codes, where the fields of the encoding
 * are.  What a tool may conclude from it (the definedness rule) comes from the tables.
 */
#include <Zydis/Zydis.h>
#include <string.h>

#include "base/check.h"
#include "decode.h"
#include "decode_cache.h"
#include "insn_table.h"

/** A run of Zydis register numbers that maps to a run of ours. */
typedef struct RegRun {
    uint16_t first, last; /**< ZydisRegister */
    uint8_t cls, size, offset;
    RegId reg;            /**< of first */
} RegRun;

static const RegRun reg_runs[] = {
    { ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15, RC_GPR, 8, 0, AMD64_RAX },
    { ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D, RC_GPR, 4, 0, AMD64_RAX },
    { ZYDIS_REGISTER_AL, ZYDIS_REGISTER_BL, RC_GPR, 1, 0, AMD64_RAX },
    { ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH, RC_GPR, 1, 1, AMD64_RAX },
    { ZYDIS_REGISTER_SPL, ZYDIS_REGISTER_R15B, RC_GPR, 1, 0, AMD64_RSP },
    { ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W, RC_GPR, 2, 0, AMD64_RAX },
    { ZYDIS_REGISTER_XMM0, ZYDIS_REGISTER_XMM31, RC_VEC, 16, 0, AMD64_V0 },
    { ZYDIS_REGISTER_YMM0, ZYDIS_REGISTER_YMM31, RC_VEC, 32, 0, AMD64_V0 },
    { ZYDIS_REGISTER_ZMM0, ZYDIS_REGISTER_ZMM31, RC_VEC, 64, 0, AMD64_V0 },
    { ZYDIS_REGISTER_K0, ZYDIS_REGISTER_K7, RC_MASK, 8, 0, AMD64_K0 },
};

/** Our number of a Zydis register; NULL if it is not one that NATIVE operands name. */
static const RegRun *find_register(ZydisRegister r, RegId *reg)
{
    for (size_t i = 0; i < sizeof reg_runs / sizeof reg_runs[0]; i++)
        if (r >= reg_runs[i].first && r <= reg_runs[i].last) {
            *reg = (RegId)(reg_runs[i].reg + (r - reg_runs[i].first));
            return &reg_runs[i];
        }
    return NULL;
}

static RegId address_register(ZydisRegister r)
{
    RegId reg;
    if (r == ZYDIS_REGISTER_NONE)
        return REG_NONE;
    if (r == ZYDIS_REGISTER_RIP || r == ZYDIS_REGISTER_EIP)
        return AMD64_PC;
    return find_register(r, &reg) ? reg : REG_NONE;
}

static bool is_fpu_register(ZydisRegister r)
{
    return r >= ZYDIS_REGISTER_ST0 && r <= ZYDIS_REGISTER_MM7;
}

static uint8_t access_of(const ZydisDecodedOperand *z)
{
    uint8_t a = 0;
    if (z->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
        a |= NA_READ;
    if (z->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
        a |= NA_WRITE;
    if (z->actions & ZYDIS_OPERAND_ACTION_CONDWRITE)
        a |= NA_COND;
    return a;
}

static const uint8_t slot_of_encoding[] = {
    [ZYDIS_OPERAND_ENCODING_NONE] = NS_FIXED,
    [ZYDIS_OPERAND_ENCODING_MODRM_REG] = NS_REG,
    [ZYDIS_OPERAND_ENCODING_MODRM_RM] = NS_RM,
    [ZYDIS_OPERAND_ENCODING_OPCODE] = NS_OPCODE,
    [ZYDIS_OPERAND_ENCODING_NDSNDD] = NS_VVVV,
    [ZYDIS_OPERAND_ENCODING_IS4] = NS_IS4,
    [ZYDIS_OPERAND_ENCODING_MASK] = NS_AAA,
};

/** How many bytes a write of @p size bytes by name changes. */
static unsigned written_size(const NativeInsn *n, uint8_t cls, unsigned size)
{
    if (cls == RC_GPR)
        return size == 4 ? 8 : size;
    if (cls == RC_MASK)
        return 8;
    return n->enc == NE_LEGACY ? size : 64;
}

/** A vector operand may use a part of the register: movss xmm, xmm uses four bytes. */
static uint8_t used_size(const Insn *in, const ZydisDecodedOperand *z, const RegRun *run)
{
    unsigned bytes = z->size / 8;
    bool part = run->cls == RC_VEC && run->size == 16 && bytes && bytes < 16 &&
                !(insn_row(in->mnemonic)->props & RP_HIGH);
    return part ? (uint8_t)bytes : run->size;
}

static void add_native_op(Insn *in, const ZydisDecodedOperand *z, RegId reg, const RegRun *run,
                          bool *fits)
{
    NativeInsn *n = &in->n;
    if (n->n_ops == NATIVE_MAX_OPS) {
        *fits = false;
        return;
    }
    NativeOp *op = &n->op[n->n_ops++];
    op->reg = reg;
    op->cls = run->cls;
    op->offset = run->offset;
    op->slot = z->encoding < sizeof slot_of_encoding ? slot_of_encoding[z->encoding] : NS_FIXED;
    op->access = access_of(z);
    op->size = used_size(in, z, run);
    op->wsize = (uint8_t)written_size(n, run->cls, op->size);
}

static void add_register(Insn *in, const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *z,
                         Operand *shown, bool *fits)
{
    RegId reg;
    const RegRun *run = find_register(z->reg.value, &reg);
    if (!run) {
        if (is_fpu_register(z->reg.value))
            in->n.flags |= NF_X87;
        if (shown) {
            shown->kind = OPK_OTHER;
            shown->reg = z->reg.value;
            shown->access = access_of(z);
        }
        return;
    }
    if (z->encoding == ZYDIS_OPERAND_ENCODING_MASK && reg == AMD64_K0 &&
        zi->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX)
        return; /* aaa = 0: no mask */
    if (run->cls == RC_MASK)
        in->n.flags |= NF_AVX512;
    if (shown) {
        shown->kind = OPK_REG;
        shown->cls = run->cls;
        shown->offset = run->offset;
        shown->access = access_of(z);
        shown->size = run->size;
        shown->reg = reg;
        shown->native = in->n.n_ops;
    }
    add_native_op(in, z, reg, run, fits);
}

static void add_vsib_index(Insn *in, const ZydisDecodedOperand *z)
{
    RegId reg;
    const RegRun *run = find_register(z->mem.index, &reg);
    NativeInsn *n = &in->n;
    CHECK(run && n->n_ops < NATIVE_MAX_OPS, "gather without index");
    n->op[n->n_ops++] = (NativeOp){ .reg = reg, .slot = NS_VSIB, .access = NA_READ,
                                    .cls = RC_VEC, .size = run->size, .wsize = 64 };
    n->flags |= NF_VSIB;
}

/** SIB without base: Zydis 4.0 names one if there is an address-size override and REX.B. */
static bool has_no_base(const ZydisDecodedInstruction *zi)
{
    return zi->attributes & ZYDIS_ATTRIB_HAS_SIB && zi->raw.modrm.mod == 0 &&
           zi->raw.sib.base == 5;
}

static void add_memory(Insn *in, const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *z,
                       Operand *shown)
{
    in->has_mem = true;
    in->mem_is_address = z->mem.type == ZYDIS_MEMOP_TYPE_AGEN;
    bool no_base = has_no_base(zi);
    in->mem_base = no_base ? REG_NONE : address_register(z->mem.base);
    in->mem_index = REG_NONE;
    if (z->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
        add_vsib_index(in, z);
    else
        in->mem_index = address_register(z->mem.index);
    in->mem_scale = z->mem.scale ? (uint8_t)__builtin_ctz(z->mem.scale) : 0;
    in->mem_disp = no_base                     ? zi->raw.disp.value
                   : z->mem.disp.has_displacement ? z->mem.disp.value
                                                  : 0;
    if (!in->mem_is_address) {
        in->n.mem_access = access_of(z);
        in->n.mem_size = z->size / 8;
        in->n.mem_lane = (uint8_t)(z->element_size / 8u);
    }
    if (shown) {
        shown->kind = OPK_MEM;
        shown->access = in->n.mem_access;
        shown->size = z->size / 8;
    }
}

/** The register of a memory operand that is not shown, like RDI of MASKMOVQ, is read. */
static void add_implied_address(Insn *in, const ZydisDecodedOperand *z)
{
    RegId reg = address_register(z->mem.base);
    if (reg == REG_NONE || reg == AMD64_RSP || in->n.n_ops == NATIVE_MAX_OPS)
        return;
    in->n.op[in->n.n_ops++] = (NativeOp){ .reg = reg, .slot = NS_FIXED, .access = NA_READ,
                                          .cls = RC_GPR, .size = 8, .wsize = 8 };
}

static void add_operand(Insn *in, const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *z,
                        unsigned *n_imm, bool *fits)
{
    Operand *shown = NULL;
    if (z->visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN && in->n_operands < INSN_MAX_OPERANDS)
        shown = &in->operand[in->n_operands++];
    switch (z->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        add_register(in, zi, z, shown, fits);
        break;
    case ZYDIS_OPERAND_TYPE_MEMORY:
        if (shown)
            add_memory(in, zi, z, shown);
        else
            add_implied_address(in, z);
        break;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        if (shown) {
            shown->kind = OPK_IMM;
            shown->size = z->size / 8;
        }
        if (*n_imm < 2)
            in->imm[(*n_imm)++] = z->imm.value.u;
        break;
    default:
        break;
    }
}

/** Remove prefix byte @p at from the bytes that will be executed. */
static void drop_prefix(NativeInsn *n, unsigned at)
{
    memmove(n->bytes + at, n->bytes + at + 1, n->len - at - 1u);
    n->len--;
    uint8_t *off[] = { &n->off_prefix, &n->off_opcode, &n->off_modrm, &n->off_imm };
    for (unsigned i = 0; i < 4; i++)
        if (*off[i] > at)
            --*off[i];
}

static unsigned opcode_escapes(const ZydisDecodedInstruction *zi)
{
    switch (zi->opcode_map) {
    case ZYDIS_OPCODE_MAP_DEFAULT:
        return 0;
    case ZYDIS_OPCODE_MAP_0F:
    case ZYDIS_OPCODE_MAP_0F0F:
        return 1;
    default:
        return 2;
    }
}

static void set_vex_prefix(NativeInsn *n, NativeEnc enc, unsigned off, unsigned len)
{
    n->enc = (uint8_t)enc;
    n->off_prefix = (uint8_t)off;
    n->prefix_len = (uint8_t)len;
    n->off_opcode = (uint8_t)(off + len);
    n->opcode_len = 1;
}

/** Where the parts of the encoding are. */
static void set_encoding(NativeInsn *n, const ZydisDecodedInstruction *zi)
{
    switch (zi->encoding) {
    case ZYDIS_INSTRUCTION_ENCODING_VEX:
        set_vex_prefix(n, NE_VEX, zi->raw.vex.offset, zi->raw.vex.size);
        break;
    case ZYDIS_INSTRUCTION_ENCODING_EVEX:
        set_vex_prefix(n, NE_EVEX, zi->raw.evex.offset, 4);
        n->flags |= NF_AVX512;
        break;
    case ZYDIS_INSTRUCTION_ENCODING_XOP:
        set_vex_prefix(n, NE_XOP, zi->raw.xop.offset, 3);
        break;
    default:
        n->enc = NE_LEGACY;
        n->off_opcode = zi->raw.prefix_count;
        if (zi->attributes & ZYDIS_ATTRIB_HAS_REX) {
            n->off_prefix = zi->raw.rex.offset;
            n->prefix_len = 1;
        } else {
            n->off_prefix = n->off_opcode;
        }
        n->opcode_len = (uint8_t)(1 + opcode_escapes(zi));
    }
    n->off_modrm = zi->attributes & ZYDIS_ATTRIB_HAS_MODRM ? zi->raw.modrm.offset : 0;
    if (zi->raw.imm[0].size) {
        n->off_imm = zi->raw.imm[0].offset;
        n->imm_len = (uint8_t)((zi->raw.imm[0].size + zi->raw.imm[1].size) / 8);
    }
}

/** The processor adds a vector index, so it must cut the address to 32 bits too. */
static bool keeps_addr32(const Insn *in)
{
    return in->n.flags & NF_VSIB && in->mem_seg == REG_NONE;
}

/**
 * Segment and address-size overrides are in the IR's address: take them out of the bytes, as well
 * as REX prefixes that the processor ignores since they do not stand before the opcode.
 */
static void drop_folded_prefixes(Insn *in, const ZydisDecodedInstruction *zi)
{
    bool has_rex = zi->attributes & ZYDIS_ATTRIB_HAS_REX;
    for (unsigned i = zi->raw.prefix_count; i-- > 0;) {
        uint8_t p = zi->raw.prefixes[i].value;
        bool folded = in->has_mem && (p == 0x64 || p == 0x65 || (p == 0x67 && !keeps_addr32(in)));
        bool ignored = (p & 0xf0) == 0x40 && !(has_rex && i == zi->raw.rex.offset);
        if (folded || ignored)
            drop_prefix(&in->n, i);
    }
}

static void set_condition_codes(Insn *in, const ZydisDecodedInstruction *zi)
{
    const ZydisAccessedFlags *f = zi->cpu_flags;
    if (!f)
        return;
    in->n.cc_read = (uint16_t)(f->tested & CCB_ALL);
    in->n.cc_write =
        (uint16_t)((f->modified | f->set_0 | f->set_1 | f->undefined) & CCB_ALL);
}

static void set_prefixes(Insn *in, const ZydisDecodedInstruction *zi)
{
    ZydisInstructionAttributes a = zi->attributes;
    if (a & ZYDIS_ATTRIB_HAS_LOCK) {
        in->prefixes |= INP_LOCK;
        in->n.flags |= NF_LOCK;
    }
    if (a & ZYDIS_ATTRIB_HAS_REP)
        in->prefixes |= INP_REP;
    if (a & ZYDIS_ATTRIB_HAS_REPE)
        in->prefixes |= INP_REP;
    if (a & ZYDIS_ATTRIB_HAS_REPNE)
        in->prefixes |= INP_REPNE;
    if (a & ZYDIS_ATTRIB_HAS_SEGMENT_FS)
        in->mem_seg = AMD64_FSBASE;
    if (a & ZYDIS_ATTRIB_HAS_SEGMENT_GS)
        in->mem_seg = AMD64_GSBASE;
    if (a & ZYDIS_ATTRIB_HAS_ADDRESSSIZE)
        in->prefixes |= INP_ADDR32;
}

static unsigned vector_length(const Insn *in, const ZydisDecodedInstruction *zi)
{
    for (unsigned i = 0; i < in->n.n_ops; i++)
        if (in->n.op[i].cls == RC_VEC)
            return zi->avx.vector_length ? zi->avx.vector_length / 8u : 16;
    return in->n.flags & NF_X87 && zi->meta.isa_ext != ZYDIS_ISA_EXT_X87 ? 8 : 0;
}

/** False if the instruction has more register operands than a NATIVE can name. */
static bool translate_insn(Insn *in, const ZydisDecodedInstruction *zi,
                           const ZydisDecodedOperand *ops, const uint8_t *code,
                           unsigned cd8_scale)
{
    NativeInsn *n = &in->n;
    in->mnemonic = (uint16_t)zi->mnemonic;
    in->len = zi->length;
    in->next = in->addr + zi->length;
    in->opsize = zi->operand_width / 8;
    memcpy(n->bytes, code, zi->length);
    n->len = zi->length;
    n->rule_aux = in->mnemonic;
    n->disp8_scale = zi->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX && cd8_scale
                         ? (uint8_t)cd8_scale : 1;
    set_encoding(n, zi);
    in->mem_base = in->mem_index = in->mem_seg = REG_NONE;
    set_prefixes(in, zi);
    set_condition_codes(in, zi);
    unsigned n_imm = 0;
    bool fits = true;
    for (unsigned i = 0; i < zi->operand_count; i++)
        add_operand(in, zi, &ops[i], &n_imm, &fits);
    if (zi->meta.isa_ext == ZYDIS_ISA_EXT_X87 || zi->meta.isa_ext == ZYDIS_ISA_EXT_MMX)
        n->flags |= NF_X87;
    n->vl = (uint8_t)vector_length(in, zi);
    if (zi->avx.mask.reg != ZYDIS_REGISTER_NONE && zi->avx.mask.reg != ZYDIS_REGISTER_K0 &&
        n->mem_access)
        n->flags |= NF_MASKED_MEM;
    drop_folded_prefixes(in, zi);
    insn_apply_row(in);
    return fits;
}

static ImmFormat imm_format(const ZydisDecodedInstruction *zi)
{
    ImmFormat f = { { zi->raw.imm[0].size / 8, zi->raw.imm[1].size / 8 }, 0 };
    f.sign = (uint8_t)(zi->raw.imm[0].is_signed | zi->raw.imm[1].is_signed << 1);
    return f;
}

void amd64_decoder_init(Amd64Decoder *d)
{
    ZydisDecoderInit(&d->zydis, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

static DecodeStatus status_of(ZyanStatus s)
{
    switch (s) {
    case ZYDIS_STATUS_NO_MORE_DATA:
        return DECODE_UNREADABLE;
    case ZYDIS_STATUS_ILLEGAL_LOCK:
        return DECODE_ILLEGAL;
    case ZYDIS_STATUS_INSTRUCTION_TOO_LONG:
        return DECODE_TOO_LONG;
    default:
        return DECODE_UNKNOWN;
    }
}

static DecodeStatus decode_in_full(const Amd64Decoder *d, const uint8_t *code, size_t avail,
                                   Insn *out, ImmFormat *imm)
{
    ZydisDecodedInstruction zi;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecoderContext ctx;
    ZyanStatus s = ZydisDecoderDecodeInstruction(&d->zydis, &ctx, code, avail, &zi);
    if (ZYAN_SUCCESS(s))
        s = ZydisDecoderDecodeOperands(&d->zydis, &ctx, &zi, ops, zi.operand_count);
    if (!ZYAN_SUCCESS(s))
        return status_of(s);
    *imm = imm_format(&zi);
    return translate_insn(out, &zi, ops, code, ctx.cd8_scale) ? DECODE_OK : DECODE_UNKNOWN;
}

DecodeStatus amd64_decode_uncached(const Amd64Decoder *d, const uint8_t *code, size_t avail,
                                   GuestAddr addr, Insn *out)
{
    ImmFormat imm;
    memset(out, 0, sizeof *out);
    out->addr = addr;
    DecodeStatus s = decode_in_full(d, code, avail, out, &imm);
    if (s == DECODE_OK)
        insn_apply_operands(out);
    return s;
}

static DecodeStatus decode_with_shape(const Amd64Decoder *d, const Shape *shape,
                                      const uint8_t *code, size_t avail, GuestAddr addr, Insn *out)
{
    if (!shape || !decode_cache_find(shape, code, avail, addr, out)) {
        ImmFormat imm;
        memset(out, 0, sizeof *out);
        out->addr = addr;
        DecodeStatus s = decode_in_full(d, code, avail, out, &imm);
        if (s != DECODE_OK)
            return s;
        if (shape)
            decode_cache_learn(shape, code, out, imm);
    }
    insn_apply_operands(out);
    return DECODE_OK;
}

DecodeStatus amd64_decode(const Amd64Decoder *d, const uint8_t *code, size_t avail, GuestAddr addr,
                          Insn *out)
{
    Shape shape;
    bool has_shape = shape_parse(code, avail, &shape);
    return decode_with_shape(d, has_shape ? &shape : NULL, code, avail, addr, out);
}

DecodeStatus amd64_decode_effect(const Amd64Decoder *d, const uint8_t *code, size_t avail,
                                 GuestAddr addr, InsnEffect *out)
{
    Shape shape;
    Insn in;
    bool has_shape = shape_parse(code, avail, &shape);
    if (has_shape && decode_cache_effect(&shape, code, avail, addr, out))
        return DECODE_OK;
    DecodeStatus s = decode_with_shape(d, has_shape ? &shape : NULL, code, avail, addr, &in);
    if (s == DECODE_OK)
        *out = insn_effect(&in);
    return s;
}
