/* SPDX-License-Identifier: MIT */
/* Stands in for the pipeline and the back end in tests of the parts of VEX between them. */
#ifndef TESTS_UNIT_VEX_STUB_H
#define TESTS_UNIT_VEX_STUB_H

#include "vex.h"

/** What vex_config() gives; tests set what they need. */
extern VexConfig vex_stub_config;
/** The last NATIVE that was to be run, and its address. */
extern const NativeInsn *vex_stub_native;
extern uint64_t vex_stub_native_addr;

#endif
