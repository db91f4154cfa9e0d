/* SPDX-License-Identifier: MIT */
/* --require-text-symbol: functions that libraries must have, or the run ends. */
#ifndef COREGRIND_REQUIRED_SYMBOLS_H
#define COREGRIND_REQUIRED_SYMBOLS_H

#include "coregrind/debuginfo/debuginfo.h"

/** Ends with a message if a value of the option is not of the form it must have. */
void required_symbols_init(void);
/** @p m was loaded: ends with a message if it lacks a function that it must have. */
void required_symbols_check(Module *m);

#endif
