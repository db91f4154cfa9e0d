#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes configure and Makefile.in from configure.ac and Makefile.am.
set -e
cd "$(dirname "$0")"
for tool in autoconf automake; do
    command -v $tool >/dev/null || {
        echo "autogen.sh: $tool is missing (Debian, Ubuntu: apt-get install $tool)" >&2
        exit 1
    }
done
exec autoreconf --install "$@"
