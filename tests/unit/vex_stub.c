/* SPDX-License-Identifier: MIT */
/* A configuration that tests may change, and a NATIVE that is only noted. */
#include "vex_stub.h"

#include "host/host.h"

VexConfig vex_stub_config;
const NativeInsn *vex_stub_native;
uint64_t vex_stub_native_addr;

const VexConfig *vex_config(void)
{
    return &vex_stub_config;
}

void host_native_exec(VexState *s, const NativeInsn *n, uint64_t addr)
{
    (void)s;
    vex_stub_native = n;
    vex_stub_native_addr = addr;
}
