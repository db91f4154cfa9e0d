#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Massif: every snapshot of programs that allocate in many ways is the one that the installed Valgrind
# takes; snapshots on request; ms_print reads the files of all options.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../harness";
use Cwd ();
use File::Path ();
use Run;

my $source = Cwd::abs_path($FindBin::Bin);
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/heaps-work";
my $gimle = "$build/gimle";
File::Path::remove_tree($work);
File::Path::make_path($work);
my $include = "-I'$source/../../include'";
Run::spew("$work/include/valgrind/valgrind.h", "#include <gimle/client.h>\n") if File::Path::make_path("$work/include/valgrind");
system("g++ -g -O1 -w -I'$work/include' $include -o '$work/heaps' '$source/heaps.cc'") == 0 or die 'cannot compile heaps.cc';
system("gcc -g -O1 -fno-builtin -o '$work/blocks' '$source/blocks.c'") == 0 or die 'cannot compile blocks.c';
system("gcc -g -O1 -fno-builtin -w -I'$work/include' $include -o '$work/monitor' '$source/monitor.c'") == 0 or die 'cannot compile monitor.c';

system("gcc -O1 -fno-builtin -w -o '$work/placed' '$source/placed.c'") == 0 or die 'cannot compile placed.c';
system("gcc -g -O2 -fno-builtin -w -o '$work/functions' '$source/functions.c'") == 0 or die 'cannot compile functions.c';

system("g++ -std=c++17 -O0 -fno-builtin -w -o '$work/traced' '$source/traced.cc'") == 0 or die 'cannot compile traced.cc';

my @tests;

# "time heap extra" of each snapshot
sub snapshots {
    my ($file) = @_;
    return map { join ' ', /^(?:time|mem_heap_B|mem_heap_extra_B)=(\d+)/mg }
        split /^snapshot=/m, ($file // '') =~ s/\A.*?^snapshot=//msr;
}

sub massif {
    my ($checker, $base, $prog, @options) = @_;
    my $file = "$work/$base.out";
    my $r = Run::run(cmd => [$checker, '-q', '--tool=massif', "--massif-out-file=$file", @options, $prog],
        base => "$work/$base", dir => $work);
    return $r->{status} || $r->{signal} ? '' : Run::slurp($file);
}

my @bytes = ('--time-unit=B');
for my $case (['heaps', @bytes, '--max-snapshots=1000'], ['heaps', @bytes], ['heaps', @bytes, '--max-snapshots=10'],
        ['heaps', @bytes, '--heap-admin=24', '--peak-inaccuracy=0'], ['heaps', @bytes, '--detailed-freq=1'],
        ['heaps', @bytes, '--ignore-fn=list(int)'], ['blocks', @bytes, '--max-snapshots=50']) {
    my ($prog, @options) = @$case;
    my $name = "$prog @options";
    (my $base = $name) =~ s/\W+/-/g;
    push @tests, ["snapshots are Valgrind's: $name", sub {
        return ('SKIP', 'no valgrind') unless Run::have('valgrind');
        my @g = snapshots(massif($gimle, "$base-g", "$work/$prog", @options));
        my @v = snapshots(massif('valgrind', "$base-v", "$work/$prog", @options));
        return (0, 'no snapshots') unless @g;
        my @bad = grep { ($g[$_] // '') ne ($v[$_] // '') } 0 .. (@g > @v ? $#g : $#v);
        return !@bad ? 1 : (0, map { "snapshot $_: " . ($g[$_] // '-') . ', Valgrind ' . ($v[$_] // '-') } @bad);
    }];
}

# All that a snapshot says, but for addresses.
sub with_trees { return map { s/0x[0-9A-F]+/0x/gr =~ s/^#-+\n//gmr } split /^snapshot=/m, $_[0] =~ s/\A.*?^snapshot=//msr }

for my $options ([], ['--detailed-freq=1'], ['--detailed-freq=1', '--depth=2'], ['--threshold=0'], ['--alloc-fn=part'],
        ['--alloc-fn=whole', '--detailed-freq=1'], ['--alloc-fn=whole', '--alloc-fn=caller', '--alloc-fn=main'],
        ['--ignore-fn=part'], ['--ignore-fn=whole'], ['--ignore-fn=caller'], ['--alloc-fn=whole', '--ignore-fn=caller'],
        ['--ignore-fn=resize', '--detailed-freq=1'], ['--ignore-fn=main', '--detailed-freq=2']) {
    (my $base = "functions @$options") =~ s/\W+/-/g;
    push @tests, ["snapshots and trees are Valgrind's: functions @$options", sub {
        return ('SKIP', 'no valgrind') unless Run::have('valgrind');
        my @g = with_trees(massif($gimle, "$base-g", "$work/functions", @bytes, @$options));
        my @v = with_trees(massif('valgrind', "$base-v", "$work/functions", @bytes, @$options));
        return (0, 'no snapshots') unless @g;
        my ($bad) = grep { ($g[$_] // '') ne ($v[$_] // '') } 0 .. (@g > @v ? $#g : $#v);
        return !defined $bad ? 1 : (0, 'ours ' . ($g[$bad] // '-'), 'Valgrind ' . ($v[$bad] // '-'));
    }];
}
push @tests, ['--ignore-fn: what is resized there is never less than nothing', sub {
    my $text = massif($gimle, 'ignored', "$work/functions", @bytes, '--ignore-fn=resize', '--detailed-freq=1');
    my @large = $text =~ /^.*\d{12}.*$/mg;
    return $text && !@large ? 1 : (0, @large);
}];

# The sum of what Valgrind 3.19 shows: what a block has beyond what was asked for.
for my $checker ($gimle, 'valgrind') {
    my $who = $checker eq $gimle ? 'ours' : 'Valgrind';
    push @tests, ["the allocator is Valgrind's: $who", sub {
        return ('SKIP', 'no valgrind') unless Run::have($checker);
        my $r = Run::run(cmd => [$checker, '-q', '--tool=massif', "--massif-out-file=$work/placed-$who.massif", "$work/placed"],
            base => "$work/placed-$who", dir => $work);
        return $r->{out} eq "182de03494fe5340\n" ? 1 : (0, $r->{out}, $r->{err});
    }];
}

for my $prog ('sort /etc/passwd', 'sed --version', 'tar --version') {
    (my $base = "real $prog") =~ s/\W+/-/g;
    push @tests, ["snapshots are Valgrind's: $prog", sub {
        return ('SKIP', 'no valgrind') unless Run::have('valgrind');
        local $ENV{LC_ALL} = 'C.UTF-8';
        my ($g, $v) = map {
            my ($checker, $file) = ($_->[0], "$work/$base-$_->[1].out");
            my $r = Run::run(cmd => [$checker, '-q', '--tool=massif', "--massif-out-file=$file", @bytes,
                '--max-snapshots=1000', split ' ', $prog], base => "$work/$base-$_->[1]", dir => $work);
            $r->{status} || $r->{signal} ? '' : join ', ', snapshots(Run::slurp($file));
        } ([$gimle, 'g'], ['valgrind', 'v']);
        return $g && $g eq $v ? 1 : (0, "ours:     $g", "Valgrind: $v");
    }];
}

# Of the first stack what was used counts, not what is mapped.
Run::spew("$work/deep.c", '#include <alloca.h>
#include <string.h>
int main(int argc, char **argv) { (void)argv; memset(alloca(argc > 1 ? 3 << 20 : 16), 1, argc > 1 ? 3 << 20 : 16); return 0; }
');
system("gcc -O0 -o '$work/deep' '$work/deep.c'") == 0 or die 'cannot compile deep.c';
push @tests, ['pages of the stack', sub {
    my ($flat, $deep) = map {
        my $file = "$work/deep-$_.out";
        Run::run(cmd => [$gimle, '-q', '--tool=massif', '--pages-as-heap=yes', "--massif-out-file=$file", "$work/deep",
            (1) x $_], base => "$work/deep-$_", dir => $work);
        my ($last) = reverse Run::slurp($file) =~ /^mem_heap_B=(\d+)/mg;
        $last;
    } 0, 1;
    my $more = $deep - $flat - (3 << 20);
    return abs($more) <= 1 << 16 && $flat < 8 << 20 ? 1 : (0, "flat $flat, deep $deep");
}];

push @tests, ['snapshots on request', sub {
    massif($gimle, 'monitor', "$work/monitor", @bytes) or return (0, 'it failed: ' . Run::slurp("$work/monitor.err"));
    my @bad;
    for (['plain.out', '1000 16', 'empty'], ['detailed.out', '1500 36', 'detailed']) {
        my ($file, $sizes, $tree) = @$_;
        my $text = -e "$work/$file" ? Run::slurp("$work/$file") : '';
        my @s = snapshots($text);
        push @bad, "$file: $text" if @s != 1 || $s[0] !~ /^\d+ $sizes$/ || $text !~ /^heap_tree=$tree$/m;
    }
    push @bad, 'all.out' if !-e "$work/all.out" || snapshots(Run::slurp("$work/all.out")) < 3;
    return (!@bad, @bad);
}];

# Lines of --trace-malloc=yes, and no others; the second run takes translations that a run without it kept.
my $traced = <<'END';
malloc(10) = P
realloc(P,100) = P
realloc(P,0)free(P)
 = 0
realloc(0x0,5)malloc(5) = P
free(P)
calloc(3,4) = P
free(P)
_Znwm(4) = P
_ZdlPvm(P)
_Znam(12) = P
_ZdaPv(P)
memalign(al 64, size 11) = P
memalign(al 32, size 64) = P
free(P)
memalign(al 4096, size 13) = P
free(P)
memalign(al 128, size 20) = P
free(P)
_ZnwmSt11align_val_t(size 64, al 64) = P
_ZdlPvmSt11align_val_t(P)
free(P)
END
for my $tool ('massif', 'memcheck') {
    push @tests, ["--trace-malloc=yes: $tool", sub {
        my @cmd = ($gimle, '-q', "--tool=$tool", "--cache-dir=$work/traced-$tool.cache",
            $tool eq 'massif' ? "--massif-out-file=$work/traced.massif" : (), "$work/traced");
        my ($plain, $r) = map { Run::run(cmd => [$cmd[0], @$_, @cmd[1 .. $#cmd]], base => "$work/traced-$tool", dir => $work) }
            [], ['--trace-malloc=yes'];
        my $text = $r->{err} =~ s/^--\d+-- //gmr =~ s/0x[0-9A-F]{4,}/P/gr;
        $text =~ s/\A.*?(?=^malloc\(10\))//ms; # what libraries did before
        return $plain->{err} eq '' && index($text, $traced) == 0 ? 1 : (0, $plain->{err}, $text);
    }];
}

for my $mode ('allocs', 'full') {
    push @tests, ["--xtree-memory=$mode is memcheck's", sub {
        my ($massif, $memcheck) = map {
            my $file = "$work/xtree-$mode-$_.kcg";
            Run::run(cmd => [$gimle, '-q', "--tool=$_", $_ eq 'massif' ? "--massif-out-file=$work/xtree-$mode.massif" : (),
                "--xtree-memory=$mode", "--xtree-memory-file=$file", "$work/functions"], base => "$work/xtree-$mode-$_", dir => $work);
            -e $file ? Run::slurp($file) =~ s/^pid: .*//mr : '';
        } 'massif', 'memcheck';
        return $massif =~ /^totals: \d+/m && $massif eq $memcheck ? 1 : (0, "massif: $massif", "memcheck: $memcheck");
    }];
}

for my $option ('--time-unit=i', '--time-unit=ms', '--stacks=yes', '--pages-as-heap=yes', '--heap=no', '--depth=2',
        '--threshold=50', '--alloc-fn=list(int)', '--detailed-freq=1', '--max-snapshots=10') {
    push @tests, ["ms_print reads what $option gives", sub {
        return ('SKIP', 'no ms_print') unless Run::have('ms_print');
        (my $base = "print$option") =~ s/\W+/-/g;
        massif($gimle, $base, "$work/heaps", $option) or return (0, 'massif failed');
        my $out = qx(ms_print '$work/$base.out' 2>&1);
        return $? == 0 && $out =~ /Number of snapshots: \d+\n/ ? 1 : (0, $out);
    }];
}

exit(Run::tap_parallel(@tests) ? 1 : 0);
