/* SPDX-License-Identifier: MIT */
/*
 * The state of one compilation, shared by the files of this directory.
 *
 * Two passes over the block.  analyse() goes backward and finds last uses, live condition
 * codes, values better made at their consumer (lazy) and registers that a value should be made
 * in (hints).  Then the isel files go forward and select, allocate and encode at once.
 *
 * Where a value can be, in any combination: a host register (Val.reg), a spill slot (Val.slot),
 * or the home of a guest register that has not changed since (Val.alias); constants and lazy
 * values are nowhere until someone asks.  Homes are host registers (pinned modes) or fields of
 * the VexState; PUTs write through, so at each guest instruction the guest state is in its
 * homes, whatever the allocator does.
 *
 * Bits above the width of an integer in a host register are garbage, unless VF_ZX is set.
 * I1: the low byte is 0 or 1.  FLAGS: in the format of the CC register.
 */
#ifndef VEX_HOST_AMD64_CODEGEN_H
#define VEX_HOST_AMD64_CODEGEN_H

#include "base/arena.h"
#include "base/check.h"
#include "cpu.h"
#include "encode.h"
#include "guest/amd64/guest_amd64.h"
#include "host/host.h"
#include "ir/ir_internal.h"

/** Bytes that one IR instruction may need in either buffer. */
#define CODE_ROOM 2048

/** Dense numbers of guest, shadow and tool registers. */
enum {
    RX_SHADOW = AMD64_REG_COUNT, RX_TOOL = 2 * AMD64_REG_COUNT,
    RX_COUNT = RX_TOOL + REG_TOOL_WORDS, RX_NONE = 0xff
};
_Static_assert(RX_COUNT < RX_NONE, "register numbers fit in a byte");

/** Val.flags */
enum {
    VF_FUSABLE = 1, /**< its only consumer can make it */
    VF_FOLDABLE = 2,/**< a LOAD whose only consumer can take it as a memory operand */
    VF_LAZY = 4,    /**< made by its consumers */
    VF_ZX = 8,      /**< bits above its width are zero */
    VF_RMW = 16,    /**< part of a read-modify-write of a register's home or of a state word */
    VF_WIDE = 32,   /**< vector that lives in slots only */
    VF_SKIP = 64    /**< nothing is done at its own place: lazy, constant or not used */
};

typedef struct Val {
    _Alignas(16) uint32_t last;       /**< last instruction that reads it */
    uint32_t dies;       /**< first in the list of values whose last reader is this instruction */
    uint32_t dies_next;
    uint32_t alias_next; /**< next value that aliases the same home */
    uint32_t uses;
    uint16_t cc_live;    /**< condition codes live after this instruction (RFLAGS bits) */
    uint16_t cc_need;    /**< FLAGS values: bits that its consumers look at */
    int16_t slot;        /**< spill slot or -1 */
    int8_t reg;          /**< HostReg or H_NONE */
    int8_t hint;         /**< HostReg to be made in, or H_NONE */
    uint8_t alias;       /**< RX_* of the home, or RX_NONE */
    uint8_t flags;       /**< VF_* */
} Val;
_Static_assert(sizeof(Val) == 32, "quickly made");

/** Where the guest's condition codes are. */
enum { CCS_EFLAGS = 1, CCS_STATE = 2 };

/** A place in the code: offset, LOC_COLD set if in the cold part. */
typedef uint32_t Loc;
#define LOC_COLD 0x80000000u

/** The allocator's view of a host register. */
typedef struct HostSlot {
    IrRef val;     /**< value it holds or IR_NONE */
    uint8_t cache; /**< RX_* of the guest register whose full value it equals, or RX_NONE */
} HostSlot;

/** What a cold region must restore at its end. */
typedef struct Snapshot {
    HostSlot hr[H_NREGS];
    uint64_t const_in[16];
    uint32_t const_mask;
    uint64_t outer_slots[2]; /**< Cg.cold_slots before */
    uint8_t cc;
    bool fpu_tested;
    bool pc_put;
} Snapshot;

/** The last exit's out-of-line code, which others of the same guest instruction can use. */
typedef struct SharedExit {
    bool valid;
    uint8_t mode, kind;
    bool cc;            /**< condition codes were in EFLAGS only */
    GuestAddr target;
    Loc at;
} SharedExit;

/** Shared code of exits that do the present instruction again in another mode. */
typedef struct RedoTail {
    bool valid;
    uint8_t mode;
    Loc at;
} RedoTail;

typedef struct Fixup {
    Loc from; /**< of the rel32 */
    Loc to;
} Fixup;

/** Points of one part of the code, in order. */
typedef struct PointList {
    VexPoint *at;
    uint32_t n, cap;
} PointList;

typedef struct Cg {
    const IrBlock *b;
    const IrInsn *insn;
    Val *val;
    IrRef now;          /**< instruction being compiled */
    uint32_t n;

    bool pinned, tool0;
    const int8_t *home; /**< by RX_*: host register + 1, 0: in the state; see rx_home() */
    uint32_t allocatable; /**< host registers for temporaries */
    uint32_t locked;    /**< in use by the present instruction */
    HostSlot hr[H_NREGS];
    uint32_t alias[RX_COUNT]; /**< values that alias each home */
    uint64_t slots[2];  /**< spill slots in use */
    uint64_t cold_slots[2]; /**< slots in use when the cold region began */

    uint8_t cc;         /**< CCS_* */
    IrRef cc_until;     /**< a value that aliases CC is needed up to here */
    bool cc_overwrite;  /**< the present instruction replaces CC */
    bool fpu_tested;    /**< the x87 state is known to be in the host */
    bool pc_put;        /**< the block has set PC itself */
    bool in_cold;       /**< in a cold region, which began at cold_begin */
    IrRef cold_begin;
    bool failed;        /**< no room */
    Snapshot snap;      /**< of the cold region being compiled */
    Loc cold_join;
    SharedExit shared_exit;
    RedoTail redo[2];   /**< without and with saving of condition codes */
    Loc chain_tail;     /**< end of all exit stubs, if chain_tail_valid */
    Loc id_at;          /**< VexTranslation.id_off */
    bool chain_tail_valid;

    VexCallSite *call;  /**< VexTranslation.calls, the offsets as Loc */
    uint32_t n_calls, cap_calls;
    VexDataSite *data;  /**< VexTranslation.data_sites, likewise */
    uint32_t n_data, cap_data;

    Code *c;            /**< where code goes now: &buf[0] or &buf[1] */
    Code buf[2];
    const uint8_t *run_addr;
    struct Arena *arena;

    Fixup *fix;         uint32_t n_fix, cap_fix;
    PointList point_list[2]; /**< of each part */
    VexExitSite *exits; uint32_t n_exits, cap_exits;
    GuestAddr guest_pc; /**< address of the present guest instruction */
    GuestAddr guest_next; /**< address after it */
    GuestAddr max_pc;   /**< highest one so far: a block may follow jumps backward */
    uint64_t const_in[16]; /**< constant that each host register holds, see const_mask */
    uint32_t const_mask;
    uint32_t random;    /**< state of the random choice of registers; 0: off */
} Cg;

/* ---- analyse.c ---- */
void analyse(Cg *g);

/* ---- regalloc.c: values and registers ---- */

static inline const IrInsn *insn_of(const Cg *g, IrRef v) { return &g->insn[v]; }
static inline IrType type_of(const Cg *g, IrRef v) { return (IrType)g->insn[v].type; }
static inline unsigned size_of(IrType t)
{
    return t == TY_I1 ? 1 : t == TY_FLAGS ? 8 : ir_type_size(t);
}
static inline bool dies_now(const Cg *g, IrRef v) { return g->val[v].last <= g->now; }
static inline bool is_const(const Cg *g, IrRef v) { return g->insn[v].op == OP_CONST; }
/** Value of a constant, sign-extended from its width. */
int64_t const_value(const Cg *g, IrRef v);
/** True and the value if @p v is a constant that fits a sign-extended 32-bit immediate. */
bool const_imm(const Cg *g, IrRef v, int64_t *imm);

/** rx_of() of shadow and tool registers. */
uint8_t rx_of_other(RegId r);
static inline uint8_t rx_of(RegId r) { return r < AMD64_REG_COUNT ? (uint8_t)r : rx_of_other(r); }
RegId rx_reg(uint8_t rx);
/** Offset of a register in the state. */
int32_t rx_offset(uint8_t rx);
static inline int rx_home(const Cg *g, uint8_t rx) { return g->home[rx] - 1; }

/** Has it no effect besides its value? Then it is not made at all where that is not used. */
static inline bool is_droppable(const IrInsn *i)
{
    return (ir_op_info[i->op].flags & OPF_PURE) || i->op == OP_GET ||
           (i->op == OP_LOAD && i->space == SPACE_STATE);
}

void regalloc_init(Cg *g);
/** A general register for a temporary of this instruction (locked until its end). */
int tmp_gpr(Cg *g);
/** Likewise, but a register that can be had only for this one: @p want. */
int tmp_gpr_at(Cg *g, int want);
int tmp_vec(Cg *g);
int tmp_vec_at(Cg *g, int want);
/** A host register that equals guest register @p rx, or H_NONE. */
int cached_in(const Cg *g, uint8_t rx);
/** A host register that holds the 64-bit constant @p k, or H_NONE. */
int constant_in(const Cg *g, uint64_t k);
/** Free a temporary before the end of the instruction. */
void tmp_free(Cg *g, int r);
/** The register that holds integer value @p v (brought there if need be; locked), to be read. */
int use_gpr(Cg *g, IrRef v);
/** Likewise for narrow vectors. */
int use_vec(Cg *g, IrRef v);
/** A register that holds a copy of @p v that may be overwritten (v's own if it dies). */
int take_gpr(Cg *g, IrRef v);
/** Copy @p v into register @p r (which the caller owns). */
void copy_gpr(Cg *g, int r, IrRef v);
/** Where @p v can be read in memory without emitting code; false if it must be in a register. */
bool mem_of_val(Cg *g, IrRef v, HMem *m);
/** Register for the result of the present instruction: hint if possible, else any. */
int def_gpr(Cg *g);
int def_vec(Cg *g);
/**
 * The result's register as for def_gpr(), after @p a (dying in place if possible) is moved into
 * it.  @p avoid: registers that are still to be read, so must not be the result.
 */
int def_from(Cg *g, IrRef a, uint32_t avoid);
/** The registers that @p m reads. */
static inline uint32_t mem_regs(const HMem *m)
{
    return (m->base == H_NONE ? 0 : 1u << m->base) | (m->index == H_NONE ? 0 : 1u << m->index);
}
/** The result is in @p r, which a tmp_ or take_ function gave. */
void def_is(Cg *g, int r);
/** The result is another name of the guest register @p rx (its low part). */
void def_alias(Cg *g, IrRef v, uint8_t rx);
/** All values that alias home @p rx, except @p keep, get a place of their own. */
void detach_aliases(Cg *g, uint8_t rx, IrRef keep);
/** Likewise for a change at instruction @p change, later: who dies by then stays. */
void detach_aliases_until(Cg *g, uint8_t rx, IrRef keep, IrRef change);
/** For all homes: a helper may change any of them. */
void detach_all(Cg *g);
/** Forget caches of the guest register @p rx, except in host register @p keep. */
void drop_cache(Cg *g, uint8_t rx, int keep);
/** Host register @p r gets new contents: forget what it equalled. */
void reg_clobbered(Cg *g, int r);
/** Make host register @p r free (its value moved or spilled). */
void evict(Cg *g, int r);
void evict_mask(Cg *g, uint32_t regs);
/** Spill everything that is in any of @p regs and alive after this instruction. */
void spill_mask(Cg *g, uint32_t regs);
/** Value @p v, which is in a spill slot, dies. */
void slot_release(Cg *g, IrRef v);
/** Nobody reads @p v any more. */
static inline void release(Cg *g, IrRef v)
{
    Val *x = &g->val[v];
    if (x->reg >= 0) {
        g->hr[x->reg].val = IR_NONE;
        x->reg = H_NONE;
    }
    if (x->slot >= 0)
        slot_release(g, v);
}
/** The present instruction is done: what it read last dies, locks go. */
static inline void end_insn(Cg *g)
{
    const Val *x = &g->val[g->now];
    for (IrRef v = x->dies; v != IR_NONE; v = g->val[v].dies_next)
        release(g, v);
    if (x->uses == 0)
        release(g, g->now);
    g->locked = 0;
}
/** Copy of the allocator's state, and code to get back to it. */
void snapshot_take(Cg *g, Snapshot *s);
void snapshot_restore(Cg *g, const Snapshot *s);
/** n consecutive free spill slots; the first. */
int slot_alloc(Cg *g, unsigned n);
void slot_free(Cg *g, int slot, unsigned n);
HMem slot_mem(int slot);

/* ---- flags.c ---- */
/** Call before emitting anything that changes EFLAGS. */
void cc_clobber(Cg *g);
/** True if EFLAGS must not change now (prefer forms that keep them). */
bool cc_busy(const Cg *g);
/** Bring the guest's condition codes into EFLAGS / into the state. */
void cc_to_eflags(Cg *g);
void cc_to_state(Cg *g);
/** At the end of code that the main path skips: as @p want, the status there. */
void cc_restore(Cg *g, uint8_t want);
/** Set EFLAGS so that the returned condition says whether I1 value @p v is true. */
unsigned cond_to_eflags(Cg *g, IrRef v);
void gen_cmp(Cg *g, IrRef i);
void gen_select(Cg *g, IrRef i);
void gen_cond(Cg *g, IrRef i);
void gen_flags_conv(Cg *g, IrRef i);
/** PUT(CC, v). */
void put_cc(Cg *g, IrRef v);
/** CC gets a new value: values that alias the old one move away. Ends by cc_overwrite = false. */
void cc_write_begin(Cg *g);
/** Store EFLAGS to the state with RAX waiting in @p scratch (H_NONE: RAX is free); keeps EFLAGS. */
void emit_cc_save(Cg *g, int scratch);
/** r op= v, with v wherever it is. */
void emit_alu_val(Cg *g, AluOp op, unsigned size, int r, IrRef v);
/** A register of its own with FLAGS value @p f as a word in CC format, zero-extended. */
int flags_to_word(Cg *g, IrRef f);
/** EFLAGS: are the two vectors equal? */
void vec_equal_to_eflags(Cg *g, IrRef a, IrRef b);

/* ---- isel_*.c ---- */
typedef void (*GenFn)(Cg *g, IrRef i);
void gen_int_bin(Cg *g, IrRef i);
void gen_add(Cg *g, IrRef i);
void gen_sub(Cg *g, IrRef i);
void gen_mul(Cg *g, IrRef i);
void gen_mulh(Cg *g, IrRef i);
void gen_not_neg(Cg *g, IrRef i);
void gen_shift(Cg *g, IrRef i);
void gen_bswap(Cg *g, IrRef i);
void gen_bitcount(Cg *g, IrRef i);
void gen_convert(Cg *g, IrRef i);
void gen_get(Cg *g, IrRef i);
void gen_put(Cg *g, IrRef i);
void gen_load(Cg *g, IrRef i);
void gen_store(Cg *g, IrRef i);
/** The host operand of a memory operand; locks its registers. */
HMem host_mem(Cg *g, const IrInsn *i);
/** How the lazily read LOAD @p v is accessed. */
HMem host_mem_of_load(Cg *g, IrRef v);
static inline bool is_vec(IrType t) { return ir_is_vec(t); }
/** A live vector value that aliases a home gets a place of its own. */
void vec_move_away(Cg *g, IrRef v);
void gen_vec(Cg *g, IrRef i);
/** Does the register live in a host register that only AVX-512 code reaches? */
static inline bool is_avx512_home(const Cg *g, uint8_t rx)
{
    return g->pinned && host_cpu.avx512 &&
           ((rx >= AMD64_V16 && rx <= AMD64_V31) || (rx >= AMD64_K0 && rx <= AMD64_K7));
}
void gen_vec_select(Cg *g, IrRef i);
void gen_vec_get(Cg *g, IrRef i);
void gen_vec_put(Cg *g, IrRef i);
void gen_vec_load(Cg *g, IrRef i);
void gen_vec_store(Cg *g, IrRef i);
void gen_native(Cg *g, IrRef i);
/**
 * Encode @p n with operand k in register @p host[k] (H_NONE: as in the guest) and memory @p m.
 * A high byte operand in one of the first four registers is its bits 8-15 if @p homes, as when
 * guest registers live in their namesakes; else, and in all others, it is the low byte.
 */
void emit_native(Code *c, const NativeInsn *n, const int8_t *host, const HMem *m, bool homes);
/** Does @p n have a memory operand in its encoding? */
static inline bool native_has_mem(const NativeInsn *n)
{
    return n->off_modrm && n->bytes[n->off_modrm] >> 6 != 3;
}
void gen_call(Cg *g, IrRef i);
void gen_exit_if(Cg *g, IrRef i);
void gen_jump(Cg *g, IrRef i);
void gen_jump_ind(Cg *g, IrRef i);
void gen_cold_begin(Cg *g, IrRef i);
void gen_cold_end(Cg *g, IrRef i);

/* ---- code.c: buffers, places, jumps between the parts ---- */
static inline Loc code_here(const Cg *g)
{
    return (uint32_t)(g->c->p - g->c->start) | (g->c == &g->buf[1] ? LOC_COLD : 0);
}
/** Make room for an instruction where there is none; sets failed. */
void code_make_room(Cg *g);
/** Make sure that the next instruction fits. */
static inline void code_reserve(Cg *g)
{
    if (g->buf[0].end - g->buf[0].p < CODE_ROOM || g->buf[1].end - g->buf[1].p < CODE_ROOM)
        code_make_room(g);
}
/** Jump if @p cc to @p to, which may be set later by fix_set(); index of the fixup. */
uint32_t emit_jcc(Cg *g, unsigned cc, Loc to);
uint32_t emit_jmp(Cg *g, Loc to);
/** Just the rel32 of a jump or call. */
uint32_t emit_rel32(Cg *g, Loc to);
void fix_set(Cg *g, uint32_t fix, Loc to);
/** Jump to a place that is known already: short if possible. */
void emit_jmp_back(Cg *g, Loc to);
/** NOPs so that the four bytes after the next @p ahead bytes lie in one aligned word of eight. */
void code_align_patch(Cg *g, unsigned ahead);
/** A new exit site, to be filled (offsets as Loc). */
VexExitSite *exit_new(Cg *g);
/** Code between these two goes into the cold part and is reached by jumps only. */
typedef struct Ool {
    Code *back;
    bool was_cold; /**< we are in the cold part already: it is jumped over */
    uint32_t skip;
} Ool;
Ool code_ool_begin(Cg *g);
void code_ool_end(Cg *g, Ool o);
/** code_point() where the last point of the part does not say so already. */
void code_point_new(Cg *g);
/** A point of the fault map: code from here on belongs to the present guest instruction. */
static inline void code_point(Cg *g)
{
    const PointList *list = &g->point_list[g->c == &g->buf[1]];
    const VexPoint *last = list->at + list->n - 1;
    if (!list->n || last->guest_off != (uint32_t)(g->guest_pc - g->b->addr) ||
        last->cc_in_host != (g->cc == CCS_EFLAGS))
        code_point_new(g);
}
/** IR_DATA_COUNTERS or _RECORD, which @p v points into, or -1. */
int code_data_kind(const Cg *g, uint64_t v);
/** Is @p a, of SPACE_SHADOW, in IR_DATA_NEAR? */
static inline bool code_is_near(const Cg *g, uint64_t a)
{
    const IrData *near = &g->b->data[IR_DATA_NEAR];
    return a - (uint64_t)(uintptr_t)near->base < near->len;
}
/** The displacement before the last @p imm bytes of the code is in IR_DATA_NEAR. */
void code_near_site(Cg *g, unsigned imm);
/** Load a constant, which may point into the block's data. */
void emit_constant(Cg *g, unsigned reg, uint64_t v);
/** Load the address of a function of ours. */
void emit_function_address(Cg *g, unsigned reg, const void *fn);
/** Where the cold part of @p len bytes begins in a buffer of @p size bytes. */
uint32_t code_cold_offset(size_t size, size_t len, const uint8_t *run_addr);
enum { CODE_COLD_ALIGN = 8 };
/** Put the cold part in its place, resolve fixups, fill @p out. */
bool code_finish(Cg *g, VexTranslation *out);

/* vectors: moves of whole registers */
void emit_vec_load(Cg *g, unsigned bytes, unsigned x, const HMem *m);
void emit_vec_store(Cg *g, unsigned bytes, unsigned x, const HMem *m);
void emit_vec_mov(Cg *g, unsigned dst, unsigned src);
/** @p v in each 64-bit lane. */
void vec_const(Cg *g, unsigned bytes, unsigned x, uint64_t v);

#endif
