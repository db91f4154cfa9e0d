/* SPDX-License-Identifier: MIT */
/*
 * Chooses states for instructions under test.  Registers are edge values and random ones;
 * addresses are solved so that the memory operand lies in the data; counts are small.
 */
#include <string.h>

#include "encodings.h"
#include "setup.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { FLAG_CODES = 0x8d5, FLAG_DF = 0x400, FLAG_ONE = 0x202 };
enum { FLAG_CF = 1, FLAG_AF = 0x10, FLAG_OF = 0x800 };

static ZydisDecoder decoder;
static ZydisFormatter formatter;

/** Zydis 4.0 names a base where there is none if there is an address-size override and REX.B. */
static void drop_base(Subject *s)
{
    for (unsigned i = 0; i < s->z.operand_count; i++) {
        ZydisDecodedOperand *o = &s->op[i];
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT) {
            o->mem.base = ZYDIS_REGISTER_NONE;
            o->mem.disp.has_displacement = true;
            o->mem.disp.value = s->z.raw.disp.value;
        }
    }
}

bool subject_decode(Subject *s)
{
    if (!decoder.machine_mode) {
        ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    }
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, s->bytes, 15, &s->z, s->op)))
        return false;
    if (s->z.attributes & ZYDIS_ATTRIB_HAS_SIB && s->z.raw.modrm.mod == 0 && s->z.raw.sib.base == 5)
        drop_base(s);
    ZydisFormatterFormatInstruction(&formatter, &s->z, s->op, s->z.operand_count_visible, s->text,
                                    sizeof s->text, CODE_START, ZYAN_NULL);
    return true;
}

/* ---- what cannot be tested ------------------------------------------------------------------- */

static bool in_list(const Subject *s, const uint16_t *list)
{
    for (; *list; list++)
        if (*list == s->z.mnemonic)
            return true;
    return false;
}

#define M(m) ZYDIS_MNEMONIC_##m

bool subject_is_avx512(const Subject *s)
{
    if (s->z.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX)
        return true;
    for (unsigned i = 0; i < s->z.operand_count; i++)
        if (s->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            ZydisRegisterGetClass(s->op[i].reg.value) == ZYDIS_REGCLASS_MASK)
            return true;
    return false;
}

/** Results differ from run to run, or from what the guest shall see. */
static const uint16_t not_deterministic[] = {
    M(RDTSC), M(RDTSCP), M(RDPMC), M(RDRAND), M(RDSEED), M(CPUID), M(XGETBV), M(RDPRU), M(RDPID),
    M(XSAVE), M(XSAVE64), M(XSAVEC), M(XSAVEC64), M(XSAVEOPT), M(XSAVEOPT64), M(XRSTOR),
    M(XRSTOR64), M(XSAVES), M(XRSTORS), M(XSAVES64), M(XRSTORS64), M(FXSAVE), M(FXSAVE64),
    M(FXRSTOR), M(FXRSTOR64), M(SGDT), M(SIDT), M(SLDT), M(STR), M(SMSW), M(LSL), M(RDPKRU), M(FNSAVE), M(FNSTENV), M(MCOMMIT), 0 };

/** Would disturb this process. */
static const uint16_t not_here[] = {
    M(WRPKRU), M(WRFSBASE), M(WRGSBASE), M(RDFSBASE), M(RDGSBASE), M(INT), M(INT1), M(INT3),
    M(SYSCALL), M(SYSENTER), M(IRET), M(IRETD), M(IRETQ), M(POPF), M(POPFQ), M(INTO), M(MWAITX),
    M(MONITORX), M(UMWAIT), M(TPAUSE), M(UMONITOR), M(HLT), M(XSETBV), M(VMMCALL), M(VMCALL), 0 };

/** Of the system's, but for everybody, and the same each time. */
static const uint16_t unprivileged[] = { M(LAR), M(VERR), M(VERW), 0 };

/** Privileged ones raise the same signal natively, but not all in the same way on all machines. */
static bool is_privileged(const Subject *s)
{
    if (in_list(s, unprivileged))
        return false;
    return s->z.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED ||
           s->z.meta.category == ZYDIS_CATEGORY_IO || s->z.meta.category == ZYDIS_CATEGORY_VTX ||
           s->z.meta.category == ZYDIS_CATEGORY_SYSTEM || s->z.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
}

static bool uses_odd_registers(const Subject *s)
{
    for (unsigned i = 0; i < s->z.operand_count; i++) {
        const ZydisDecodedOperand *o = &s->op[i];
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            ZydisRegisterClass c = ZydisRegisterGetClass(o->reg.value);
            if (c == ZYDIS_REGCLASS_SEGMENT || c == ZYDIS_REGCLASS_CONTROL ||
                c == ZYDIS_REGCLASS_DEBUG || c == ZYDIS_REGCLASS_TEST)
                return true;
        }
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            (o->mem.segment == ZYDIS_REGISTER_FS || o->mem.segment == ZYDIS_REGISTER_GS))
            return true;
        if (o->type == ZYDIS_OPERAND_TYPE_POINTER)
            return true;
    }
    return false;
}

/**
 * What Bochs 3.0 has wrong: the scale of short displacements, words above the vector length, and
 * registers that it does not have where EVEX.X does not count.
 */
static bool is_emulated_wrongly(const Subject *s)
{
    static const uint16_t wrong[] = {
        M(VDPBF16PS), M(VCVTNE2PS2BF16), M(VFMULCPH), M(VFCMULCPH), M(VFMADDCPH), M(VFCMADDCPH),
        M(VFMULCSH), M(VFCMULCSH), M(VFMADDCSH), M(VFCMADDCSH), 0 };
    if (in_list(s, wrong))
        return true;
    for (unsigned i = 0; i < s->z.operand_count; i++)
        if (s->z.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX && s->z.raw.evex.X == 0 &&
            s->op[i].encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM &&
            s->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            ZydisRegisterGetClass(s->op[i].reg.value) >= ZYDIS_REGCLASS_GPR8 &&
            ZydisRegisterGetClass(s->op[i].reg.value) <= ZYDIS_REGCLASS_GPR64)
            return true;
    return false;
}

const char *subject_why_not(const Subject *s, bool emulated)
{
    if (emulated && is_emulated_wrongly(s))
        return "the emulator has it wrong";
    if (in_list(s, not_deterministic))
        return "not deterministic";
    if (in_list(s, not_here))
        return "disturbs the test";
    if (is_privileged(s))
        return "privileged";
    if (uses_odd_registers(s))
        return "segment or control registers";
    if (s->z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return "far branch";
    if (s->z.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE &&
        s->z.attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE)
        return "AMD and Intel differ"; /* AMD cuts the target to 16 bits */
    if (s->z.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
        for (unsigned i = 0; i < s->z.raw.prefix_count; i++)
            if ((s->z.raw.prefixes[i].value & 0xfe) == 0xf2)
                return "AMD and Intel differ"; /* AMD lets it change the condition of LOOPcc */
    if (s->z.operand_count && s->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
        s->op[0].reg.value == ZYDIS_REGISTER_RSP && s->z.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
        return "jumps to data";
    if (s->z.mnemonic == M(PAUSE) && s->z.attributes & ZYDIS_ATTRIB_HAS_REX && s->z.raw.rex.B)
        return "decoded wrongly"; /* it is XCHG R8, RAX */
    return NULL;
}

/* ---- fixing the bytes ------------------------------------------------------------------------- */

static void write_at(uint8_t *p, uint64_t v, unsigned bytes)
{
    memcpy(p, &v, bytes);
}

static uint64_t random_target(void)
{
    return CODE_START + 32 + random_below(64);
}

/** An address for a memory operand of @p bytes bytes, mostly aligned. */
static uint64_t random_place(unsigned bytes)
{
    uint64_t a = DATA_MIDDLE + 64 * random_below(4);
    if (bytes < 64 && random_below(4) == 0)
        a += random_below(64);
    return a;
}

void subject_fix(Subject *s)
{
    const ZydisDecodedInstruction *z = &s->z;
    if (z->raw.imm[0].is_relative && z->raw.imm[0].size)
        write_at(s->bytes + z->raw.imm[0].offset, 32 + random_below(64), z->raw.imm[0].size / 8u);
    if (z->mnemonic == M(ENTER))
        s->bytes[z->raw.imm[0].offset + 1] = 0, s->bytes[z->raw.imm[1].offset] &= 7;
    if (z->mnemonic == M(RET) && z->raw.imm[0].size)
        s->bytes[z->raw.imm[0].offset + 1] = 0;
    for (unsigned i = 0; i < z->operand_count; i++) {
        const ZydisDecodedOperand *o = &s->op[i];
        if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN ||
            z->raw.disp.size < 32)
            continue;
        uint64_t place = random_place(o->size / 8u);
        if (o->mem.base == ZYDIS_REGISTER_RIP || o->mem.base == ZYDIS_REGISTER_EIP)
            place -= CODE_START + z->length;
        else if (o->mem.base != ZYDIS_REGISTER_NONE)
            place = (uint64_t)(int64_t)(int32_t)random64() >> random_below(24);
        write_at(s->bytes + z->raw.disp.offset, place, z->raw.disp.size / 8u);
    }
    subject_decode(s);
}

/* ---- states ------------------------------------------------------------------------------------ */

static uint64_t random_value(void)
{
    static const uint64_t edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff,
                                      0x80000000, 0xffffffff, 0x7fffffffffffffff,
                                      0x8000000000000000, ~0ull, ~1ull };
    unsigned k = random_below(8);
    if (k < 2)
        return edges[random_below(sizeof edges / sizeof edges[0])];
    if (k < 4)
        return random_below(64);
    return random64() >> (random_below(3) * 16);
}

static void random_vector(uint8_t *v, unsigned bytes)
{
    static const uint32_t floats[] = { 0x3f800000, 0xbf800000, 0x00000000, 0x80000000, 0x7f800000,
                                       0x7fc00000, 0x40490fdb, 0x4f000000, 0x00000001 };
    unsigned kind = random_below(4);
    for (unsigned i = 0; i < bytes; i += 8) {
        uint64_t x = random64();
        if (kind == 0)
            x = random_value();
        else if (kind == 1) {
            double d = (double)(int64_t)(random64() >> 20) / 1024.0 - 1e9;
            memcpy(&x, &d, 8);
        } else if (kind == 2) {
            x = floats[random_below(9)] | (uint64_t)floats[random_below(9)] << 32;
        }
        memcpy(v + i, &x, 8);
    }
}

static void random_fpu(Machine *m)
{
    memset(m->fpu, 0, sizeof m->fpu);
    unsigned control = 0x37f | random_below(4) << 10;
    unsigned status = random_below(8) << 11 | (random_below(2) ? 0x4700 & (unsigned)random64() : 0);
    write_at(m->fpu, control, 2);
    write_at(m->fpu + 2, status, 2);
    m->fpu[4] = random_below(4) ? 0xff : (uint8_t)random64();
    for (unsigned i = 0; i < 8; i++) {
        uint64_t mantissa = random64() | 1ull << 63;
        unsigned exponent = 0x3fff - 20 + random_below(40);
        if (random_below(8) == 0) {
            mantissa = 0;
            exponent = 0;
        }
        write_at(m->fpu + 32 + 16 * i, mantissa, 8);
        write_at(m->fpu + 40 + 16 * i, exponent | (random_below(2) << 15), 2);
    }
}

static void random_data(void)
{
    uint64_t *d = (uint64_t *)(uintptr_t)DATA_ADDR;
    bool constant = random_below(4) == 0;
    uint64_t c = random_value();
    for (unsigned i = 0; i < DATA_BYTES / 8; i++)
        d[i] = constant ? c : 0;
    for (unsigned i = 0; !constant && i < 512; i += 32)
        random_vector((uint8_t *)(uintptr_t)(DATA_MIDDLE - 64 + i), 32);
}

static int gpr_number(ZydisRegister r)
{
    if (r >= ZYDIS_REGISTER_RAX && r <= ZYDIS_REGISTER_R15)
        return (int)(r - ZYDIS_REGISTER_RAX);
    if (r >= ZYDIS_REGISTER_EAX && r <= ZYDIS_REGISTER_R15D)
        return (int)(r - ZYDIS_REGISTER_EAX);
    return -1;
}

/** Give the vector index of a gather small lanes. */
static void set_vector_index(const ZydisDecodedOperand *o, Machine *m)
{
    unsigned n = (unsigned)ZydisRegisterGetId(o->mem.index) % VECTORS;
    bool qwords = random_below(2), far = random_below(4) == 0;
    for (unsigned i = 0; i < VECTOR_BYTES; i += qwords ? 8 : 4) {
        /* One that is far off may be read only if its lane is not wanted. */
        uint64_t x = far && random_below(4) == 0 ? 1u << 20 : random_below(16);
        write_at(m->v[n] + i, x, qwords ? 8 : 4);
    }
}

/** Choose base and index so that operand @p o is at @p place. */
static void solve_address(const ZydisDecodedOperand *o, uint64_t place, Machine *m)
{
    int base = gpr_number(o->mem.base), index = gpr_number(o->mem.index);
    uint64_t disp = (uint64_t)o->mem.disp.value;
    unsigned scale = o->mem.scale ? o->mem.scale : 1;
    if (o->mem.type == ZYDIS_MEMOP_TYPE_VSIB) {
        set_vector_index(o, m);
        index = -1;
    }
    if (index >= 0 && index == base) {
        m->gpr[base] = (place - disp) / (scale + 1);
    } else if (base >= 0) {
        if (index >= 0)
            m->gpr[index] = random_below(64);
        m->gpr[base] = place - disp - (index >= 0 ? m->gpr[index] * scale : 0);
    } else if (index >= 0) {
        m->gpr[index] = (place - disp) / scale;
    }
}

/** Does a mask select what is accessed in memory? */
static bool has_masked_memory(const Subject *s)
{
    static const uint16_t masked[] = { M(VMASKMOVPS), M(VMASKMOVPD), M(VPMASKMOVD), M(VPMASKMOVQ),
                                       0 };
    return in_list(s, masked) || (s->z.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX &&
                                  s->z.avx.mask.reg != ZYDIS_REGISTER_NONE &&
                                  s->z.avx.mask.reg != ZYDIS_REGISTER_K0);
}

static bool is_string(const Subject *s)
{
    return s->z.meta.category == ZYDIS_CATEGORY_STRINGOP;
}

static bool is_branch(const Subject *s)
{
    return s->z.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE || s->z.mnemonic == M(RET);
}

/** Indirect branches go to an INT3. */
static void set_branch_targets(const Subject *s, Machine *m, uint64_t place)
{
    const ZydisDecodedOperand *o = &s->op[0];
    if (s->z.mnemonic == M(RET))
        write_at((uint8_t *)m->gpr[RSP], random_target(), 8);
    if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
        write_at((uint8_t *)place, random_target(), 8);
    if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && gpr_number(o->reg.value) >= 0 &&
        gpr_number(o->reg.value) != RSP)
        m->gpr[gpr_number(o->reg.value)] = random_target();
}

/** Where the operand is, if base and index could not be chosen freely. */
static uint64_t address_of(const Subject *s, const ZydisDecodedOperand *o, const Machine *m)
{
    int base = gpr_number(o->mem.base), index = gpr_number(o->mem.index);
    uint64_t a = (uint64_t)o->mem.disp.value;
    if (base >= 0)
        a += m->gpr[base];
    else if (o->mem.base != ZYDIS_REGISTER_NONE)
        a += CODE_START + s->z.length;
    if (index >= 0)
        a += m->gpr[index] * (o->mem.scale ? o->mem.scale : 1);
    return s->z.address_width == 32 ? (uint32_t)a : a;
}

void subject_setup(const Subject *s, Machine *m)
{
    memset(m, 0, sizeof *m);
    for (unsigned i = 0; i < 16; i++)
        m->gpr[i] = random_value();
    m->gpr[RSP] = DATA_MIDDLE + 8 * random_below(32);
    m->rip = CODE_START;
    m->rflags = (random64() & FLAG_CODES) | FLAG_ONE | (random_below(8) ? 0 : FLAG_DF);
    m->mxcsr = 0x1f80 | (random_below(4) << 13) | (random_below(4) ? 0 : 0x8040);
    for (unsigned i = 0; i < machine_vectors; i++)
        random_vector(m->v[i], machine_vector_bytes);
    for (unsigned i = 0; i < MASKS && machine_avx512; i++)
        m->k[i] = random_below(2) ? random64() : random_value();
    random_fpu(m);
    random_data();
    if (is_string(s) || s->z.mnemonic == M(ENTER) || s->z.mnemonic == M(LEAVE))
        m->gpr[RBP] = DATA_MIDDLE + 8 * random_below(16);
    if (is_string(s))
        m->gpr[RCX] = random_below(12);
    uint64_t place = 0;
    for (unsigned i = 0; i < s->z.operand_count; i++) {
        const ZydisDecodedOperand *o = &s->op[i];
        if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || (o->mem.base == ZYDIS_REGISTER_RSP &&
            o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN))
            continue;
        uint64_t where = random_place(o->size / 8u);
        if (has_masked_memory(s) && random_below(4) == 0) /* some lanes where there is nothing */
            where = DATA_ADDR + DATA_BYTES - (1 + random_below(15)) * 4u;
        solve_address(o, where, m);
        place = address_of(s, o, m);
    }
    if (s->z.mnemonic == M(XLAT))
        m->gpr[RAX] &= ~0xc0ull;
    if (is_branch(s) && (place == 0 || (place >= DATA_ADDR && place < DATA_ADDR + DATA_BYTES - 8)) &&
        m->gpr[RSP] >= DATA_ADDR && m->gpr[RSP] < DATA_ADDR + DATA_BYTES - 8)
        set_branch_targets(s, m, place);
}

/* ---- flags that are defined --------------------------------------------------------------------- */

static const uint16_t shifts[] = { M(SHL), M(SHR), M(SAR), M(ROL), M(ROR), M(RCL), M(RCR), M(SHLD),
                                   M(SHRD), 0 };

/** The count of a shift, as the processor masks it. */
static unsigned shift_count(const Subject *s, const Machine *before)
{
    const ZydisDecodedOperand *o = &s->op[s->z.operand_count_visible - 1];
    uint64_t n = o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? o->imm.value.u : before->gpr[RCX];
    return n & (s->z.operand_width == 64 ? 63 : 31);
}

uint64_t subject_defined_flags(const Subject *s, const Machine *before)
{
    uint64_t defined = FLAG_CODES | FLAG_DF;
    if (s->z.cpu_flags)
        defined &= ~(uint64_t)s->z.cpu_flags->undefined;
    if (in_list(s, shifts)) {
        unsigned n = shift_count(s, before);
        if (n == 0)
            return FLAG_CODES | FLAG_DF;
        if (n != 1)
            defined &= ~(uint64_t)FLAG_OF;
        if (s->z.meta.category == ZYDIS_CATEGORY_SHIFT)
            defined &= ~(uint64_t)FLAG_AF;
        if (n >= s->z.operand_width && s->z.meta.category == ZYDIS_CATEGORY_SHIFT)
            defined &= ~(uint64_t)FLAG_CF;
    }
    return defined;
}
