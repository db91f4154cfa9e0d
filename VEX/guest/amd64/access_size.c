/* SPDX-License-Identifier: MIT */
/* How many bytes of memory one instruction accesses: for reports of faults, where speed is no matter. */
#include <Zydis/Zydis.h>

#include "vex.h"

enum { MAX_INSN = 15 };

unsigned vex_access_size(GuestAddr pc)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    const VexConfig *cfg = vex_config();
    unsigned n = cfg->code_readable ? cfg->code_readable(cfg->code_ctx, pc, MAX_INSN) : MAX_INSN;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    if (n == 0 || ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, (const void *)pc, n, &insn, op)))
        return 0;
    for (unsigned i = 0; i < insn.operand_count; i++)
        if (op[i].type == ZYDIS_OPERAND_TYPE_MEMORY && op[i].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
            return op[i].size / 8;
    return 0;
}
