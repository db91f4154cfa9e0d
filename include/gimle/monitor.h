/* SPDX-License-Identifier: MIT */
/*
 * Monitor commands: what a program may ask for by a line of text while it runs.  GimleTool.monitor gets those
 * that are not the core's and prints results with gimle_msg(MSG_PLAIN, ...).  These functions take them apart.
 */
#ifndef GIMLE_MONITOR_H
#define GIMLE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"

/** The next word of *@p rest (the state of strtok_r), NULL: there is none. */
char *gimle_next_word(char **rest);
/** Which of @p words (ends with NULL) @p word is, or the only one that it starts; else -1, and why if @p say. */
int gimle_keyword(const char *word, const char *const *words, bool say);
/** Decimal, 0x, 0b. */
bool gimle_parse_number(const char *word, uint64_t *out);
/** "<addr> [<len>]", length 1 if none is given; false after a message. */
bool gimle_parse_address(char **rest, GuestAddr *a, uint64_t *len);

#endif
