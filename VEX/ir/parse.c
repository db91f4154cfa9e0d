/* SPDX-License-Identifier: MIT */
/*
 * Reads the text of print.c.  Temporaries may have any numbers in the text (tests are written by
 * hand) as long as each is defined before its use; the form of the result is ir_verify()'s
 * business.  Callees come back with the address that was printed: the text of one process is
 * meant for the same process.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "ir_internal.h"
#include "text.h"

#define F(field) { #field, offsetof(NativeInsn, field), sizeof(((NativeInsn *)0)->field) }
const NativeField ir_native_fields[] = {
    F(enc), F(off_prefix), F(prefix_len), F(off_opcode), F(opcode_len), F(off_modrm), F(off_imm),
    F(imm_len), F(seg_prefix_off), F(addr32_off), F(mem_access), F(mem_size), F(disp8_scale),
    F(vl), F(rule), F(lane), F(rule_aux), F(flags), F(sp_adjust), F(cc_read), F(cc_write),
    { NULL, 0, 0 },
};
#undef F

enum { MAX_TEMPS = 1 << 20 };

typedef struct Parser {
    struct Arena *arena;
    const char *p;    /**< next character */
    unsigned line;
    const char *err;  /**< first error */
    IrBlock *b;
    IrRef *map;       /**< number in the text → ref */
    uint32_t cap_map;
} Parser;

static void fail(Parser *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(Parser *s, const char *fmt, ...)
{
    if (s->err)
        return;
    char text[128];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    s->err = arena_printf(s->arena, "line %u: %s near '%.20s'", s->line, text, s->p);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static void skip_blanks(Parser *s)
{
    while (*s->p == ' ' || *s->p == '\t')
        s->p++;
}

static bool accept(Parser *s, const char *token)
{
    skip_blanks(s);
    size_t n = strlen(token);
    if (strncmp(s->p, token, n) != 0)
        return false;
    s->p += n;
    return true;
}

static void expect(Parser *s, const char *token)
{
    if (!accept(s, token))
        fail(s, "'%s' expected", token);
}

static void skip_lines(Parser *s)
{
    for (;;) {
        skip_blanks(s);
        if (*s->p != '\n')
            return;
        s->p++;
        s->line++;
    }
}

/** A word of letters, digits and _ $ . : as given by @p more; in @p buf, cut to @p size. */
static const char *word(Parser *s, char *buf, size_t size, const char *more)
{
    skip_blanks(s);
    size_t n = 0;
    while (*s->p && (strchr("_0123456789", *s->p) || (*s->p >= 'A' && *s->p <= 'Z') ||
                     (*s->p >= 'a' && *s->p <= 'z') || strchr(more, *s->p))) {
        if (n + 1 < size)
            buf[n++] = *s->p;
        s->p++;
    }
    buf[n] = 0;
    if (n == 0)
        fail(s, "name expected");
    return buf;
}

static uint64_t number(Parser *s)
{
    skip_blanks(s);
    bool neg = *s->p == '-';
    const char *q = s->p + neg;
    if (*q < '0' || *q > '9') {
        fail(s, "number expected");
        return 0;
    }
    char *end;
    uint64_t v = strtoull(q, &end, 0);
    s->p = end;
    return neg ? -v : v;
}

/** Index of @p name in @p n @p names; an error and 0 if it is not there. */
static unsigned lookup(Parser *s, const char *name, const char *const *names, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        if (strcmp(name, names[k]) == 0)
            return k;
    }
    fail(s, "unknown name '%s'", name);
    return 0;
}

static unsigned name_of(Parser *s, const char *const *names, unsigned n)
{
    char buf[24];
    return lookup(s, word(s, buf, sizeof buf, ""), names, n);
}

static IrType type(Parser *s)
{
    char buf[16];
    word(s, buf, sizeof buf, "");
    for (IrType t = TY_NONE; t < TY_COUNT; t++) {
        if (strcmp(buf, ir_type_name(t)) == 0)
            return t;
    }
    fail(s, "unknown type '%s'", buf);
    return TY_NONE;
}

static RegId reg(Parser *s)
{
    char buf[32], name[24];
    word(s, buf, sizeof buf, ".");
    if (strncmp(buf, "tool", 4) == 0)
        return REG_TOOL((unsigned)strtoul(buf + 4, NULL, 10));
    for (unsigned r = 0; r < 2 * REG_SHADOW; r++) {
        if ((r & (REG_SHADOW - 1)) < gimle_guest->n_regs &&
            strcmp(gimle_reg_name((RegId)r, name), buf) == 0)
            return (RegId)r;
    }
    fail(s, "unknown register '%s'", buf);
    return REG_NONE;
}

/* ---- temporaries ------------------------------------------------------------------------- */

static IrRef temp(Parser *s)
{
    if (accept(s, "-"))
        return IR_NONE;
    expect(s, "t");
    uint64_t n = number(s);
    if (n >= s->cap_map || s->map[n] == IR_NONE) {
        fail(s, "t%llu is not defined", (unsigned long long)n);
        return IR_NONE;
    }
    return s->map[n];
}

static void define(Parser *s, uint64_t n, IrRef r)
{
    if (n >= MAX_TEMPS) {
        fail(s, "t%llu: number too big", (unsigned long long)n);
        return;
    }
    if (n >= s->cap_map) {
        uint32_t cap = (uint32_t)n * 2 + 64;
        IrRef *map = arena_array(s->arena, IrRef, cap);
        memset(map, 0xff, sizeof *map * cap);
        if (s->cap_map)
            memcpy(map, s->map, sizeof *map * s->cap_map);
        s->map = map;
        s->cap_map = cap;
    }
    s->map[n] = r;
}

/* ---- instructions ------------------------------------------------------------------------ */

static void mem(Parser *s, IrInsn *i)
{
    i->arg[0] = i->arg[1] = IR_NONE;
    i->disp = 0;
    expect(s, "[");
    while (!s->err && !accept(s, "]")) {
        bool neg = accept(s, "-");
        if (!neg)
            accept(s, "+");
        skip_blanks(s);
        if (*s->p != 't') {
            uint64_t v = number(s);
            i->disp = (int64_t)(neg ? -v : v);
            continue;
        }
        IrRef r = temp(s);
        if (accept(s, "<<")) {
            i->arg[1] = r;
            i->scale = (uint8_t)number(s);
        } else {
            i->arg[0] = r;
        }
    }
}

static void native_bytes(Parser *s, NativeInsn *n)
{
    char hex[2 * sizeof n->bytes + 2];
    word(s, hex, sizeof hex, "");
    size_t len = strlen(hex) / 2;
    if (strlen(hex) % 2 || len > sizeof n->bytes) {
        fail(s, "bad bytes");
        return;
    }
    for (size_t k = 0; k < len; k++) {
        char two[3] = { hex[2 * k], hex[2 * k + 1], 0 };
        n->bytes[k] = (uint8_t)strtoul(two, NULL, 16);
    }
    n->len = (uint8_t)len;
}

static void native_op(Parser *s, NativeInsn *n)
{
    if (n->n_ops == NATIVE_MAX_OPS) {
        fail(s, "too many operands");
        return;
    }
    NativeOp *o = &n->op[n->n_ops++];
    o->reg = reg(s);
    uint8_t *part[] = { &o->slot, &o->access, &o->cls, &o->offset, &o->size, &o->wsize };
    for (unsigned k = 0; k < 6; k++) {
        expect(s, ":");
        *part[k] = (uint8_t)number(s);
    }
}

static void native(Parser *s, IrInsn *i)
{
    NativeInsn *n = arena_new(s->arena, NativeInsn);
    mem(s, i);
    expect(s, "{");
    while (!s->err && !accept(s, "}")) {
        char name[24];
        word(s, name, sizeof name, "");
        expect(s, "=");
        const NativeField *f = ir_native_fields;
        while (f->name && strcmp(f->name, name) != 0)
            f++;
        if (strcmp(name, "bytes") == 0)
            native_bytes(s, n);
        else if (strcmp(name, "op") == 0)
            native_op(s, n);
        else if (f->name)
            ir_native_field_set(n, f, (int64_t)number(s));
        else
            fail(s, "unknown field '%s'", name);
    }
    if (!s->err)
        ir_native(s->b, n, ir_mem_of(i));
}

static void call(Parser *s, IrInsn *i)
{
    IrCallee *c = arena_new(s->arena, IrCallee);
    char name[128];
    IrRef args[5];
    unsigned n = 0;
    expect(s, ".");
    c->kind = (IrCalleeKind)name_of(s, ir_callee_kind_name, 3);
    c->name = arena_strdup(s->arena, word(s, name, sizeof name, "."));
    expect(s, "@");
    c->fn = (void *)(uintptr_t)number(s);
    c->ret = (IrType)i->type;
    expect(s, "(");
    while (!s->err && !accept(s, ")")) {
        if (n == 5) {
            fail(s, "too many arguments");
            return;
        }
        args[n++] = temp(s);
        accept(s, ",");
    }
    c->nargs = (uint8_t)n;
    IrRef guard = accept(s, "if") ? temp(s) : IR_NONE;
    if (!s->err)
        ir_call(s->b, c, guard, args, n);
}

static void where(Parser *s, IrInsn *i)
{
    i->sub = (uint8_t)name_of(s, ir_jump_kind_name, JK_COUNT);
    expect(s, "mode");
    i->mode = (uint8_t)number(s);
}

/** The rest of a statement; returns true if it was emitted already. */
static bool statement(Parser *s, IrInsn *i)
{
    switch (i->op) {
    case OP_IMARK:
        i->imm = number(s);
        expect(s, ",");
        i->aux = (uint16_t)number(s);
        return false;
    case OP_PUT:
        i->aux = reg(s);
        expect(s, ",");
        i->arg[0] = temp(s);
        return false;
    case OP_LOAD:
    case OP_STORE:
        expect(s, ".");
        i->space = (uint8_t)name_of(s, ir_space_name, 3);
        mem(s, i);
        if (i->op == OP_STORE) {
            expect(s, ",");
            i->arg[2] = temp(s);
        }
        return false;
    case OP_NATIVE:
        native(s, i);
        return true;
    case OP_CALL:
        call(s, i);
        return true;
    case OP_EXIT_IF:
        i->arg[0] = temp(s);
        expect(s, ",");
        i->imm = number(s);
        where(s, i);
        return false;
    case OP_JUMP:
        i->imm = number(s);
        where(s, i);
        return false;
    case OP_JUMP_IND:
        i->arg[0] = temp(s);
        where(s, i);
        return false;
    case OP_COLD_BEGIN:
        i->arg[0] = temp(s);
        return false;
    default:
        return false;
    }
}

static void suffix(Parser *s, IrInsn *i)
{
    switch (ir_op_info[i->op].shape) {
    case SHAPE_LUN:
    case SHAPE_LBIN:
    case SHAPE_LSHIFT: {
        expect(s, ".");
        uint64_t bits = number(s);
        while (i->sub < LANE_64 && (8u << i->sub) != bits)
            i->sub++;
        break;
    }
    case SHAPE_FLAGS:
        expect(s, ".");
        i->sub = (uint8_t)name_of(s, ir_flag_kind_name, FK_COUNT);
        expect(s, ".");
        i->aux = (uint16_t)type(s);
        break;
    case SHAPE_COND:
        expect(s, ".");
        i->sub = (uint8_t)name_of(s, ir_cond_name, 16);
        break;
    default:
        break;
    }
}

static void value_op(Parser *s, IrInsn *i)
{
    const IrOpInfo *info = &ir_op_info[i->op];
    suffix(s, i);
    for (unsigned k = 0; k < info->nargs; k++) {
        if (k)
            expect(s, ",");
        i->arg[k] = temp(s);
    }
    if (i->op == OP_GET) {
        i->aux = reg(s);
    } else if (i->op == OP_CONST) {
        i->imm = number(s);
    } else if (info->shape == SHAPE_LSHIFT || info->shape == SHAPE_VGET) {
        expect(s, ",");
        i->imm = number(s);
    }
}

static IrOp op(Parser *s)
{
    char name[24];
    word(s, name, sizeof name, "");
    for (unsigned k = 0; k < OP_COUNT; k++) {
        if (strcmp(name, ir_op_info[k].name) == 0)
            return (IrOp)k;
    }
    fail(s, "unknown op '%s'", name);
    return OP_COLD_END;
}

static void insn(Parser *s)
{
    IrInsn i = { .arg = { IR_NONE, IR_NONE, IR_NONE } };
    bool named = false;
    uint64_t n = 0;
    if (s->p[0] == 't' && s->p[1] >= '0' && s->p[1] <= '9') {
        s->p++;
        named = true;
        n = number(s);
        expect(s, ":");
        i.type = (uint8_t)type(s);
        expect(s, "=");
    }
    i.op = (uint8_t)op(s);
    bool emitted = false;
    if (ir_op_info[i.op].shape == SHAPE_STMT)
        emitted = statement(s, &i);
    else
        value_op(s, &i);
    if (s->err)
        return;
    if (!emitted)
        ir_emit(s->b, &i);
    if (named)
        define(s, n, s->b->n - 1);
}

static void header(Parser *s)
{
    expect(s, "block");
    GuestAddr addr = number(s);
    expect(s, "mode");
    s->b = ir_block_new(s->arena, addr, (uint8_t)number(s));
    expect(s, "guest");
    s->b->n_guest = (uint16_t)number(s);
    expect(s, "flags_live_out");
    s->b->flags_live_out = number(s) != 0;
}

IrBlock *ir_parse(struct Arena *arena, const char *text, const char **err)
{
    Parser s = { .arena = arena, .p = text, .line = 1 };
    skip_lines(&s);
    header(&s);
    while (!s.err) {
        skip_blanks(&s);
        if (*s.p != '\n') {
            fail(&s, "end of line expected");
            break;
        }
        skip_lines(&s);
        if (accept(&s, "end"))
            return s.b;
        insn(&s);
    }
    *err = s.err;
    return NULL;
}
