#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Runs whole programs (tests/programs/*.list, described there) natively and under the checker:
# stdout and exit status must be the same, and memcheck may report only what Valgrind reports too.
#
#   programs.t [--list=quick|long|all] [--checker=COMMAND] [--options=MORE] [--modes=none,memcheck]
#              [NAME...]
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use Report;
use Run;

my ($list, $checker, $more, $modes, @names) = ($ENV{PROGRAMS_LIST} || 'quick', '', '', 'none,memcheck');
for (@ARGV) {
    if (/^--list=(.*)/) { $list = $1 }
    elsif (/^--checker=(.*)/) { $checker = $1 }
    elsif (/^--options=(.*)/) { $more = $1 }
    elsif (/^--modes=(.*)/) { $modes = $1 }
    else { push @names, $_ }
}
my $source = Cwd::abs_path("$FindBin::Bin/../programs");
my $build = Cwd::abs_path($ENV{builddir} || '.');
$checker ||= $ENV{GIMLE_CHECKER} || "$build/gimle";
my $by_valgrind = $checker =~ m,(^|/)valgrind$,;
my $inputs = "$build/tests/programs-inputs";
my $work = "$build/tests/programs-work" . ($by_valgrind ? '-valgrind' : '');
my $limit_factor = $ENV{GIMLE_TIME_FACTOR} || 1;
File::Path::make_path($work);
system($^X, "$source/make-inputs", $inputs) == 0 or die "cannot make the inputs\n";

sub rows {
    my ($path) = @_;
    my @rows;
    for (split /\n/, Run::slurp($path)) {
        next if /^\s*([#!]|$)/;
        my ($name, $needs, $flags, $command) = map { s/^\s+|\s+$//gr } split /\|/, $_, 4;
        push @rows, { name => $name, needs => [split /[\s,]+/, $needs], command => $command,
            trace => scalar $flags =~ /T/, only_none => scalar $flags =~ /N/, status_only => scalar $flags =~ /P/, kinds_only => scalar $flags =~ /K/,
            timeout => $flags =~ /t(\d+)/ ? $1 : 60 };
    }
    return @rows;
}

# Reports that Valgrind does not make and that are right: lines `! name | pattern | why'.
sub accepted {
    my ($name, $signature) = @_;
    for my $file (qw(quick long)) {
        for (Run::slurp("$source/$file.list") =~ /^! *(.*)$/mg) {
            my ($row, $pattern) = split / +\| +/;
            return 1 if $row eq $name && $signature =~ /$pattern/;
        }
    }
    return 0;
}

# Each run has an own copy of the inputs that programs write to, and a folder $W for results.
sub run_row {
    my ($row, $kind, $prefix, $timeout) = @_;
    my $dir = "$work/$row->{name}.$kind";
    File::Path::remove_tree($dir);
    File::Path::make_path("$dir/w");
    system("cp -al '$inputs/.' '$dir' 2>/dev/null || cp -a '$inputs/.' '$dir'");
    system("rm -rf '$dir/project' && cp -r '$inputs/project' '$dir/project'");
    (my $command = $row->{command}) =~ s/(^|[\s;&|(])\@(?=\s|$)/$1$prefix/g;
    my $r = Run::run(cmd => $command, dir => $dir, base => "$work/$row->{name}.$kind", timeout => $timeout,
        env => { W => "$dir/w", S => $source, I => $inputs, LC_ALL => 'C', HOME => $dir, VALGRIND_OPTS => undef,
            PYTHONDONTWRITEBYTECODE => 1, GIT_CONFIG_NOSYSTEM => 1, CHECKER => $prefix, PYTHONHASHSEED => 0 });
    s/\Q$dir\E/DIR/g for $r->{out};
    $r->{logs} = join '', map { Run::slurp($_) } glob("'$dir'/w/log.*");
    File::Path::remove_tree($dir) unless $ENV{KEEP};
    return $r;
}

sub prefix {
    my ($program, $row, $mode, $kind) = @_;
    my $tool = $mode eq 'none' ? '--tool=none' : '--tool=memcheck';
    my $trace = $row->{trace} ? ' --trace-children=yes' : '';
    return "$program $tool -s$trace --log-file=$work/$row->{name}.$kind/w/log.%p $more";
}

sub signatures {
    my ($text) = @_;
    my %s;
    # how far the stack is known where there are no names says nothing
    $s{ Report::signature($_) =~ s/( <- \?\?\?)+$/ <- ???/r }++
        for grep { $_->{what} !~ /loss record|^Process terminating/ } Report::errors($text);
    return \%s;
}

# The reports without their places.
sub kinds {
    my ($signatures) = @_;
    return { map { s/ <- .*//r =~ s/^(Syscall param) .*/$1/r => 1 } keys %$signatures };
}

# What Valgrind's memcheck says about the same row; kept, since it does not change.
sub valgrind_signatures {
    my ($row) = @_;
    my $cache = "$build/tests/programs-valgrind";
    File::Path::make_path($cache);
    my $file = "$cache/$row->{name}.log";
    if (!-e $file) {
        return {} unless Run::have('valgrind');
        my $r = run_row($row, 'valgrind', prefix('valgrind', $row, 'memcheck', 'valgrind'), 600);
        Run::spew($file, $r->{logs});
    }
    return signatures(Run::slurp($file));
}

# Two lines around the first difference.
sub first_difference {
    my ($want, $got) = @_;
    my @want = split /\n/, $want;
    my @got = split /\n/, $got;
    for my $i (0 .. $#want + 1) {
        next if ($want[$i] // '') eq ($got[$i] // '');
        return 'line ' . ($i + 1) . ': ' . substr($got[$i] // '(end)', 0, 200),
            'natively: ' . substr $want[$i] // '(end)', 0, 200;
    }
    return 'more output than natively';
}

sub test {
    my ($row, $mode) = @_;
    for (@{ $row->{needs} }) {
        return ('SKIP', "no $_ here") unless Run::have($_);
    }
    my $native = run_row($row, "native-$mode", q(), $row->{timeout} > 120 ? $row->{timeout} : 120);
    return ('SKIP', 'does not run natively: ' . Run::how_it_ended($native) . ' ' . substr $native->{err}, 0, 200)
        if $native->{timeout} || $native->{signal} || $native->{status} > 125;
    my $r = run_row($row, $mode, prefix($checker, $row, $mode, $mode), $row->{timeout} * $limit_factor);
    my @bad;
    push @bad, 'ends with ' . Run::how_it_ended($r) . ', natively ' . Run::how_it_ended($native)
        if Run::how_it_ended($r) ne Run::how_it_ended($native);
    push @bad, first_difference($native->{out}, $r->{out}) if !$row->{status_only} && $r->{out} ne $native->{out};
    push @bad, map { "stderr: $_" } grep { defined } (split /\n/, $r->{err})[0 .. 5] if @bad && $r->{err} ne '';
    if ($mode eq 'memcheck' && !$by_valgrind) {
        my $ours = signatures($r->{logs});
        my $theirs = %$ours ? valgrind_signatures($row) : {};
        ($ours, $theirs) = (kinds($ours), kinds($theirs)) if $row->{kinds_only};
        push @bad, map { "not reported by Valgrind: $_" }
            grep { !$theirs->{$_} && !accepted($row->{name}, $_) } sort keys %$ours;
    }
    push @bad, map { "log: $_" } grep { /^gimle: |unhandled|bug of Gimle/ } split /\n/, $r->{logs} if @bad;
    return (!@bad, @bad > 25 ? (@bad[0 .. 24], '...') : @bad);
}

my @tests;
for my $file ($list eq 'all' ? qw(quick long) : $list) {
    for my $row (rows("$source/$file.list")) {
        next if @names && !grep { $_ eq $row->{name} } @names;
        for my $mode (split /,/, $modes) {
            next if $mode ne 'none' && $row->{only_none};
            push @tests, ["$row->{name} under $mode", sub { test($row, $mode) }];
        }
    }
}
my $failed = Run::tap_parallel(@tests);
for my $mode (split /,/, $modes) {
    my @verdicts = map { $Run::verdict{$_} } grep { / under \Q$mode\E$/ } keys %Run::verdict;
    printf "# programs under %s: %d tried, %d passed\n", $mode, scalar(grep { $_ ne 'SKIP' } @verdicts),
        scalar grep { $_ eq 'ok' } @verdicts;
}
exit($failed ? 1 : 0);
