/* SPDX-License-Identifier: MIT */
/*
 * System calls that wait for a time and end with EINTR once a host signal handler has run, whatever its
 * flags: those that are made again must not wait for the whole time again.
 */
#ifndef COREGRIND_TIMED_CALLS_H
#define COREGRIND_TIMED_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct TimedCall {
    int arg;               /**< of the argument that says how long; -1: none */
    bool in_ms;            /**< that is a number, otherwise a pointer to a timespec */
    struct timespec end;   /**< when the wait is over, by CLOCK_MONOTONIC */
    struct timespec left;  /**< what the argument points to when the call is made again */
} TimedCall;

/** System call @p no is about to be made with @p args. */
TimedCall timed_call_begin(uint64_t no, const uint64_t args[6]);
/** It is about to be made again: put what is left of its time into @p args. */
void timed_call_again(TimedCall *c, uint64_t args[6]);

#endif
