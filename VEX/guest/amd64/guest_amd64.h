/* SPDX-License-Identifier: MIT */
/* Numbers of the amd64 guest's registers, for the amd64 front end and back end only. */
#ifndef VEX_GUEST_AMD64_H
#define VEX_GUEST_AMD64_H

#include "gimle/guest.h"

/** AMD64_RAX etc.: RegId of each row of guest_amd64.def. */
enum {
#define REG(id, name, cls, bytes, dwarf) AMD64_##id,
#include "gimle/guest_amd64.def"
#undef REG
    AMD64_REG_COUNT
};

#endif
