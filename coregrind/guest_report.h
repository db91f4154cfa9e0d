/* SPDX-License-Identifier: MIT */
/* The guest's part of the report of a failure of ours (core/fatal.h). */
#ifndef COREGRIND_GUEST_REPORT_H
#define COREGRIND_GUEST_REPORT_H

void guest_report_init(void);

#endif
