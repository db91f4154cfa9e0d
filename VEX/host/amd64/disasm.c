/* SPDX-License-Identifier: MIT */
/* Host code as text, for traces. */
#include <Zydis/Zydis.h>
#include <stdio.h>

#include "host/host.h"

void host_disassemble(const uint8_t *code, size_t len, const uint8_t *run_addr,
                      void (*out)(void *ctx, const char *text), void *ctx)
{
    ZydisDecoder dec;
    ZydisFormatter fmt;
    ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisFormatterInit(&fmt, ZYDIS_FORMATTER_STYLE_ATT);
    for (size_t at = 0; at < len;) {
        ZydisDecodedInstruction insn;
        ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
        char text[160] = "(bad)", line[256];
        size_t n = 1;
        if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&dec, code + at, len - at, &insn, op))) {
            ZydisFormatterFormatInstruction(&fmt, &insn, op, insn.operand_count_visible, text,
                                            sizeof text, (ZyanU64)(uintptr_t)(run_addr + at), NULL);
            n = insn.length;
        }
        snprintf(line, sizeof line, "  %5zx  %s\n", at, text);
        out(ctx, line);
        at += n;
    }
}
