/* SPDX-License-Identifier: MIT */
/*
 * Where values are while the forward pass runs.  Invariants: hr[r].val == v exactly when
 * val[v].reg == r; a value alive after the present instruction is in a register, in a slot, in
 * an unchanged home or a constant; locked registers are not given away.
 */
#include "codegen.h"

uint8_t rx_of_other(RegId r)
{
    if (r >= REG_TOOL(0) && r < REG_TOOL(REG_TOOL_WORDS))
        return (uint8_t)(RX_TOOL + (r - REG_TOOL(0)));
    CHECK((r & REG_SHADOW) && (r & 0xff) < AMD64_REG_COUNT, "register %u", r);
    return (uint8_t)(RX_SHADOW + (r & 0xff));
}

RegId rx_reg(uint8_t rx)
{
    if (rx < RX_SHADOW)
        return rx;
    return rx < RX_TOOL ? REG_SHADOW_OF(rx - RX_SHADOW) : REG_TOOL(rx - RX_TOOL);
}

int32_t rx_offset(uint8_t rx) { return (int32_t)gimle_reg_offset(rx_reg(rx)); }

int64_t const_value(const Cg *g, IrRef v)
{
    const IrInsn *i = &g->insn[v];
    switch (i->type) {
    case TY_I1:
        return i->imm & 1;
    case TY_I8:
        return (int8_t)i->imm;
    case TY_I16:
        return (int16_t)i->imm;
    case TY_I32:
        return (int32_t)i->imm;
    }
    return (int64_t)i->imm;
}

bool const_imm(const Cg *g, IrRef v, int64_t *imm)
{
    if (!is_const(g, v))
        return false;
    *imm = const_value(g, v);
    return fits_i32(*imm);
}

/* ---- spill slots ------------------------------------------------------------------------- */

HMem slot_mem(int slot)
{
    return mem_state((int32_t)offsetof(VexState, spill) + slot * 32);
}

static bool slot_used(const uint64_t *m, unsigned s) { return m[s >> 6] >> (s & 63) & 1; }

int slot_alloc(Cg *g, unsigned n)
{
    for (unsigned s = 0; s + n <= VEX_SPILL_SLOTS; s++) {
        bool clear = true;
        for (unsigned k = 0; k < n; k++)
            clear = clear && !slot_used(g->slots, s + k) && !slot_used(g->cold_slots, s + k);
        if (!clear)
            continue;
        for (unsigned k = 0; k < n; k++)
            g->slots[(s + k) >> 6] |= 1ull << ((s + k) & 63);
        return (int)s;
    }
    UNREACHABLE("block 0x%llx: no spill slot at t%u", (unsigned long long)g->b->addr, g->now);
}

void slot_free(Cg *g, int slot, unsigned n)
{
    for (unsigned s = (unsigned)slot; s < (unsigned)slot + n; s++)
        g->slots[s >> 6] &= ~(1ull << (s & 63));
}

static unsigned slots_of(const Cg *g, IrRef v) { return type_of(g, v) == TY_V512 ? 2 : 1; }

/* ---- registers --------------------------------------------------------------------------- */

void regalloc_init(Cg *g)
{
    memset(g->alias, 0xff, sizeof g->alias);
    for (unsigned r = 0; r < H_NREGS; r++)
        g->hr[r] = (HostSlot){ IR_NONE, RX_NONE };
    enum { AT_ONCE = 32 };
    static const Val nowhere[AT_ONCE] = { [0 ... AT_ONCE - 1] = {
        .dies = IR_NONE, .dies_next = IR_NONE, .alias_next = IR_NONE, .slot = -1,
        .reg = H_NONE, .hint = H_NONE, .alias = RX_NONE
    } };
    for (uint32_t i = 0; i < g->n; i += AT_ONCE)
        memcpy(&g->val[i], nowhere, (g->n - i < AT_ONCE ? g->n - i : AT_ONCE) * sizeof(Val));
}

void reg_clobbered(Cg *g, int r)
{
    g->hr[r].cache = RX_NONE;
    g->const_mask &= ~(1u << r);
}

static inline void unbind(Cg *g, IrRef v)
{
    Val *x = &g->val[v];
    if (x->reg >= 0) {
        g->hr[x->reg].val = IR_NONE;
        x->reg = H_NONE;
    }
}

static void bind(Cg *g, IrRef v, int r)
{
    g->hr[r].val = v;
    g->val[v].reg = (int8_t)r;
}

/** Can @p v be had without its register? */
static bool is_elsewhere(const Cg *g, IrRef v)
{
    const Val *x = &g->val[v];
    return x->slot >= 0 || x->alias != RX_NONE || is_const(g, v);
}

static void store_to_slot(Cg *g, IrRef v)
{
    Val *x = &g->val[v];
    x->slot = (int16_t)slot_alloc(g, 1);
    HMem m = slot_mem(x->slot);
    if (x->reg >= H_XMM0)
        emit_vec_store(g, ir_type_size(type_of(g, v)), (unsigned)x->reg - H_XMM0, &m);
    else
        emit_store(g->c, 8, (unsigned)x->reg, &m);
}

void evict(Cg *g, int r)
{
    IrRef v = g->hr[r].val;
    if (v == IR_NONE)
        return;
    if (g->val[v].last >= g->now && !is_elsewhere(g, v))
        store_to_slot(g, v);
    unbind(g, v);
}

void evict_mask(Cg *g, uint32_t regs)
{
    for (; regs; regs &= regs - 1)
        evict(g, __builtin_ctz(regs));
}

void spill_mask(Cg *g, uint32_t regs)
{
    for (; regs; regs &= regs - 1) {
        int r = __builtin_ctz(regs);
        IrRef v = g->hr[r].val;
        if (v != IR_NONE && g->val[v].last <= g->now)
            continue;
        evict(g, r);
        reg_clobbered(g, r);
    }
}

/** How much we would regret to lose what @p r holds; 0: nothing. */
static uint32_t regret(const Cg *g, int r)
{
    const HostSlot *h = &g->hr[r];
    if (h->val == IR_NONE) {
        if (h->cache == RX_NONE && !(g->const_mask >> r & 1))
            return 0;
        return 1;
    }
    const Val *x = &g->val[h->val];
    uint32_t distance = x->last - g->now < 4096 ? x->last - g->now : 4095;
    uint32_t near = 4096 - distance;
    return 2 + near + (is_elsewhere(g, h->val) ? 0 : 8192);
}

static int pick(Cg *g, uint32_t candidates)
{
    candidates &= ~g->locked;
    CHECK(candidates, "block 0x%llx: all registers are in use by t%u, %s",
          (unsigned long long)g->b->addr, g->now, ir_op_name((IrOp)g->insn[g->now].op));
    if (g->random) {
        g->random = g->random * 1664525u + 1013904223u;
        unsigned skip = (g->random >> 16) % (unsigned)__builtin_popcount(candidates);
        for (; skip; skip--)
            candidates &= candidates - 1;
        return __builtin_ctz(candidates);
    }
    int best = H_NONE;
    uint32_t best_regret = ~0u;
    for (uint32_t m = candidates; m; m &= m - 1) {
        int r = __builtin_ctz(m);
        uint32_t x = regret(g, r);
        if (x == 0)
            return r;
        if (x < best_regret) {
            best_regret = x;
            best = r;
        }
    }
    return best;
}

static int tmp_from(Cg *g, uint32_t candidates)
{
    int r = pick(g, candidates);
    evict(g, r);
    reg_clobbered(g, r);
    g->locked |= 1u << r;
    return r;
}

int tmp_gpr(Cg *g) { return tmp_from(g, g->allocatable & 0xffff); }
int tmp_vec(Cg *g) { return tmp_from(g, g->allocatable & 0xffff0000u); }

int tmp_gpr_at(Cg *g, int want)
{
    CHECK(g->allocatable >> want & 1, "host register %d", want);
    if (g->locked >> want & 1) {
        /* An operand of this instruction lives here: move it. */
        IrRef v = g->hr[want].val;
        CHECK(v != IR_NONE, "host register %d is in use", want);
        int other = tmp_gpr(g);
        emit_mov(g->c, (unsigned)other, (unsigned)want);
        unbind(g, v);
        bind(g, v, other);
    }
    evict(g, want);
    reg_clobbered(g, want);
    g->locked |= 1u << want;
    return want;
}

int tmp_vec_at(Cg *g, int want)
{
    int r = H_XMM0 + want;
    evict(g, r);
    g->locked |= 1u << r;
    return r;
}

void tmp_free(Cg *g, int r)
{
    if (g->hr[r].val == IR_NONE)
        g->locked &= ~(1u << r);
}

int cached_in(const Cg *g, uint8_t rx)
{
    for (uint32_t m = g->allocatable & 0xffff; m; m &= m - 1) {
        int r = __builtin_ctz(m);
        if (g->hr[r].cache == rx)
            return r;
    }
    return H_NONE;
}

void copy_gpr(Cg *g, int r, IrRef v)
{
    const Val *x = &g->val[v];
    HMem m;
    if (x->reg >= 0) {
        emit_mov(g->c, (unsigned)r, (unsigned)x->reg);
    } else if (is_const(g, v)) {
        const IrInsn *i = &g->insn[v];
        uint64_t k = i->type == TY_I64 || i->type == TY_FLAGS
            ? i->imm : (uint32_t)const_value(g, v);
        emit_constant(g, (unsigned)r, k);
    } else if (x->alias != RX_NONE) {
        if (x->alias == AMD64_CC)
            cc_to_state(g);
        int h = rx_home(g, x->alias);
        int cached = h < 0 ? cached_in(g, x->alias) : h;
        m = mem_state(rx_offset(x->alias));
        if (cached >= 0)
            emit_mov(g->c, (unsigned)r, (unsigned)cached);
        else
            emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)r, &m);
    } else if (x->slot >= 0) {
        m = slot_mem(x->slot);
        emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)r, &m);
    } else {
        CHECK(x->flags & VF_LAZY && insn_of(g, v)->op == OP_LOAD, "value %u of op %s is nowhere",
              v, ir_op_name((IrOp)insn_of(g, v)->op));
        uint32_t locked = g->locked;
        m = host_mem_of_load(g, v);
        emit_load(g->c, size_of(type_of(g, v)), (unsigned)r, &m);
        g->locked = locked;
    }
}

int constant_in(const Cg *g, uint64_t k)
{
    for (uint32_t m = g->const_mask; m; m &= m - 1) {
        int r = __builtin_ctz(m);
        if (g->const_in[r] == k)
            return r;
    }
    return H_NONE;
}

int use_gpr(Cg *g, IrRef v)
{
    Val *x = &g->val[v];
    if (x->reg >= 0) {
        g->locked |= 1u << x->reg;
        return x->reg;
    }
    if (x->alias != RX_NONE && !is_const(g, v)) {
        int h = rx_home(g, x->alias);
        if (h >= 0)
            return h;
        h = x->alias == AMD64_CC ? H_NONE : cached_in(g, x->alias);
        if (h >= 0) {
            if (g->hr[h].val == IR_NONE && !(g->locked >> h & 1))
                bind(g, v, h);
            g->locked |= 1u << h;
            return h;
        }
    }
    if (is_const(g, v) && g->insn[v].type == TY_I64) {
        int k = constant_in(g, g->insn[v].imm);
        if (k >= 0) {
            g->locked |= 1u << k;
            return k;
        }
    }
    int r = tmp_gpr(g);
    copy_gpr(g, r, v);
    bind(g, v, r);
    if (x->alias != RX_NONE && x->alias != AMD64_CC)
        g->hr[r].cache = x->alias;
    if (is_const(g, v) && g->insn[v].type == TY_I64) {
        g->const_in[r] = g->insn[v].imm;
        g->const_mask |= 1u << r;
    }
    return r;
}

int use_vec(Cg *g, IrRef v)
{
    Val *x = &g->val[v];
    if (x->reg >= 0) {
        g->locked |= 1u << x->reg;
        return x->reg - H_XMM0;
    }
    int r = tmp_vec(g);
    unsigned bytes = ir_type_size(type_of(g, v));
    if (is_const(g, v)) {
        vec_const(g, bytes, (unsigned)r - H_XMM0, g->insn[v].imm);
    } else {
        HMem m = x->slot >= 0 ? slot_mem(x->slot) : mem_state(rx_offset(x->alias));
        emit_vec_load(g, bytes, (unsigned)r - H_XMM0, &m);
    }
    bind(g, v, r);
    return r - H_XMM0;
}

int take_gpr(Cg *g, IrRef v)
{
    Val *x = &g->val[v];
    int r = x->reg;
    if (r >= 0 && dies_now(g, v) && (g->allocatable >> r & 1)) {
        unbind(g, v);
        reg_clobbered(g, r);
        g->locked |= 1u << r;
        return r;
    }
    r = tmp_gpr(g);
    copy_gpr(g, r, v);
    return r;
}

bool mem_of_val(Cg *g, IrRef v, HMem *m)
{
    const Val *x = &g->val[v];
    if (x->reg >= 0 || is_const(g, v))
        return false;
    if (x->alias != RX_NONE) {
        if (rx_home(g, x->alias) >= 0 || x->alias == AMD64_CC || cached_in(g, x->alias) >= 0)
            return false;
        *m = mem_state(rx_offset(x->alias));
        return true;
    }
    if (x->slot >= 0) {
        *m = slot_mem(x->slot);
        return true;
    }
    if ((x->flags & VF_LAZY) && insn_of(g, v)->op == OP_LOAD) {
        *m = host_mem_of_load(g, v);
        return true;
    }
    return false;
}

/* ---- results ----------------------------------------------------------------------------- */

/** May the result be made in the register that the backward pass proposed? */
static bool hint_usable(const Cg *g, int h)
{
    if (h == H_NONE || g->hr[h].val != IR_NONE || (g->locked >> h & 1))
        return false;
    if (g->allocatable >> h & 1)
        return true;
    for (uint8_t rx = 0; rx < AMD64_DF; rx++) {
        if (rx_home(g, rx) != h)
            continue;
        for (IrRef v = g->alias[rx]; v != IR_NONE; v = g->val[v].alias_next) {
            if (g->val[v].alias == rx && g->val[v].last > g->now)
                return false;
        }
        return true;
    }
    return false;
}

int def_gpr(Cg *g)
{
    int h = g->val[g->now].hint;
    if (hint_usable(g, h)) {
        reg_clobbered(g, h);
        g->locked |= 1u << h;
    } else {
        h = tmp_gpr(g);
    }
    bind(g, g->now, h);
    return h;
}

int def_vec(Cg *g)
{
    int r = tmp_vec(g);
    bind(g, g->now, r);
    return r - H_XMM0;
}

int def_from(Cg *g, IrRef a, uint32_t avoid)
{
    int h = g->val[g->now].hint;
    if (hint_usable(g, h) && !(avoid >> h & 1)) {
        g->locked |= 1u << h;
        copy_gpr(g, h, a);
        reg_clobbered(g, h);
        bind(g, g->now, h);
        return h;
    }
    int r = take_gpr(g, a);
    bind(g, g->now, r);
    return r;
}

void def_is(Cg *g, int r)
{
    bind(g, g->now, r);
}

void def_alias(Cg *g, IrRef v, uint8_t rx)
{
    g->val[v].alias = rx;
    g->val[v].alias_next = g->alias[rx];
    g->alias[rx] = v;
}

/** A value whose home changes gets a place of its own. */
static void move_away(Cg *g, IrRef v)
{
    Val *x = &g->val[v];
    if (x->reg < 0 && x->slot < 0) {
        if (is_vec(type_of(g, v))) {
            vec_move_away(g, v);
        } else {
            int r = tmp_gpr(g);
            copy_gpr(g, r, v);
            bind(g, v, r);
            g->locked &= ~(1u << r);
        }
    }
    x->alias = RX_NONE;
}

void detach_aliases_until(Cg *g, uint8_t rx, IrRef keep, IrRef change)
{
    IrRef next, list = g->alias[rx];
    g->alias[rx] = IR_NONE;
    for (IrRef v = list; v != IR_NONE; v = next) {
        Val *x = &g->val[v];
        next = x->alias_next;
        if (x->alias != rx || x->last <= g->now)
            continue; /* who dies now is read before the home changes */
        if (v == keep || x->last <= change)
            def_alias(g, v, rx);
        else
            move_away(g, v);
    }
}

void detach_aliases(Cg *g, uint8_t rx, IrRef keep) { detach_aliases_until(g, rx, keep, g->now); }

void detach_all(Cg *g)
{
    for (unsigned rx = 0; rx < RX_COUNT; rx++) {
        if (g->alias[rx] != IR_NONE)
            detach_aliases(g, (uint8_t)rx, IR_NONE);
    }
}

void drop_cache(Cg *g, uint8_t rx, int keep)
{
    for (uint32_t m = g->allocatable & 0xffff; m; m &= m - 1) {
        int r = __builtin_ctz(m);
        if (g->hr[r].cache == rx && r != keep)
            g->hr[r].cache = RX_NONE;
    }
}

void slot_release(Cg *g, IrRef v)
{
    slot_free(g, g->val[v].slot, slots_of(g, v));
    g->val[v].slot = -1;
}

/* ---- cold regions ------------------------------------------------------------------------ */

void snapshot_take(Cg *g, Snapshot *s)
{
    memcpy(s->hr, g->hr, sizeof s->hr);
    memcpy(s->const_in, g->const_in, sizeof s->const_in);
    s->const_mask = g->const_mask;
    s->cc = g->cc;
    s->fpu_tested = g->fpu_tested;
    s->pc_put = g->pc_put;
    memcpy(s->outer_slots, g->cold_slots, sizeof s->outer_slots);
    memcpy(g->cold_slots, g->slots, sizeof g->cold_slots);
}

/** Is the value's slot one that the main path has too? */
static bool slot_is_older(const Cg *g, IrRef v)
{
    int s = g->val[v].slot;
    return s >= 0 && slot_used(g->cold_slots, (unsigned)s);
}

/** Registers where the main path expects an unspilled value that is not there now. */
static uint32_t misplaced(Cg *g, const Snapshot *s)
{
    uint32_t m = 0;
    for (uint32_t left = g->allocatable; left; left &= left - 1) {
        unsigned r = (unsigned)__builtin_ctz(left);
        IrRef want = s->hr[r].val;
        if (want == IR_NONE || g->val[want].last <= g->now || g->hr[r].val == want)
            continue;
        if (slot_is_older(g, want) || g->val[want].alias != RX_NONE || is_const(g, want))
            continue;
        m |= 1u << r;
    }
    return m;
}

static void reload(Cg *g, IrRef v, int r)
{
    HMem m = slot_mem(g->val[v].slot);
    if (r >= H_XMM0)
        emit_vec_load(g, ir_type_size(type_of(g, v)), (unsigned)r - H_XMM0, &m);
    else
        emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)r, &m);
}

/** What host register @p r equals besides its value: the main path relies on it. */
static void restore_copy(Cg *g, const Snapshot *s, int r)
{
    uint32_t bit = 1u << r;
    bool had_const = s->const_mask & bit, has_const = g->const_mask & bit;
    bool free = g->hr[r].val == IR_NONE && (g->allocatable & bit);
    bool same_const = had_const && has_const && g->const_in[r] == s->const_in[r];
    bool same_cache = g->hr[r].cache == s->hr[r].cache;
    if (free && had_const && !same_const) {
        emit_constant(g, (unsigned)r, s->const_in[r]);
        g->hr[r].cache = RX_NONE;
        g->const_in[r] = s->const_in[r];
        g->const_mask |= bit;
        return;
    }
    if (free && s->hr[r].cache != RX_NONE && !same_cache) {
        HMem m = mem_state(rx_offset(s->hr[r].cache));
        emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)r, &m);
        g->hr[r].cache = s->hr[r].cache;
        g->const_mask &= ~bit;
        return;
    }
    if (!same_cache)
        g->hr[r].cache = RX_NONE;
    if (!same_const)
        g->const_mask &= ~bit;
}

void snapshot_restore(Cg *g, const Snapshot *s)
{
    uint32_t todo = misplaced(g, s);
    for (uint32_t m = todo; m; m &= m - 1) {
        IrRef v = s->hr[__builtin_ctz(m)].val;
        if (g->val[v].slot < 0)
            store_to_slot(g, v);
        unbind(g, v);
    }
    evict_mask(g, todo);
    for (uint32_t m = todo; m; m &= m - 1) {
        int r = __builtin_ctz(m);
        reload(g, s->hr[r].val, r);
        bind(g, s->hr[r].val, r);
        g->hr[r].cache = RX_NONE;
        g->const_mask &= ~(1u << r);
    }
    for (uint32_t left = g->allocatable; left; left &= left - 1) {
        int r = __builtin_ctz(left);
        IrRef v = g->hr[r].val;
        if (v != IR_NONE && v != s->hr[r].val)
            unbind(g, v);
        if (r < H_XMM0)
            restore_copy(g, s, r);
    }
    /* Slots that only the cold path filled mean nothing after it. */
    for (uint32_t left = g->allocatable; left; left &= left - 1) {
        IrRef v = s->hr[__builtin_ctz(left)].val;
        if (v == IR_NONE || g->val[v].last <= g->now)
            continue;
        if (g->val[v].slot >= 0 && !slot_is_older(g, v)) {
            slot_free(g, g->val[v].slot, 1);
            g->val[v].slot = -1;
        }
    }
    memcpy(g->cold_slots, s->outer_slots, sizeof g->cold_slots);
}
