/* SPDX-License-Identifier: MIT */
/* --trace-syscalls=yes: one line for each call, printed from the table. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "coregrind/report/report.h"
#include "table.h"

static void add_string(StrBuf *b, GuestAddr a)
{
    char text[81];
    size_t n = gimle_read_guest(text, a, sizeof text - 1);
    text[n] = 0;
    for (char *p = text; *p; p++)
        if (*p < ' ' || *p == 0x7f)
            *p = '.';
    if (n)
        strbuf_printf(b, "(%s)", text);
}

static void add_arg(StrBuf *b, const SysCall *c, unsigned i)
{
    const SysArg *d = &c->row->arg[i];
    uint64_t v = c->arg[i];
    switch ((SysKind)d->kind) {
    case SK_FD:
    case SK_FD_AT:
        strbuf_printf(b, "%d", (int)v);
        break;
    case SK_INT:
        if (d->bytes == 8)
            strbuf_printf(b, v > 0xffff ? "0x%llx" : "%llu", (unsigned long long)v);
        else
            strbuf_printf(b, "%d", (int)v);
        break;
    case SK_STRING:
    case SK_PATH:
        strbuf_printf(b, "0x%llx", (unsigned long long)v);
        add_string(b, v);
        break;
    default:
        strbuf_printf(b, "0x%llx", (unsigned long long)v);
    }
}

static void add_head(StrBuf *b, const SysCall *c)
{
    strbuf_printf(b, "SYSCALL[%d,%u](%3llu) sys_%s ", (int)getpid(), c->t->id,
                  (unsigned long long)c->no, c->row->name);
}

static void print(StrBuf *b)
{
    gimle_msg(MSG_DEBUG, "%s\n", b->s);
    strbuf_free(b);
}

void sys_trace_enter(const SysCall *c)
{
    StrBuf b = { 0 };
    add_head(&b, c);
    strbuf_adds(&b, "( ");
    for (unsigned i = 0; i < c->row->n_args; i++) {
        if (i)
            strbuf_adds(&b, ", ");
        add_arg(&b, c, i);
    }
    strbuf_adds(&b, c->row->flags & SF_BLOCKS ? " ) --> [async] ..." : " )");
    print(&b);
}

void sys_trace_leave(const SysCall *c)
{
    StrBuf b = { 0 };
    add_head(&b, c);
    if (c->result < 0 && c->result > -4096)
        strbuf_printf(&b, "--> Failure(0x%llx) %s", (unsigned long long)-c->result,
                      strerrorname_np((int)-c->result) ?: "");
    else
        strbuf_printf(&b, "--> Success(0x%llx)", (unsigned long long)c->result);
    print(&b);
}
