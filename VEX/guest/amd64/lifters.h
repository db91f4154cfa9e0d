/* SPDX-License-Identifier: MIT */
/* The lifters that rows of int.def and vec.def name, by the file that has them. */
#ifndef VEX_GUEST_AMD64_LIFTERS_H
#define VEX_GUEST_AMD64_LIFTERS_H

#include "insn_table.h"

/** Images that state_to_memory and state_from_memory know (their sub). */
enum { XS_FXSAVE, XS_XSAVE, XS_XSAVEC };
/** Shifts (sub of shift and shiftx). */
enum { SH_SHL, SH_SHR, SH_SAR, SH_ROL, SH_ROR };
/** What a bit test does to the bit. */
enum { BT_TEST, BT_SET, BT_RESET, BT_COMPLEMENT };
/** What carry_flag does to CF. */
enum { CF_CLEAR, CF_SET, CF_COMPLEMENT };

/* lift_branch.c */
InsnLifter lift_jmp, lift_call, lift_ret, lift_jcc, lift_jrcxz, lift_loop, lift_syscall;
InsnLifter lift_trap, lift_trap_after;
/* lift_stack.c */
InsnLifter lift_push, lift_pop, lift_pushf, lift_popf, lift_leave, lift_enter;
/* lift_string.c */
InsnLifter lift_movs, lift_stos, lift_lods, lift_cmps, lift_scas, lift_direction;
/* lift_system.c */
InsnLifter lift_cpuid, lift_xgetbv, lift_state_to_memory, lift_state_from_memory, lift_read_base;
InsnLifter lift_write_base, lift_nothing, lift_xlat, lift_maskmov, lift_clzero;
/* lift_move.c */
InsnLifter lift_mov, lift_lea, lift_extend, lift_extend_ax, lift_extend_dx, lift_bswap;
InsnLifter lift_movbe, lift_xchg;
/* lift_alu.c */
InsnLifter lift_alu2, lift_alu_carry, lift_compare, lift_alu1, lift_step, lift_multiply, lift_mulx;
InsnLifter lift_cmpxchg;
/* lift_shift.c */
InsnLifter lift_shift, lift_double_shift, lift_shiftx, lift_rorx;
/* lift_bit.c */
InsnLifter lift_bit_test, lift_count_zeros, lift_popcnt, lift_bit_scan, lift_andn;
InsnLifter lift_lowest_bit, lift_bzhi, lift_bextr, lift_carry_flag, lift_lahf, lift_sahf;
InsnLifter lift_setcc, lift_cmov;
/* lift_vec.c */
InsnLifter lift_vmove, lift_vmove_low, lift_vlogic, lift_vandn, lift_vlanes, lift_vzero;

#endif
