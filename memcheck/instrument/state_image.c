/* SPDX-License-Identifier: MIT */
/*
 * FXSAVE, XSAVE and their inverses.  The lifter calls a C function for them; that function, run on
 * the shadow registers and a copy of the shadow of the image, tells where each V bit goes.
 */
#include <string.h>

#include "helpers.h"
#include "x87.h"
#include "../errors.h"

enum { IMAGE_BYTES = 2816, FX_BYTES = 512 };
/** Parts that are no registers: MXCSR with its mask, and the header of XSAVE. */
enum { MXCSR_AT = 24, REGS_AT = 32, STRIDE = 16, HEADER_AT = 512, HEADER_END = 576 };
enum { STATUS_CODES_AT = 3, STATUS_CODES = 0x47 };
enum { FX_FORMAT = 0 };

/** The guest's registers, or their shadow, as the thread state has them. */
typedef struct File {
    uint8_t reg[3072] __attribute__((aligned(64)));
} File;

static uint32_t file_bytes(void)
{
    return gimle_reg_offset(REG_SHADOW_OF(0)) - gimle_reg_offset(0);
}

static uint8_t *shadow_file(struct VexState *s)
{
    return (uint8_t *)s + gimle_reg_offset(REG_SHADOW_OF(0));
}

/** x87 registers from the order of their numbers to that of the stack. */
static void to_stack_order(uint8_t *to, const uint8_t *from, unsigned top)
{
    for (unsigned i = 0; i < 8; i++)
        memcpy(to + STRIDE * i, from + STRIDE * (((top + i) & 7)), STRIDE);
}

static void to_number_order(uint8_t *to, const uint8_t *from, unsigned top)
{
    for (unsigned i = 0; i < 8; i++)
        memcpy(to + STRIDE * (((top + i) & 7)), from + STRIDE * i, STRIDE);
}

static uint32_t fpu_at(void) { return gimle_reg_offset(x87_register()); }

/** The shadow as a register file that the lifter's function can work on: real integer registers. */
static void open_file(File *f, struct VexState *s)
{
    memcpy(f->reg, shadow_file(s), file_bytes());
    for (unsigned r = 0; r < gimle_guest->n_regs; r++) {
        uint32_t at = gimle_reg_offset((RegId)r);
        if (gimle_guest->regs[r].cls == RC_GPR)
            memcpy(f->reg + at, (uint8_t *)s + at, 8);
    }
    uint32_t regs = fpu_at() + REGS_AT;
    to_stack_order(f->reg + regs, shadow_file(s) + regs, amd64_x87_top(s));
}

static bool is_register(unsigned at)
{
    return at < MXCSR_AT || (at >= REGS_AT && at < HEADER_AT) || at >= HEADER_END;
}

/** A byte of the image is written: V bits @p v in the bits of @p mask. */
static bool write_byte(GuestAddr a, uint8_t v, uint8_t mask)
{
    if (!shadow_is_addressable(a))
        return false;
    v |= *gimle_shadow(a) & (uint8_t)~mask;
    if (v == SH_NOACCESS)
        shadow_note_pattern(a);
    *gimle_shadow(a) = v;
    return true;
}

static uint64_t save(struct VexState *s, uint64_t a, uint64_t format)
{
    static const uint8_t fill[2] = { 0, 0xff };
    uint8_t image[2][IMAGE_BYTES];
    File file;
    open_file(&file, s);
    for (unsigned k = 0; k < 2; k++) {
        memset(image[k], fill[k], IMAGE_BYTES);
        amd64_state_to_memory((struct VexState *)(void *)&file, (uintptr_t)image[k], format);
    }
    unsigned end = 0;
    bool bad = false;
    for (unsigned i = 0; i < IMAGE_BYTES; i++) {
        uint8_t written = (uint8_t)~(image[0][i] ^ image[1][i]); /* whatever was there before */
        if (!written)
            continue;
        end = i + 1;
        bad |= !write_byte(a + i, is_register(i) ? image[0][i] : 0, written);
    }
    if (bad)
        mc_error_access(gimle_thread_of_state(s), a, format == FX_FORMAT ? FX_BYTES : end, true);
    return 0;
}

/** After the registers were loaded. */
static uint64_t load(struct VexState *s, uint64_t a, uint64_t format)
{
    uint8_t image[IMAGE_BYTES];
    unsigned used = format == FX_FORMAT ? HEADER_AT : IMAGE_BYTES;
    unsigned checked = format == FX_FORMAT ? HEADER_AT : HEADER_END;
    File file;
    GuestAddr bad;
    if (shadow_check_addressable(a, checked, &bad) == SHADOW_BAD_ADDRESS)
        mc_error_access(gimle_thread_of_state(s), bad, checked - (unsigned)(bad - a), false);
    open_file(&file, s);
    for (unsigned i = 0; i < used; i++)
        image[i] = shadow_is_addressable(a + i) ? *gimle_shadow(a + i) : 0;
    if (used > HEADER_AT)
        memcpy(image + HEADER_AT, (const void *)(uintptr_t)(a + HEADER_AT), HEADER_END - HEADER_AT);
    amd64_state_from_memory((struct VexState *)(void *)&file, (uintptr_t)image, format);
    for (unsigned r = 0; r < gimle_guest->n_regs; r++) {
        RegClass cls = gimle_guest->regs[r].cls;
        uint32_t at = gimle_reg_offset((RegId)r);
        if (cls == RC_VEC || cls == RC_MASK)
            memcpy(shadow_file(s) + at, file.reg + at, gimle_reg_size((RegId)r));
    }
    uint8_t *to = shadow_file(s) + fpu_at(), *from = file.reg + fpu_at();
    to[STATUS_CODES_AT] = from[STATUS_CODES_AT] & STATUS_CODES;
    to_number_order(to + REGS_AT, from + REGS_AT, amd64_x87_top(s));
    return 0;
}

static const IrCallee callee_save = { "mc_save_image", (void *)save, CALLEE_FULL, TY_NONE, 2 };
static const IrCallee callee_load = { "mc_load_image", (void *)load, CALLEE_FULL, TY_NONE, 2 };

bool state_image_instrument(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    IrBlock *b = s->x.b;
    bool saves = in->callee->fn == (void *)amd64_state_to_memory;
    if (!saves && in->callee->fn != (void *)amd64_state_from_memory)
        return false;
    IrRef args[2];
    for (int k = 0; k < 2; k++)
        args[k] = s->x.copier.map[s->x.src->extra[in->arg[0] + k]];
    if (saves) {
        ir_call(b, &callee_save, IR_NONE, args, 2);
        ir_copy_insn(&s->x.copier, i);
        return true;
    }
    ir_copy_insn(&s->x.copier, i);
    ir_call(b, &callee_load, IR_NONE, args, 2);
    for (unsigned r = 0; r < gimle_guest->n_regs; r++)
        if (gimle_guest->regs[r].cls == RC_VEC || gimle_guest->regs[r].cls == RC_MASK ||
            gimle_guest->regs[r].cls == RC_FPU)
            slow_note_written(s, (RegId)r);
    return true;
}
