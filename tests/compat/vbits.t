#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Memcheck's V bits of hundreds of instructions (make-vbits-program) against the processor: the
# values must be those of a native run, and a bit that is called defined must not change when
# undefined input bits are flipped.  How much is called undefined although no flip changes it is
# counted, ours and Valgrind's where it is installed, and may not grow past a limit.
use strict;
use warnings;
no warnings qw(portable);
use FindBin;
use lib "$FindBin::Bin/../harness";
use Cwd ();
use File::Path ();
use Run;

my ($states, $flips) = (30, 12);
my $most_pessimistic_forms = 150;    # of 670; lower it when rules get better
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $gimle = $ENV{GIMLE_CHECKER} || "$build/gimle";
my $work = "$build/tests/vbits-work";
my $header = Cwd::abs_path("$FindBin::Bin/../../include") . '/gimle/memcheck.h';
File::Path::make_path($work);

if (Run::slurp('/proc/cpuinfo') !~ /^flags.*\bbmi2\b.*\bavx2\b|^flags.*\bavx2\b.*\bbmi2\b/m) {
    print "1..0 # SKIP no AVX2 or BMI2 in this CPU\n";
    exit 0;
}
system("$^X '$FindBin::Bin/make-vbits-program' '$work/forms' '$header' > '$work/vbits.c'") == 0
    && system("gcc -O0 -w -o '$work/vbits' '$work/vbits.c'") == 0 or die "cannot compile\n";
my @forms = split /\n/, Run::slurp("$work/forms");

sub rows {
    my ($name, @command) = @_;
    my $r = Run::run(cmd => [@command], base => "$work/$name", timeout => 300);
    return [map { [split] } split /\n/, $r->{out}];
}
my @options = ('-q', '--log-file=/dev/null');
my %by = (gimle => rows('gimle', $gimle, @options, "$work/vbits", $states));
$by{valgrind} = rows('valgrind', 'valgrind', @options, "$work/vbits", $states) if Run::have('valgrind');
my @native = map { rows("native-$_", "$work/vbits", $states, $_) } 0 .. $flips;

my (%wrong_value, %unsound, %pessimistic, %example);
for my $who (sort keys %by) {
    for my $i (0 .. $#{ $native[0] }) {
        my ($row, $first) = ($by{$who}[$i], $native[0][$i]);
        my $form = $first->[0];
        if (!$row) {
            $wrong_value{$who}{$form}++;
            next;
        }
        for my $k (1, 3) {
            my $vbits = hex $row->[$k + 1];
            $wrong_value{$who}{$form}++ if hex $row->[$k] != hex $first->[$k];
            my $changed = 0;
            $changed |= hex($_->[$i][$k]) ^ hex $first->[$k] for @native;
            if ($changed & ~$vbits) {
                $unsound{$who}{$form}++;
                $example{$who}{$form} //= sprintf 'value %s, V bits %s, but %016x change', @$row[$k, $k + 1], $changed;
            }
            $pessimistic{$who}{$form}++ if $vbits & ~$changed;
        }
    }
}

# A form that is too pessimistic in more of the states than chance explains.
sub too_pessimistic {
    my ($who) = @_;
    return grep { $pessimistic{$who}{$_} > $states / 3 } keys %{ $pessimistic{$who} };
}

my $failed = 0;
sub result {
    my ($number, $name, @bad) = @_;
    printf "%sok %d - %s\n", @bad ? 'not ' : '', $number, $name;
    print map { "# $_\n" } @bad;
    $failed ||= @bad;
}
my %ours = map { $_ => 1 } too_pessimistic('gimle');
my %theirs = map { $_ => 1 } $by{valgrind} ? too_pessimistic('valgrind') : ();
print "1..3\n";
result(1, scalar(@forms) . ' forms give the values of the processor',
    map { $forms[$_] } sort { $a <=> $b } keys %{ $wrong_value{gimle} });
result(2, 'no bit that depends on an undefined one is called defined',
    map { "$forms[$_]: $example{gimle}{$_}" } sort { $a <=> $b } keys %{ $unsound{gimle} });
my @worse = sort { $a <=> $b } grep { !$theirs{$_} } keys %ours;
printf "# forms that are too pessimistic: %d, Valgrind's %s; forms where only we are:\n", scalar keys %ours,
    $by{valgrind} ? scalar keys %theirs : 'unknown';
print map { "#   $forms[$_]\n" } @worse;
result(3, 'few rules are too pessimistic', keys %ours > $most_pessimistic_forms
        ? scalar(keys %ours) . " forms, limit $most_pessimistic_forms" : ());
exit($failed ? 1 : 0);
