#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Cachegrind gives costs to the right places: inlined functions, threads, forked children, objects that
# are loaded twice at different addresses, code that was made at run time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../harness";
use Cwd ();
use File::Path ();
use Run;

my $source = Cwd::abs_path($FindBin::Bin);
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/attribute-work";
my $gimle = "$build/gimle";
File::Path::remove_tree($work);
File::Path::make_path($work);
system("gcc -g -O1 -pthread -o '$work/attribute' '$source/attribute.c' -ldl") == 0 or die 'cannot compile attribute.c';
system("gcc -g -O0 -shared -fPIC -o '$work/plugin.so' '$source/plugin.c'") == 0 or die 'cannot compile plugin.c';

my $r = Run::run(cmd => [$gimle, '-q', '--tool=cachegrind', "--cachegrind-out-file=$work/out.%p", "$work/attribute",
    "$work/plugin.so"], base => "$work/run", dir => $work);
my @files = map { Run::slurp($_) } sort { -M $b <=> -M $a || $a cmp $b } glob "$work/out.*";
my ($parent) = grep { /fn=plugin_work/ } @files;
my ($child) = grep { !/fn=plugin_work/ } @files;

# instructions of the line of a source file with this comment: (total, functions)
sub cost {
    my ($text, $comment, $in) = @_;
    $in //= 'attribute.c';
    my ($number, $n) = (0, 0);
    for (split /\n/, Run::slurp("$source/$in")) {
        $n++;
        $number = $n if m,/\* \Q$comment\E \*/,;
    }
    my ($file, $fn, $sum, %fns) = ('', '', 0);
    for (split /\n/, $text // '') {
        $file = $1 if /^fl=(.*)/;
        $fn = $1 if /^fn=(.*)/;
        next unless $file =~ m,/\Q$in\E$, && /^$number (\d+)/;
        $sum += $1;
        $fns{$fn} = 1;
    }
    return ($sum, join ' ', sort keys %fns);
}

# instructions of a function
sub cost_of_fn {
    my ($text, $name) = @_;
    my ($fn, $sum) = ('', 0);
    for (split /\n/, $text // '') {
        $fn = $1 if /^fn=(.*)/;
        $sum += $1 if $fn eq $name && /^\d+ (\d+)/;
    }
    return $sum;
}

my @tests;
sub about {
    my ($name, $text, $comment, $spins, $fn) = @_;
    push @tests, ["costs of $name", sub {
        my ($sum, $fns) = cost($text, $comment);
        my $should = 2000 * $spins;
        return $sum >= $should && $sum < $should + 40 * ($spins + 1) && (!defined $fn || $fns eq $fn) ? 1
            : (0, "$sum in $fns, should be about $should");
    }];
}
push @tests, ['the program and its child each write a file', sub {
    return !$r->{status} && @files == 2 && $parent && $child ? 1
        : (0, 'files: ' . @files, Run::how_it_ended($r), $r->{err});
}];
about('an inlined function', $parent, 'INLINED', 1, 'main');
about('three threads', $parent, 'THREAD', 3, 'thread');
about('the parent before the fork', $parent, 'BEFORE FORK', 1);
about('the parent', $parent, 'PARENT', 1);
about('the parent: not those of its child', $parent, 'CHILD', 0);
about('the child before the fork', $child, 'BEFORE FORK', 1);
about('the child', $child, 'CHILD', 1);
about('the child: not those of its parent', $child, 'PARENT', 0);
push @tests, ['costs of an object that is loaded twice', sub {
    my $n = cost_of_fn($parent, 'plugin_work');
    my ($once) = $n =~ /^(\d+)$/ && $n % 2 == 0 ? $n / 2 : 0;
    return $once > 400 && $once < 2000 ? 1 : (0, "plugin_work: $n");
}];
push @tests, ['costs of code made at run time', sub {
    my $n = cost_of_fn($parent, '???');
    return $n >= 2002 ? 1 : (0, "???: $n");
}];

for my $at_start ('no', 'yes') {
    push @tests, ["counting is started and stopped by requests: --instr-at-start=$at_start", sub {
        system("gcc -g -O1 -I'$source/../../include' -o '$work/requests-$at_start' '$source/requests.c'") == 0
            or return (0, 'cannot compile requests.c');
        my $file = "$work/requests-$at_start.out";
        Run::run(cmd => [$gimle, '-q', '--tool=cachegrind', "--instr-at-start=$at_start",
                "--cachegrind-out-file=$file", "$work/requests-$at_start"], base => "$work/requests-$at_start", dir => $work);
        my $text = Run::slurp($file);
        my %n = map { $_ => (cost($text, $_, 'requests.c'))[0] } qw(BEFORE COUNTED AFTER);
        my $before = $at_start eq 'yes' ? $n{BEFORE} >= 2000 : $n{BEFORE} == 0;
        return $before && $n{COUNTED} >= 2000 && $n{COUNTED} < 2100 && $n{AFTER} == 0 ? 1
            : (0, map { "$_ $n{$_}" } sort keys %n);
    }];
}

exit(Run::tap_parallel(@tests) ? 1 : 0);
