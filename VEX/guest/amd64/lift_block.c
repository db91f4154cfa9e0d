/* SPDX-License-Identifier: MIT */
/*
 * Forming a block: decode until control leaves, find out which condition codes matter, then lift
 * each instruction by its row of the table or as NATIVE.
 */
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "flags_flow.h"
#include "guest/lift.h"
#include "ir/ir_internal.h"
#include "lift_internal.h"

/** A block may go on past this many conditional jumps, without and with VM_LONG_BLOCKS. */
enum { BRANCHES = 1, MORE_BRANCHES = 2, MAX_INSNS = 256 };

/** The instructions of a block and why it ends. */
typedef struct DecodedBlock {
    Insn *insn[MAX_INSNS];
    unsigned n;
    GuestAddr end;       /**< after the last instruction */
    IrJumpKind end_kind; /**< JK_BORING, or what happens at end */
    bool client_request; /**< the bytes at end are a client request */
    uint8_t request;     /**< which one: XCHG_* */
    bool unreadable;     /**< the bytes at end cannot be read */
} DecodedBlock;

/* ---- client requests ---------------------------------------------------------------------- */

/** rol $3, %rdi; rol $13, %rdi; rol $61, %rdi; rol $51, %rdi: no effect, announces a request. */
static const uint8_t preamble[16] = { 0x48, 0xc1, 0xc7, 0x03, 0x48, 0xc1, 0xc7, 0x0d,
                                      0x48, 0xc1, 0xc7, 0x3d, 0x48, 0xc1, 0xc7, 0x33 };

/** The instruction that follows the preamble is xchg of a register with itself. */
enum { REQUEST_BYTES = 19, XCHG_RBX = 0xdb, XCHG_RCX = 0xc9, XCHG_RDX = 0xd2, XCHG_RDI = 0xff };

static bool is_client_request(const uint8_t *code, size_t avail)
{
    if (avail < REQUEST_BYTES || code[3] != preamble[3] || memcmp(code, preamble, sizeof preamble))
        return false;
    uint8_t x = code[18];
    return code[16] == 0x48 && code[17] == 0x87 &&
           (x == XCHG_RBX || x == XCHG_RCX || x == XCHG_RDX || x == XCHG_RDI);
}

static void mark(Lift *l, GuestAddr a, unsigned len)
{
    ir_emit(l->b, &(IrInsn){ .op = OP_IMARK, .aux = (uint16_t)len, .imm = a,
                             .arg = { IR_NONE, IR_NONE, IR_NONE } });
}

static void lift_client_request(Lift *l, GuestAddr a, uint8_t which)
{
    GuestAddr next = a + REQUEST_BYTES;
    mark(l, a, REQUEST_BYTES);
    if (which != XCHG_RDX) { /* the core looks which one it is */
        lift_jump(l, next, JK_CLIENT_REQ, true);
        return;
    }
    /* call *%rax without redirection */
    IrRef target = lift_get(l, AMD64_RAX, 8), sp = lift_get(l, AMD64_RSP, 8);
    ir_store(l->b, SPACE_GUEST, lift_at(sp, -8), lift_c64(l, next));
    ir_put(l->b, AMD64_RSP, lift_plus(l, sp, -8));
    lift_jump_ind(l, target, JK_NO_REDIR, true);
}

/* ---- decoding ------------------------------------------------------------------------------ */

static bool ends_block(const Insn *in)
{
    unsigned props = insn_row(in->mnemonic)->props;
    return props & RP_END || (props & RP_STRING && insn_is_repeated(in));
}

static IrJumpKind kind_of_failure(DecodeStatus s)
{
    return s == DECODE_ILLEGAL ? JK_SIGILL : s == DECODE_TOO_LONG ? JK_SIGSEGV : JK_NODECODE;
}

/** Does the processor we run on have what the instruction needs? */
static bool host_has(const Insn *in)
{
    return !(in->n.flags & NF_AVX512) || __builtin_cpu_supports("avx512bw");
}

static void decode_block(const Amd64Decoder *d, CodeWindow *w, GuestAddr pc, unsigned mode_flags,
                         struct Arena *arena, DecodedBlock *out)
{
    unsigned max = vex_config()->max_guest_insns;
    unsigned branches = mode_flags & VM_LONG_BLOCKS ? MORE_BRANCHES : BRANCHES;
    if (max == 0 || max > MAX_INSNS)
        max = 64;
    if (mode_flags & LIFT_ONE_INSN)
        max = 1;
    out->end_kind = JK_BORING;
    while (out->n < max) {
        size_t avail;
        const uint8_t *code = code_window_bytes(w, pc, &avail);
        out->end = pc;
        if (avail >= 4 && code[3] == 3 && is_client_request(code, avail)) {
            out->client_request = true;
            out->request = code[REQUEST_BYTES - 1];
            return;
        }
        Insn *in = arena_alloc_raw(arena, sizeof *in); /* decoding fills it */
        DecodeStatus s = avail ? amd64_decode(d, code, avail, pc, in) : DECODE_UNREADABLE;
        if (s == DECODE_OK && !host_has(in))
            s = DECODE_ILLEGAL;
        if (s == DECODE_UNREADABLE) {
            out->unreadable = true;
            return;
        }
        if (s != DECODE_OK) {
            out->end_kind = kind_of_failure(s);
            return;
        }
        out->insn[out->n++] = in;
        out->end = pc = in->next;
        if (ends_block(in))
            return;
        if (insn_row(in->mnemonic)->props & RP_BRANCH && branches-- == 0)
            return;
    }
}

/* ---- lifting ------------------------------------------------------------------------------- */

static bool block_ended(const IrBlock *b)
{
    return b->n && ir_op_info[b->insn[b->n - 1].op].flags & OPF_END;
}

static void lift_insn(Lift *l, Insn *in)
{
    const InsnRow *row = insn_row(in->mnemonic);
    mark(l, in->addr, in->len);
    if (row->lift && (row->props & RP_ALWAYS || !lift_is_native(l)) && row->lift(l, in, row))
        return;
    if (in->has_mem && !in->n.off_modrm)
        lift_jump(l, in->addr, JK_NODECODE, true);
    else
        lift_native(l, in);
}

static void lift_decoded(Lift *l, const Amd64Decoder *d, CodeWindow *w, DecodedBlock *db,
                         bool *assumption_failed)
{
    if (db->n)
        flags_flow_block(d, w, db->insn, db->n, assumption_failed);
    for (unsigned i = 0; i < db->n && !block_ended(l->b); i++)
        lift_insn(l, db->insn[i]);
    if (block_ended(l->b))
        return;
    if (db->client_request)
        lift_client_request(l, db->end, db->request);
    else
        lift_jump(l, db->end, db->end_kind,
                  db->end_kind != JK_BORING || db->insn[db->n - 1]->cc_live);
}

/** The block's flags_live_out: some exit has live condition codes. */
static bool any_live_exit(const IrBlock *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        const IrInsn *x = &b->insn[i];
        if ((x->op == OP_EXIT_IF || x->op == OP_JUMP || x->op == OP_JUMP_IND) && x->aux)
            return true;
    }
    return false;
}

/** The block depends on @p r, too, which it looked at: into an extent but the first, the block. */
static void add_extent(VexTranslation *out, VexRange r)
{
    for (uint32_t i = 0; i < out->n_extents; i++) {
        VexRange *e = &out->extent[i];
        GuestAddr start = r.addr < e->addr ? r.addr : e->addr;
        GuestAddr end = r.addr + r.len > e->addr + e->len ? r.addr + r.len : e->addr + e->len;
        if (start == e->addr && end == e->addr + e->len)
            return;
        if (i > 0 && end - start <= r.len + e->len) { /* they overlap or touch */
            *e = (VexRange){ start, (uint32_t)(end - start) };
            return;
        }
    }
    out->extent[out->n_extents++] = r;
}

static void add_looks(const CodeWindow *w, VexTranslation *out)
{
    out->portable = !w->looked_too_far;
    for (unsigned i = 0; i < w->n_looked; i++)
        if (w->looked[i].len)
            add_extent(out, w->looked[i]);
}

IrBlock *guest_lift_block(GuestAddr pc, unsigned mode, unsigned mode_flags, const CodeCopy *copy,
                          struct Arena *arena, VexTranslation *out)
{
    Amd64Decoder d;
    DecodedBlock db;
    CodeWindow w = { .copy = copy };
    amd64_decoder_init(&d);
    db.n = 0;
    db.client_request = db.unreadable = false;
    decode_block(&d, &w, pc, mode_flags, arena, &db);
    out->extent = arena_alloc_raw(arena, (1 + MAX_LOOKS) * sizeof *out->extent);
    out->n_extents = 1;
    if (!db.n && db.unreadable) {
        out->extent[0].addr = pc + code_window_at(&w, pc);
        out->extent[0].len = 0;
        return NULL;
    }
    Lift l = { ir_block_new(arena, pc, (uint8_t)mode), arena, (uint8_t)mode, mode_flags };
    lift_decoded(&l, &d, &w, &db, &out->assumption_failed);
    l.b->flags_live_out = any_live_exit(l.b);
    l.b->n_guest = out->n_guest = (uint16_t)(db.n + db.client_request);
    /* A block that ends at bytes we cannot decode depends on these bytes too. */
    GuestAddr end = db.client_request ? db.end + REQUEST_BYTES
                    : db.end_kind != JK_BORING ? db.end + 1 : db.end;
    out->extent[0].addr = pc;
    out->extent[0].len = (uint32_t)(end - pc);
    add_looks(&w, out);
    return l.b;
}
