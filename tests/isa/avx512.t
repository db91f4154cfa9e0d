#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Tests AVX-512 on an emulated processor (emulated.pl): every form by every engine, and a program
# that uses it under none and memcheck.  BOCHS and KERNEL name the emulator and the kernel, PARTS
# how many of the 64 parts of the instruction test run (all, which takes ten minutes or more).
use strict;
use warnings;

my $build = $ENV{builddir} || '.';
my $src = $ENV{srcdir} || '.';
my @machine = ("$src/tests/isa/emulated.pl");
push @machine, "--bochs=$ENV{BOCHS}" if $ENV{BOCHS};
push @machine, "--kernel=$ENV{KERNEL}" if $ENV{KERNEL};
push @machine, "--dir=$ENV{DIR}" if $ENV{DIR};
push @machine, map { "--file=$build/$_:/gimle/$_" }
    qw(gimle gimle-core-amd64 none.so memcheck.so tests/isa/isa tests/isa/wide);

my $parts = $ENV{PARTS} || 64;
my @commands = ('export PATH=/gimle:/gimle/tests/isa:$PATH', 'echo "## wide"; wide',
                map { "echo '## $_'; gimle $_ wide 2>&1" } '-q --tool=none', '-q');
push @commands, map { "echo '## part $_'; isa --emulated --avx512 --rounds=2 --part=$_/64 2>&1" }
    0 .. $parts - 1;

open my $out, '-|', $^X, @machine, @commands or die "cannot run emulated.pl: $!\n";
my (%wide, %engine, $what);
my ($n_forms, $n_tested, $missing) = (0, 0, '');
while (<$out>) {
    chomp;
    $what = $1 if /^## (.*)/;
    $missing = $1 if /^needs (.*)/;
    ($n_tested += $1, $n_forms += $2) if /^# \d+ runs; (\d+) of (\d+) forms/;
    $engine{$2} += $3 if /^(not )?ok \d+ - (.*): (\d+) differences/;
    print "# $_\n" if /^#/ || /^==/ || /^not ok/;
    push @{ $wide{$what} }, $_ if defined $what && $what !~ /^part/ && !/^#/;
}
close $out;
if ($missing) {
    print "1..0 # SKIP needs $missing\n";
    exit 0;
}
my $n = 0;
my $report = sub { printf "%sok %d - %s\n", $_[0] ? '' : 'not ', ++$n, $_[1] };
my @native = grep !/^1\.\./, @{ $wide{wide} || [] };
for ('-q --tool=none', '-q') {
    my @lines = grep !/^1\.\./, @{ $wide{$_} || [] };
    my $same = @native && join("\n", @lines[0 .. $#native]) eq join("\n", @native);
    $report->($same && !grep(!/^ok /, @lines), "a program with AVX-512 under gimle $_");
}
print "# $n_tested of $n_forms forms tested\n";
$report->($engine{$_} == 0, "AVX-512, $_: $engine{$_} differences") for sort keys %engine;
$report->(0, 'AVX-512: all engines report') if keys %engine < 5;
print "1..$n\n";
