/* SPDX-License-Identifier: MIT */
/* Quick forms of the string and memory functions (GuestQuickFn); the rest is in intercept_string.c. */
#ifndef MEMCHECK_QUICK_STRING_H
#define MEMCHECK_QUICK_STRING_H

#include "memcheck.h"

GuestQuickFn quick_strlen, quick_strnlen, quick_strchr, quick_strchrnul, quick_strrchr,
    quick_memchr, quick_rawmemchr, quick_strcmp, quick_strncmp, quick_memcmp, quick_strcpy,
    quick_stpcpy, quick_strcpy_chk, quick_stpcpy_chk, quick_memcpy, quick_mempcpy, quick_memmove,
    quick_memcpy_chk, quick_mempcpy_chk, quick_memmove_chk, quick_memset, quick_memset_chk,
    quick_bzero, quick_strcat, quick_strncpy;

#endif
