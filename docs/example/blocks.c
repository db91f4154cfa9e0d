/* SPDX-License-Identifier: MIT */
/*
 * A tool in one file, made outside of Gimle's source: counts the blocks of code and the system calls
 * that the program executes.  How to build and run it: docs/howto/write-a-tool.md.
 */
#include <gimle/tool.h>

enum { TW_BLOCKS = 1 }; /* the word of a thread's state that counts; word 0 may be a register */

static unsigned long blocks, syscalls; /* of threads that have ended; of all */
static bool each; /* --each=yes */

static const GimleOption options[] = {
    { "--each", OPT_BOOL, &each, NULL, 0, 0, "name each system call", NULL },
    { .name = NULL },
};

/** The block as it is, after an addition to the counter. */
static IrBlock *instrument(void *ctx, IrBlock *in, struct Arena *arena)
{
    IrCopier c = ir_copier(in, arena);
    (void)ctx;
    IrRef n = ir_get(c.dst, TY_I64, REG_TOOL(TW_BLOCKS));
    ir_put(c.dst, REG_TOOL(TW_BLOCKS), ir_binop(c.dst, OP_ADD, n, ir_const(c.dst, TY_I64, 1)));
    for (IrRef i = 0; i < in->n; i++)
        ir_copy_insn(&c, i);
    return c.dst;
}

static void on_syscall(Thread *t, unsigned number)
{
    (void)t;
    syscalls++;
    if (each)
        gimle_umsg("system call %u\n", number);
}

static void on_thread_exit(Thread *t) { blocks += gimle_thread_get_reg(t, REG_TOOL(TW_BLOCKS)); }

static void add_thread(void *ctx, Thread *t)
{
    (void)ctx;
    on_thread_exit(t);
}

static void fini(int exit_code)
{
    (void)exit_code;
    gimle_thread_for_each_stopped(add_thread, NULL);
    gimle_umsg("%lu blocks, %lu system calls\n", blocks, syscalls);
}

static const VexMode modes[] = {
    { .name = "counted", .flags = VM_PINNED | VM_NATIVE, .instrument = instrument },
};
static const GimleEvents events = { .sys_enter = on_syscall, .thread_exit = on_thread_exit };

const GimleTool gimle_tool = {
    .api = GIMLE_TOOL_API,
    .name = "Blocks",
    .description = "a counter of blocks and system calls",
    .copyright = "An example of Gimle's documentation.",
    .options = options,
    .modes = modes,
    .n_modes = 1,
    .events = &events,
    .fini = fini,
};
