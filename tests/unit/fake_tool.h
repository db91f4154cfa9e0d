/* SPDX-License-Identifier: MIT */
/* A tool with one kind of error for tests of reports and suppressions. */
#ifndef TESTS_FAKE_TOOL_H
#define TESTS_FAKE_TOOL_H

#include "coregrind/report/report.h"

extern const ReportTool fake_tool;

#endif
