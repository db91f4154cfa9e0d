#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The rules that the sources keep: layers, sizes, and no test program that nobody runs.
use strict;
use warnings;
use FindBin;

my $top = "$FindBin::Bin/../..";
my @checks = (['layers', 'check-layers'], ['sizes', 'check-sizes']);
printf "1..%d\n", scalar @checks;
my ($number, $failed) = (0, 0);
for (@checks) {
    my ($name, $script) = @$_;
    my $out = `$^X $top/scripts/$script 2>&1`;
    my $ok = $? == 0;
    $failed++ unless $ok;
    printf "%sok %d - %s\n", $ok ? '' : 'not ', ++$number, $name;
    print map { "# $_\n" } split /\n/, $out;
}
exit($failed ? 1 : 0);
