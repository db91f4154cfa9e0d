/* SPDX-License-Identifier: MIT */
/*
 * A tool that looks at each access to memory and reports those that straddle a line of the cache:
 * they are slow, and not atomic.  Shown here: operands of memory, code that runs only if something
 * is wrong, errors with stack traces and suppressions.  docs/howto/write-a-tool.md goes through it.
 */
#include <gimle/native.h>
#include <gimle/tool.h>
#include <string.h>

static int64_t line = 64; /* --line=N, a power of two */

static const GimleOption options[] = {
    { "--line", OPT_INT, &line, "bytes", 16, 4096, "size of a line of the cache", NULL },
    { .name = NULL },
};

/* ---- the errors --------------------------------------------------------------------------------- */

enum { ERROR_SPLIT };

typedef struct Access {
    unsigned size;
    bool write;
} Access;

/** One for each size and direction: an error's extra data has to stay for ever. */
static Access accesses[2][65];

static bool split_equal(const GimleError *a, const GimleError *b) { return a->extra == b->extra; }

static void split_print(const GimleError *e, ErrorPrinter *p)
{
    const Access *a = e->extra;
    gimle_print_what(p, "Split", "%s of size %u straddles a line", a->write ? "Write" : "Read",
                     a->size);
    gimle_print_stack(p, e->where);
    AddrDesc where;
    gimle_describe_addr(e->thread, e->addr, &where);
    gimle_print_addr(p, e->addr, &where);
}

static const char *split_supp_name(const GimleError *e)
{
    (void)e;
    return "Split";
}

static bool split_supp_recognise(const char *name, GimleSupp *s)
{
    s->kind = ERROR_SPLIT;
    return strcmp(name, "Split") == 0;
}

static bool split_supp_match(const GimleError *e, const GimleSupp *s) { return e->kind == s->kind; }

static const GimleErrorOps errors = {
    .equal = split_equal, .print = split_print, .supp_name = split_supp_name,
    .supp_recognise = split_supp_recognise, .supp_match = split_supp_match,
};

/* ---- the code that is added --------------------------------------------------------------------- */

/** Called from translated code with an access that straddles; all guest registers are in @p s. */
static uint64_t on_split(struct VexState *s, uint64_t addr, uint64_t size, uint64_t write)
{
    Access *a = &accesses[write][size];
    *a = (Access){ (unsigned)size, write };
    gimle_error(gimle_thread_of_state(s), ERROR_SPLIT, addr, NULL, a, NULL);
    return 0;
}

static const IrCallee callee = { "on_split", on_split, CALLEE_FULL, TY_NONE, 3 };

/** Before the access of source instruction @p i: does its last byte lie in another line? */
static void check_access(IrCopier *c, IrRef i, unsigned size, bool write)
{
    IrBlock *b = c->dst;
    IrMem m = ir_copy_mem(c, i);
    IrRef addr = ir_const(b, TY_I64, (uint64_t)m.disp);
    if (m.base != IR_NONE)
        addr = ir_binop(b, OP_ADD, addr, m.base);
    if (m.index != IR_NONE)
        addr = ir_binop(b, OP_ADD, addr,
                        ir_binop(b, OP_SHL, m.index, ir_const(b, TY_I8, m.scale)));
    IrRef in_line = ir_binop(b, OP_AND, addr, ir_const(b, TY_I64, (uint64_t)line - 1));
    IrRef split = ir_cmp(b, OP_CMPLTU, ir_const(b, TY_I64, (uint64_t)line - size), in_line);
    ir_cold_begin(b, split);
    IrRef args[] = { addr, ir_const(b, TY_I64, size), ir_const(b, TY_I64, write) };
    ir_call(b, &callee, IR_NONE, args, 3);
    ir_cold_end(b);
}

/** Bytes that @p in accesses in the client's memory as one operand, 0 if none or not as one. */
static unsigned access_size(const IrBlock *b, const IrInsn *in, bool *write)
{
    if (in->op == OP_NATIVE) {
        const NativeInsn *n = b->native[in->aux];
        *write = n->mem_access & NA_WRITE;
        return n->flags & (NF_VSIB | NF_MASKED_MEM) || !n->mem_access ? 0 : n->mem_size;
    }
    if ((in->op != OP_LOAD && in->op != OP_STORE) || in->space != SPACE_GUEST)
        return 0;
    *write = in->op == OP_STORE;
    return ir_type_size(*write ? b->insn[in->arg[2]].type : in->type);
}

static IrBlock *instrument(void *ctx, IrBlock *in, struct Arena *arena)
{
    IrCopier c = ir_copier(in, arena);
    (void)ctx;
    for (IrRef i = 0; i < in->n; i++) {
        bool write;
        unsigned size = access_size(in, &in->insn[i], &write);
        if (size > 1 && size <= 64 && size <= line)
            check_access(&c, i, size, write);
        ir_copy_insn(&c, i);
    }
    return c.dst;
}

static void init(void)
{
    if (line & (line - 1))
        gimle_user_error("--line=%lld: not a power of two", (long long)line);
}

static const VexMode modes[] = {
    { .name = "checked", .flags = VM_PINNED | VM_NATIVE | VM_PORTABLE, .instrument = instrument },
};
static const GimleEvents events; /* none wanted */

const GimleTool gimle_tool = {
    .api = GIMLE_TOOL_API,
    .name = "Align",
    .description = "a finder of accesses that straddle lines of the cache",
    .copyright = "An example of Gimle's documentation.",
    .flags = TOOL_PARALLEL | TOOL_REPORTS_ERRORS,
    .options = options,
    .init = init,
    .modes = modes,
    .n_modes = 1,
    .events = &events,
    .errors = &errors,
};
