#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Runs the definedness test (definedness.c) under memcheck, with a fixed seed.
use strict;
use warnings;

my $build = $ENV{builddir} || '.';
my @out = qx($build/gimle -q --tool=memcheck $build/tests/isa/definedness @ARGV 2>&1);
print grep(/^(# |not ok|ok|1\.\.|Bail)/, @out);
if (!grep(/^1\.\.1$/, @out)) {
    print map("# $_", @out[-5 .. -1]) if @out > 5;
    print "not ok 1 - definedness ends early\n1..1\n";
}
