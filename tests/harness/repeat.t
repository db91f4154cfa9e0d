#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Runs tests/prog/threads_repeatable many times and wants the same report each time, but for
# process numbers and addresses.
#
#   repeat.t [RUNS]      default: $REPEAT_RUNS or 10
use strict;
use warnings;
use Cwd ();
use File::Path ();
use FindBin;

my $runs = $ARGV[0] || $ENV{REPEAT_RUNS} || 10;
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/repeat-work";
my $cc = $ENV{PROG_CC} || 'gcc';
File::Path::make_path($work);
print "1..1\n";
if (system("$cc -g -O0 -pthread -o $work/program $FindBin::Bin/../prog/threads_repeatable.c") != 0) {
    print "not ok 1 - same reports\n";
    exit 1;
}
my %seen;
for my $run (1 .. $runs) {
    my $report = `$build/gimle --leak-check=full $work/program 2>&1`;
    $report =~ s/^==\d+==/==PID==/mg;
    $report =~ s/0x[0-9A-Fa-f]+/0xADDR/g;
    push @{ $seen{$report} }, $run;
}
my $ok = keys %seen == 1;
print $ok ? "ok 1 - same reports in $runs runs\n" : "not ok 1 - same reports in $runs runs\n";
unless ($ok) {
    for my $report (sort { @{ $seen{$b} } <=> @{ $seen{$a} } } keys %seen) {
        print "# in runs @{ $seen{$report} }:\n", map { "#   $_\n" } split /\n/, $report;
    }
}
exit !$ok;
