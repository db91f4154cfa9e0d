#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Cachegrind's counts: equal to those of a reference simulation over the trace of what was simulated,
# and to those of the installed Valgrind on programs that do the same under both.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../harness";
use Cwd ();
use File::Path ();
use Run;

my $source = Cwd::abs_path($FindBin::Bin);
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/counts-work";
my $gimle = "$build/gimle";
File::Path::remove_tree($work);
File::Path::make_path($work);

sub compile {
    my ($name, $what) = @_;
    return system("$what -o '$work/$name' >'$work/$name.log' 2>&1") == 0;
}

# Five hundred branches at five hundred addresses that depend on a random number.
sub branches {
    my $c = "static unsigned long s = 88172645463325252UL;\n"
        . "static unsigned next(void) { s ^= s << 13; s ^= s >> 7; s ^= s << 17; return s; }\n"
        . "volatile int x;\nvoid _start(void)\n{\nfor (int i = 0; i < 100; i++) {\nunsigned v = next();\n";
    for my $i (0 .. 499) {
        $c .= sprintf "if ((v >> %d) & %d) x += %d;\n", $i % 29, 1 + $i % 3, $i;
        $c .= sprintf "if (i %% %d == 0) v ^= next();\n", 2 + $i % 11 if $i % 3 == 0;
        $c .= "switch (v & 7) { case 0: x = 1; break; case 1: x += 3; break; case 2: x ^= 9; break;\n"
            . "case 3: x *= 3; break; case 4: x -= 77; break; case 5: x |= 5; break; case 6: x <<= 1; break;\n"
            . "default: x = 2; }\n" if $i % 25 == 0;
    }
    Run::spew("$work/branches.c", $c . "}\n__asm__ volatile(\"syscall\" : : \"a\"(60), \"D\"(0));\n}\n");
    return "$work/branches.c";
}

my $bare = 'gcc -g -nostdlib -static -no-pie -fno-stack-protector';
compile('reference', "gcc -O2 '$source/reference.c'") or die 'cannot compile reference.c';
compile('classes', "$bare '$source/classes.S'") or die 'cannot compile classes.S';
compile('counted', "$bare -O0 '$source/counted.c'") or die 'cannot compile counted.c';
compile('branches', "$bare -O1 -fno-if-conversion -fno-if-conversion2 '" . branches() . "'")
    or die 'cannot compile branches.c';
compile('turns', "gcc -g -O1 -pthread '$source/turns.c'") or die 'cannot compile turns.c';
my $musl = Run::have('musl-gcc') && compile('sorted', "musl-gcc -g -O2 -static '$source/sorted.c'");

my @geometry = (['32768,8,64', '32768,8,64', '1048576,16,64'], ['4096,1,32', '2048,4,16', '65536,2,128'],
    ['12288,3,64', '768,12,64', '262144,16,64']);
my @sims = ('--cache-sim=yes', '--branch-sim=yes');
my @tests;

sub run {
    my ($base, $file, @cmd) = @_;
    my $r = Run::run(cmd => [@cmd], base => "$work/$base", dir => $work);
    return $r->{status} || $r->{signal} ? undef : Run::slurp($file);
}

sub summary { return ($_[0] // '') =~ /^summary: (.*)$/m ? $1 : 'nothing' }

# ---- the reference -----------------------------------------------------------------------------------

for my $prog ("$work/classes", "$work/branches", "$work/counted", '/bin/ls -l /usr/lib') {
    for my $k (0 .. $#geometry) {
        my ($i1, $d1, $ll) = @{ $geometry[$k] };
        my $name = ($prog =~ m,([^/ ]+)(?: |$),)[0] . "-$k";
        push @tests, ["equals the reference: $name", sub {
            my $file = "$work/$name.file";
            my $ours = summary(run($name, $file, $gimle, '-q', '--tool=cachegrind', @sims, "--I1=$i1", "--D1=$d1",
                "--LL=$ll", "--access-trace=$work/$name.trace", "--cachegrind-out-file=$file", split ' ', $prog));
            chomp(my $reference = qx('$work/reference' '$work/$name.trace' $i1 $d1 $ll));
            unlink "$work/$name.trace";
            return $ours eq $reference ? 1 : (0, "ours:      $ours", "reference: $reference");
        }];
    }
}

# The same in other circumstances: threads hand the time on, there is no room for tables, no assembly.
for (['threads', '', "$work/turns"], ['interpreter', '', "$work/classes", '--engine=interp'],
        ['little address space', 'ulimit -v 6000000; ', "$work/classes"]) {
    my ($what, $before, $prog, @options) = @$_;
    my ($i1, $d1, $ll) = @{ $geometry[0] };
    (my $name = $what) =~ s/ /-/g;
    push @tests, ["equals the reference: $what", sub {
        my $file = "$work/$name.file";
        my $ours = summary(run($name, $file, 'sh', '-c', "${before}exec \"\$@\"", 'sh', $gimle, '-q', '--tool=cachegrind',
            @options, @sims, "--I1=$i1", "--D1=$d1", "--LL=$ll", "--access-trace=$work/$name.trace",
            "--cachegrind-out-file=$file", $prog));
        chomp(my $reference = qx('$work/reference' '$work/$name.trace' $i1 $d1 $ll));
        unlink "$work/$name.trace";
        return $ours eq $reference ? 1 : (0, "ours:      $ours", "reference: $reference");
    }];
}

# ---- Valgrind -----------------------------------------------------------------------------------------

# {line => counts} of a source file; "all" is the summary
sub costs {
    my ($text, $file) = @_;
    my (%c, $in);
    for (split /\n/, $text // '') {
        $in = m,/\Q$file\E$, if /^fl=/;
        next unless /^(\d+) (.*)$/ && $in;
        my ($line, $n) = ($1, 0);
        $c{$line}[$n++] += $_ for split ' ', $2;
    }
    return { map { $_ => "@{ $c{$_} }" } keys %c };
}

my @geo = ("--I1=$geometry[0][0]", "--D1=$geometry[0][1]", "--LL=$geometry[0][2]");
# Valgrind joins conditions (a && b) and then counts instructions of b that do not run.
my @exact = ('--vex-guest-chase=no');

sub both {
    my ($name, $prog) = @_;
    my $g = run("$name-g", "$work/$name.g", $gimle, '-q', '--tool=cachegrind', @sims, @geo,
        "--cachegrind-out-file=$work/$name.g", $prog);
    my $v = run("$name-v", "$work/$name.v", 'valgrind', '-q', '--tool=cachegrind', @exact, @sims, @geo,
        "--cachegrind-out-file=$work/$name.v", $prog);
    return ($g, $v);
}

# What differs of two rows: counts and mispredictions must be equal, misses nearly, since stacks are
# at other addresses.
sub differ {
    my ($what, $ours, $valgrind, $few) = @_;
    my @g = split ' ', $ours // '0 ' x 13;
    my @v = split ' ', $valgrind // '0 ' x 13;
    my @exact = $few ? (0, 3, 6, 9, 11) : (0, 3, 6, 9 .. 12);
    my @bad = "@g[@exact]" eq "@v[@exact]" ? () : "$what: @g, Valgrind @v";
    push @bad, "$what: misses @g, Valgrind @v" if grep { abs($g[$_] - $v[$_]) > 2 + $v[$_] / 100 } 1 .. 12;
    return @bad;
}

for (['classes', 'classes.S'], ['branches', 'branches.c'], ['sorted', 'sorted.c']) {
    my ($name, $file) = @$_;
    push @tests, ["equals Valgrind: $name", sub {
        return ('SKIP', 'no valgrind') unless Run::have('valgrind');
        return ('SKIP', 'no musl-gcc') unless $name ne 'sorted' || $musl;
        my ($g, $v) = both($name, "$work/$name");
        # a C library sees another environment, which changes what the predictor has learnt a little
        my $is_libc = $name eq 'sorted';
        my @bad = $is_libc ? () : differ('all', summary($g), summary($v));
        my ($gl, $vl) = (costs($g, $file), costs($v, $file));
        push @bad, map { differ("line $_", $gl->{$_}, $vl->{$_}, $is_libc) } sort keys %{ { %$gl, %$vl } }
            if %$vl;
        push @bad, 'no lines' unless %$gl;
        return (!@bad, @bad);
    }];
}

exit(Run::tap_parallel(@tests) ? 1 : 0);
