/* SPDX-License-Identifier: MIT */
/* Functions of the gimle headers that need several modules of the core. */
#include <fnmatch.h>

#include "VEX/vex.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/tcache/tcache.h"
#include "coregrind/thread/thread.h"
#include "gimle/tool.h"

GuestAddr gimle_find_symbol(const char *soname_pattern, const char *symbol)
{
    SymbolInfo s;
    for (Module *m = NULL; (m = debuginfo_next_module(m));)
        if (fnmatch(soname_pattern, module_soname(m), 0) == 0 &&
            debuginfo_find_symbol(m, symbol, &s))
            return s.addr;
    return 0;
}

GuestAddr gimle_helper_pc(VexState *s, const void *return_address)
{
    TcachePlace at;
    /* The return address may be the first byte of the next instruction's code. */
    if (tcache_guest_pc((const char *)return_address - 1, &at))
        s->guest.pc = at.pc;
    return s->guest.pc;
}
