/* SPDX-License-Identifier: MIT */
/* The lifters that rows of int.def and vec.def name, by the file that has them. */
#ifndef VEX_GUEST_AMD64_LIFTERS_H
#define VEX_GUEST_AMD64_LIFTERS_H

#include "insn_table.h"

/** Images that state_to_memory and state_from_memory know (their sub). */
enum { XS_FXSAVE, XS_XSAVE, XS_XSAVEC };

/* lift_branch.c */
InsnLifter lift_jmp, lift_call, lift_ret, lift_jcc, lift_jrcxz, lift_loop, lift_syscall;
InsnLifter lift_trap, lift_trap_after;
/* lift_stack.c */
InsnLifter lift_push, lift_pop, lift_pushf, lift_popf, lift_leave, lift_enter;
/* lift_string.c */
InsnLifter lift_movs, lift_stos, lift_lods, lift_cmps, lift_scas, lift_direction;
/* lift_system.c */
InsnLifter lift_cpuid, lift_state_to_memory, lift_state_from_memory, lift_read_base;
InsnLifter lift_write_base, lift_nothing, lift_xlat, lift_maskmov, lift_clzero;
/* lift_move.c */
InsnLifter lift_mov, lift_lea;
/* lift_alu.c */
InsnLifter lift_add;

#endif
