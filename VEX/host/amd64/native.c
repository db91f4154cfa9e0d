/* SPDX-License-Identifier: MIT */
/*
 * NATIVE: one guest instruction on the guest registers wherever they are.  Those with a host
 * register as home are named in the encoding; the others are brought into temporaries before
 * and stored after.  Nothing between the first of these and the instruction changes EFLAGS,
 * and no home changes before it, so a fault in it finds the state of its start.
 */
#include "codegen.h"

/** How the operands are bound. */
typedef struct Binding {
    const NativeInsn *n;
    int8_t host[NATIVE_MAX_OPS];  /**< for emit_native(): register number within its class */
    uint8_t first[NATIVE_MAX_OPS];/**< operand that has the same register, itself if none before */
    uint8_t rx[NATIVE_MAX_OPS];
    uint8_t access[NATIVE_MAX_OPS]; /**< of all operands with this register, at the first */
    uint8_t high_home;            /**< 1 + operand whose high byte is worked on in a temporary */
    HMem mem;
    bool has_mem;
} Binding;

static bool is_bound(const NativeOp *op)
{
    return op->cls == RC_GPR || op->cls == RC_VEC || op->cls == RC_MASK;
}

/** Same register, and for byte registers same byte; implicit ones count whole. */
static bool same_operand(const NativeOp *a, const NativeOp *b)
{
    return a->reg == b->reg && a->cls == b->cls &&
           (a->offset == b->offset || (a->slot == NS_FIXED && b->slot == NS_FIXED));
}

static void find_operands(Binding *b)
{
    const NativeInsn *n = b->n;
    for (unsigned k = 0; k < n->n_ops; k++) {
        b->host[k] = H_NONE;
        b->first[k] = (uint8_t)k;
        b->access[k] = n->op[k].access;
        if (!is_bound(&n->op[k]))
            continue;
        b->rx[k] = rx_of(n->op[k].reg);
        for (unsigned j = 0; j < k; j++) {
            if (is_bound(&n->op[j]) && b->first[j] == j && same_operand(&n->op[j], &n->op[k])) {
                b->first[k] = (uint8_t)j;
                b->access[j] |= n->op[k].access;
                break;
            }
        }
    }
}

static bool is_first(const Binding *b, unsigned k)
{
    return is_bound(&b->n->op[k]) && b->first[k] == k;
}

/** Values that alias a register written here move away while temporaries are free. */
static void detach_written(Cg *g, const Binding *b)
{
    for (unsigned k = 0; k < b->n->n_ops; k++) {
        if (is_first(b, k) && (b->access[k] & NA_WRITE))
            detach_aliases(g, b->rx[k], IR_NONE);
    }
}

/** Non-pinned: registers that the instruction uses by name are ours before anything else. */
static void claim_fixed(Cg *g, Binding *b)
{
    for (unsigned k = 0; k < b->n->n_ops; k++) {
        const NativeOp *op = &b->n->op[k];
        if (!is_bound(op) || op->slot != NS_FIXED)
            continue;
        int number = b->rx[k] % AMD64_REG_COUNT;
        unsigned j = b->first[k];
        if (b->host[j] != H_NONE)
            continue;
        if (op->cls == RC_GPR && rx_home(g, b->rx[k]) < 0)
            b->host[j] = (int8_t)(g->locked >> number & 1 && g->hr[number].val == IR_NONE
                                      ? number : tmp_gpr_at(g, number));
        else if (op->cls == RC_GPR)
            b->host[j] = (int8_t)rx_home(g, b->rx[k]);
        else if (op->cls == RC_VEC && !g->pinned)
            b->host[j] = (int8_t)(tmp_vec_at(g, number - AMD64_V0) - H_XMM0);
    }
}

/** Registers that operands still need. */
static unsigned temps_wanted(const Cg *g, const Binding *b)
{
    unsigned want = 0;
    for (unsigned k = 0; k < b->n->n_ops; k++)
        want += is_first(b, k) && b->n->op[k].cls == RC_GPR && b->host[k] == H_NONE &&
                rx_home(g, b->rx[k]) < 0;
    return want;
}

/** With few temporaries left base and index are added up into one. */
static void squeeze_mem(Cg *g, Binding *b)
{
    unsigned left = (unsigned)__builtin_popcount(g->allocatable & 0xffff & ~g->locked);
    HMem *m = &b->mem;
    uint32_t temps = mem_regs(m) & g->allocatable;
    if (left >= temps_wanted(g, b) || __builtin_popcount(temps) < 2)
        return;
    int r = m->index, other = m->base;
    evict(g, r);
    reg_clobbered(g, r);
    HMem sum = *m;
    sum.gs = false;
    emit_lea(g->c, 8, (unsigned)r, &sum);
    *m = (HMem){ (int8_t)r, H_NONE, 0, m->gs, 0 };
    g->locked &= ~(1u << other);
}

/** First byte that the operand's temporary holds. */
static unsigned first_byte(const NativeOp *op) { return op->slot == NS_FIXED ? 0 : op->offset; }

static HMem operand_mem(uint8_t rx, const NativeOp *op)
{
    return mem_state(rx_offset(rx) + (int32_t)first_byte(op));
}

/** Must the register hold its old value when the instruction starts? */
static bool needs_load(const NativeOp *op, unsigned access)
{
    return (access & (NA_READ | NA_COND)) || op->wsize < 8;
}

static bool is_whole(const NativeOp *op) { return first_byte(op) == 0; }

static void bind_gpr(Cg *g, Binding *b, unsigned k)
{
    const NativeOp *op = &b->n->op[k];
    HMem m = operand_mem(b->rx[k], op);
    bool fixed = b->host[k] != H_NONE;
    bool writes = b->access[k] & NA_WRITE;
    int r = b->host[k];
    if (!fixed) {
        int c = is_whole(op) ? cached_in(g, b->rx[k]) : H_NONE;
        if (c >= 0 && (!writes || (g->hr[c].val == IR_NONE && !(g->locked >> c & 1)))) {
            g->locked |= 1u << c;
            b->host[k] = (int8_t)c;
            return;
        }
        r = tmp_gpr(g);
        b->host[k] = (int8_t)r;
    }
    if (needs_load(op, b->access[k])) {
        int c = is_whole(op) ? cached_in(g, b->rx[k]) : H_NONE;
        if (c >= 0)
            emit_mov(g->c, (unsigned)r, (unsigned)c);
        else if (!is_whole(op))
            emit_load(g->c, 1, (unsigned)r, &m);
        else
            emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)r, &m);
    }
}

static unsigned vec_width(unsigned bytes)
{
    unsigned w = bytes <= 16 ? 16 : bytes <= 32 ? 32 : 64;
    return w < host_cpu.vec_bytes ? w : host_cpu.vec_bytes;
}

/** Bytes of a vector register to bring in (0: none) and to store. */
static unsigned vec_load_bytes(const Binding *b, unsigned k)
{
    unsigned bytes = 0;
    for (unsigned j = 0; j < b->n->n_ops; j++) {
        const NativeOp *op = &b->n->op[j];
        if (!is_bound(op) || b->first[j] != k)
            continue;
        if (op->access & NA_READ && op->size > bytes)
            bytes = op->size;
        if (op->access & NA_WRITE && (op->wsize < 16 || (op->access & NA_COND)) &&
            op->wsize + 1u > bytes)
            bytes = op->wsize;
    }
    return bytes ? vec_width(bytes) : 0;
}

static unsigned vec_store_bytes(const Binding *b, unsigned k)
{
    unsigned bytes = 0;
    for (unsigned j = 0; j < b->n->n_ops; j++) {
        const NativeOp *op = &b->n->op[j];
        if (is_bound(op) && b->first[j] == k && (op->access & NA_WRITE) && op->wsize > bytes)
            bytes = op->wsize;
    }
    return bytes ? vec_width(bytes) : 0;
}

static void bind_vec(Cg *g, Binding *b, unsigned k, uint32_t *taken)
{
    unsigned number = b->rx[k] % AMD64_REG_COUNT - AMD64_V0;
    if (g->pinned) {
        b->host[k] = (int8_t)number;
        return;
    }
    if (b->host[k] == H_NONE) {
        if (*taken >> number & 1 || (number >= 16 && b->n->enc != NE_EVEX))
            number = (unsigned)__builtin_ctz(~*taken);
        if (number < 16)
            tmp_vec_at(g, (int)number);
        b->host[k] = (int8_t)number;
    }
    unsigned bytes = vec_load_bytes(b, k);
    if (bytes && number >= 16) /* only EVEX reaches it */
        bytes = 64;
    if (bytes) {
        HMem m = mem_state(rx_offset(b->rx[k]));
        emit_vec_load(g, bytes, (unsigned)b->host[k], &m);
    }
}

/** KMOVQ between a mask register and the state. */
static void emit_kmov(Cg *g, unsigned opc, unsigned k, uint8_t rx)
{
    HMem m = mem_state(rx_offset(rx));
    emit_vex_rm(g->c, opc | O_0F, 1, 16, k, 0, &m);
}

static void bind_mask(Cg *g, Binding *b, unsigned k, uint32_t *taken)
{
    unsigned number = b->rx[k] % AMD64_REG_COUNT - AMD64_K0;
    if (!g->pinned && *taken >> number & 1)
        number = (unsigned)__builtin_ctz(~*taken & 0xfe);
    *taken |= 1u << number;
    b->host[k] = (int8_t)number;
    if (!g->pinned && needs_load(&b->n->op[k], b->access[k]))
        emit_kmov(g, 0x90, number, b->rx[k]);
}

static void bind_operands(Cg *g, Binding *b)
{
    uint32_t taken_vec = 0, taken_mask = 0;
    for (unsigned k = 0; k < b->n->n_ops; k++) {
        if (is_first(b, k) && b->n->op[k].cls == RC_VEC && b->host[k] != H_NONE)
            taken_vec |= 1u << b->host[k];
    }
    for (unsigned k = 0; k < b->n->n_ops; k++) {
        if (!is_first(b, k))
            continue;
        const NativeOp *op = &b->n->op[k];
        if (op->cls == RC_VEC) {
            bind_vec(g, b, k, &taken_vec);
            taken_vec |= 1u << b->host[k];
        } else if (op->cls == RC_MASK) {
            bind_mask(g, b, k, &taken_mask);
        } else if (rx_home(g, b->rx[k]) >= 0) {
            b->host[k] = (int8_t)rx_home(g, b->rx[k]);
        } else {
            bind_gpr(g, b, k);
        }
    }
    for (unsigned k = 0; k < b->n->n_ops; k++)
        b->host[k] = b->host[b->first[k]];
}

/** Does the encoding need REX for reasons other than a high byte register? */
static bool needs_rex(const Binding *b)
{
    uint32_t high = 0xff00;
    if (b->has_mem && (mem_regs(&b->mem) & high))
        return true;
    for (unsigned k = 0; k < b->n->n_ops; k++) {
        const NativeOp *op = &b->n->op[k];
        if (!is_bound(op) || op->slot == NS_FIXED)
            continue;
        bool low_byte = op->cls == RC_GPR && op->size == 1 && op->offset == 0;
        if (b->host[k] >= 8 || (low_byte && b->host[k] >= 4))
            return true;
    }
    return false;
}

/**
 * A high byte register (AH..) cannot be named together with REX: then the byte is worked on in
 * a temporary; the register's own, stale place in the state serves as the way in and out.
 */
static void high_byte_in(Cg *g, Binding *b)
{
    for (unsigned k = 0; k < b->n->n_ops; k++) {
        const NativeOp *op = &b->n->op[k];
        if (!is_first(b, k) || op->offset != 1 || rx_home(g, b->rx[k]) < 0 ||
            op->slot == NS_FIXED || !needs_rex(b))
            continue;
        HMem whole = mem_state(rx_offset(b->rx[k])), byte = operand_mem(b->rx[k], op);
        emit_store(g->c, 8, (unsigned)b->host[k], &whole);
        int t = tmp_gpr(g);
        emit_load(g->c, 1, (unsigned)t, &byte);
        for (unsigned j = 0; j < b->n->n_ops; j++) {
            if (is_bound(&b->n->op[j]) && b->first[j] == k)
                b->host[j] = (int8_t)t;
        }
        b->high_home = (uint8_t)(k + 1);
    }
}

static void high_byte_out(Cg *g, const Binding *b)
{
    if (!b->high_home)
        return;
    unsigned k = b->high_home - 1u;
    if (!(b->access[k] & NA_WRITE))
        return;
    HMem whole = mem_state(rx_offset(b->rx[k])), byte = operand_mem(b->rx[k], &b->n->op[k]);
    emit_store(g->c, 1, (unsigned)b->host[k], &byte);
    emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)rx_home(g, b->rx[k]), &whole);
}

/** Largest number of bytes that operands with the register of operand @p k change. */
static unsigned gpr_store_bytes(const Binding *b, unsigned k)
{
    unsigned bytes = 0;
    for (unsigned j = 0; j < b->n->n_ops; j++) {
        const NativeOp *op = &b->n->op[j];
        if (!is_bound(op) || b->first[j] != k || !(op->access & NA_WRITE))
            continue;
        unsigned w = op->slot == NS_FIXED ? 8 : op->wsize;
        if (w > bytes)
            bytes = w;
    }
    return bytes < 8 ? bytes : 8;
}

static void store_gpr(Cg *g, const Binding *b, unsigned k)
{
    unsigned r = (unsigned)b->host[k], bytes = gpr_store_bytes(b, k);
    HMem m = operand_mem(b->rx[k], &b->n->op[k]);
    drop_cache(g, b->rx[k], H_NONE);
    emit_store(g->c, bytes, r, &m);
    if (bytes == 8)
        g->hr[r].cache = b->rx[k];
}

static void store_wide(Cg *g, const Binding *b, unsigned k)
{
    if (g->pinned)
        return;
    HMem m = mem_state(rx_offset(b->rx[k]));
    drop_cache(g, b->rx[k], H_NONE);
    if (b->n->op[k].cls == RC_MASK)
        emit_kmov(g, 0x91, (unsigned)b->host[k], b->rx[k]);
    else
        emit_vec_store(g, vec_store_bytes(b, k), (unsigned)b->host[k], &m);
}

/** Whole registers before single bytes of them. */
static void store_results(Cg *g, const Binding *b)
{
    for (unsigned bytes = 0; bytes < 2; bytes++) {
        for (unsigned k = 0; k < b->n->n_ops; k++) {
            const NativeOp *op = &b->n->op[k];
            if (!is_first(b, k) || !(b->access[k] & NA_WRITE) || is_whole(op) == bytes)
                continue;
            if (op->cls != RC_GPR)
                store_wide(g, b, k);
            else if (rx_home(g, b->rx[k]) < 0)
                store_gpr(g, b, k);
        }
    }
}

/** The guest's x87 state must be in the host: test once a block, load out of line. */
static void need_fpu(Cg *g)
{
    if (g->fpu_tested)
        return;
    HMem live = mem_state((int32_t)offsetof(VexState, fpu_live));
    HMem stub = mem_state((int32_t)offsetof(VexState, stubs.fpu_load));
    if (g->b->native[insn_of(g, g->now)->aux]->cc_read)
        cc_to_state(g);
    cc_clobber(g);
    emit_alu_mi(g->c, ALU_CMP, 4, &live, 0);
    uint32_t fix = emit_jcc(g, CC_E, 0);
    Loc join = code_here(g);
    Ool o = code_ool_begin(g);
    fix_set(g, fix, code_here(g));
    emit_rm(g->c, O_GROUP5, 4, 2, &stub);
    if (!o.was_cold)
        emit_jmp(g, join);
    code_ool_end(g, o);
    g->fpu_tested = true;
}

/** Does the instruction see, or let through, condition codes from before it? */
static bool wants_cc(const NativeInsn *n, uint16_t live_after)
{
    if (n->cc_read)
        return true;
    if (!n->cc_write)
        return false;
    return (live_after & ~n->cc_write) || ((n->flags & NF_FLAGS_MAYBE) && live_after);
}

/** Is @p v what guest register @p r holds, which lives in the host register of the same name? */
static bool is_own_home(const Cg *g, IrRef v, uint8_t r)
{
    if (r == 0xff || v == IR_NONE)
        return r == 0xff && v == IR_NONE;
    return g->val[v].alias == r && rx_home(g, r) == (int)r;
}

/** Does the encoding name the memory operand of @p i, all in host registers of the same names? */
static bool is_verbatim_mem(const Cg *g, const IrInsn *i, const NativeInsn *n)
{
    return n->mem_plain && i->disp == n->mem_disp && i->space == SPACE_GUEST &&
           (n->mem_index == 0xff || i->scale == n->mem_scale) &&
           is_own_home(g, i->arg[0], n->mem_base) && is_own_home(g, i->arg[1], n->mem_index);
}

/** Nothing to rename, load or store: the guest's bytes do. */
static bool is_verbatim(const Cg *g, const IrInsn *i, const NativeInsn *n)
{
    if (!g->pinned || n->seg_prefix_off || n->addr32_off ||
        (native_has_mem(n) && !is_verbatim_mem(g, i, n)))
        return false;
    for (unsigned k = 0; k < n->n_ops; k++) {
        const NativeOp *op = &n->op[k];
        if (op->cls == RC_GPR &&
            (op->reg >= AMD64_PC || rx_home(g, (uint8_t)op->reg) != (int)op->reg))
            return false;
        if (is_bound(op) && op->access & NA_WRITE && g->alias[rx_of(op->reg)] != IR_NONE)
            return false;
    }
    return true;
}

static void emit_bound(Cg *g, const IrInsn *insn, const NativeInsn *n)
{
    Binding b = { .n = n, .has_mem = native_has_mem(n) };
    find_operands(&b);
    detach_written(g, &b);
    claim_fixed(g, &b);
    if (b.has_mem) {
        b.mem = host_mem(g, insn);
        squeeze_mem(g, &b);
    }
    bind_operands(g, &b);
    high_byte_in(g, &b);
    for (unsigned k = 0; k < n->n_ops; k++) {
        if (is_bound(&n->op[k]) && b.host[k] != H_NONE && (b.access[b.first[k]] & NA_WRITE) &&
            n->op[k].cls == RC_GPR && (g->allocatable >> b.host[k] & 1))
            reg_clobbered(g, b.host[k]);
    }
    emit_native(g->c, n, b.host, b.has_mem ? &b.mem : NULL, g->pinned);
    high_byte_out(g, &b);
    store_results(g, &b);
}

void gen_native(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    const NativeInsn *n = g->b->native[insn->aux];
    uint16_t live = g->val[i].cc_live;
    if (n->flags & NF_X87)
        need_fpu(g);
    if (wants_cc(n, live))
        cc_to_eflags(g);
    if (n->cc_write)
        cc_write_begin(g);
    g->cc_overwrite = false;
    if (n->mem_access)
        code_point(g);
    if (is_verbatim(g, insn, n)) {
        memcpy(g->c->p, n->bytes, 16);
        g->c->p += n->len;
    } else {
        emit_bound(g, insn, n);
    }
    if (n->cc_write)
        g->cc = live ? CCS_EFLAGS : CCS_STATE;
}
