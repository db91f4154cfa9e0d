/* SPDX-License-Identifier: MIT */
/* See events.h. */
#include "events.h"

GimleEvents core_events;
