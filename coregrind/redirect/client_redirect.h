/* SPDX-License-Identifier: MIT */
/*
 * Replacements and wrappers that a client program brings along: functions whose names say which
 * function of which object they stand for (the public macros of valgrind.h make such names).
 */
#ifndef COREGRIND_CLIENT_REDIRECT_H
#define COREGRIND_CLIENT_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

/** What a symbol name asks for. */
typedef struct ClientRedirect {
    bool wrap;          /**< _vgw: may call the original; _vgr: replaces it */
    char soname[128];   /**< pattern */
    char function[256]; /**< pattern */
} ClientRedirect;

/** Take a name apart; false if it is none of these. */
bool client_redirect_parse(const char *name, ClientRedirect *out);

#endif
