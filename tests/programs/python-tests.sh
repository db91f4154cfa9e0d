#!/bin/sh
# SPDX-License-Identifier: MIT
# CPython's own tests of the modules in $MODULES; prints the result of each test case, sorted.
"$@" /usr/bin/python3 -m test -q --junit-xml "$W/results.xml" $MODULES > "$W/python.out" 2>&1
echo "status $?"
tail -n 40 "$W/python.out" >&2
sed 's/<testcase /\n&/g; s/<\/testcase/\n&/g' "$W/results.xml" |
    sed -nE '/^<testcase /{s/^<testcase name="([^"]*)" status="([^"]*)" result="([^"]*)".*(<(failure|error)).*/\1 \2 \3 \5/;s/^<testcase name="([^"]*)" status="([^"]*)" result="([^"]*)".*/\1 \2 \3/;p}' | sort
