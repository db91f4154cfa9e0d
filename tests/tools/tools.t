#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Cachegrind and Massif: counts known by hand, what the installed annotators make of the files, and
# equality with the installed Valgrind.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../harness";
use Cwd ();
use File::Path ();
use Run;

my $source = Cwd::abs_path($FindBin::Bin);
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/tools-work";
my $gimle = "$build/gimle";
File::Path::remove_tree($work);
File::Path::make_path($work);

sub compile {
    my ($name, $flags) = @_;
    my $out = $flags =~ /-shared/ ? "$name.so" : $name;
    system("gcc -g $flags -o '$work/$out' '$source/$name.c'") == 0 or die "cannot compile $name";
}
compile('counted', '-O0 -static -nostdlib -no-pie');
compile('blocks', '-O1 -fno-builtin');
compile('plugin', '-O0 -shared -fPIC');
compile('unload', '-O1');

my @tests;
# test(name, cmd, check => sub { (result) -> complaints }): the file named FILE in cmd is result->{file}
sub test {
    my ($name, $cmd, $check, %a) = @_;
    push @tests, [$name, sub {
        my $base = "$work/" . $name =~ s/\W+/-/gr;
        return ('SKIP', "no $a{needs}") if $a{needs} && !Run::have($a{needs});
        my @cmd = map { s/FILE/$base.file/r } @$cmd;
        my $r = Run::run(cmd => \@cmd, base => $base, dir => $work);
        $r->{file} = Run::slurp("$base.file");
        $r->{path} = "$base.file";
        my @bad;
        push @bad, 'ends with ' . Run::how_it_ended($r), $r->{err}
            if $r->{status} != ($a{status} // 0) || $r->{signal};
        push @bad, $check->($r) unless @bad;
        return (!@bad, @bad);
    }];
}

sub expect {
    my ($what, $is, $should) = @_;
    return $is eq $should ? () : ("$what: $is", "  should be: $should");
}

# the counters of a cachegrind file's summary by name
sub totals {
    my ($file) = @_;
    my ($names) = $file =~ /^events: (.*)$/m;
    my ($values) = $file =~ /^summary: (.*)$/m;
    my %t;
    @t{ split ' ', $names // '' } = split ' ', $values // '';
    return \%t;
}

# "time heap extra" of each snapshot of a massif file
sub snapshots {
    my ($file) = @_;
    return join ', ', map { join ' ', /^(?:time|mem_heap_B|mem_heap_extra_B)=(\d+)/mg }
        split /^snapshot=/m, $file =~ s/\A.*?^snapshot=//msr;
}

# ---- cachegrind ----------------------------------------------------------------------------------

my @caches = ('--I1=32768,8,64', '--D1=32768,8,64', '--LL=1048576,16,64');
my $insns = 1 + 2000 + 2 + 4 * 4096 + 2 + 11 + 3 + 6 + 2 + 3 + 2;

sub cachegrind { return [$gimle, '--tool=cachegrind', '--cachegrind-out-file=FILE', @_] }

test('cachegrind counts by hand', cachegrind(@caches, '--branch-sim=yes', "$work/counted"), sub {
    my ($r) = @_;
    my $t = totals($r->{file});
    return (expect('Ir', $t->{Ir}, $insns),
        expect('Dr', $t->{Dr}, 4096 + 10 + 1 + 1),
        expect('Dw', $t->{Dw}, 10 + 1),
        # the start of the array was evicted by its end: the first write misses
        expect('D1mr', $t->{D1mr}, 4096),
        expect('D1mw', $t->{D1mw}, 2),
        expect('DLmr', $t->{DLmr}, 4096),
        expect('Bi', "$t->{Bi} $t->{Bim}", '1 1'));
});
test('cachegrind without simulation', cachegrind('--cache-sim=no', "$work/counted"), sub {
    my ($r) = @_;
    my @bad = expect('events', $r->{file} =~ /^(events:.*)$/m, 'events: Ir');
    push @bad, expect('Ir', totals($r->{file})->{Ir}, $insns);
    push @bad, "no summary: $r->{err}" if $r->{err} !~ /I   refs:\s+[\d,]+\n/;
    return @bad;
});
test('cachegrind attributes to lines', cachegrind("$work/counted"), sub {
    my ($r) = @_;
    my ($lines) = $r->{file} =~ m,^fl=\S*/counted.c\nfn=\S.*\n((?:\d.*\n)+),m;
    return "no lines of counted.c in $r->{file}" unless $lines;
    return;
});
test('cg_annotate reads it', cachegrind("$work/counted"), sub {
    my ($r) = @_;
    my $out = qx(cg_annotate '$r->{path}' 2>&1);
    my ($total) = $out =~ /^([\d,]+).*PROGRAM TOTALS/m;
    return expect('total', ($total // '?') =~ s/,//gr, $insns);
}, needs => 'cg_annotate');
test('unloaded code keeps its name', cachegrind("$work/unload", "$work/plugin.so"), sub {
    my ($r) = @_;
    my ($ir) = $r->{file} =~ m,^fl=\S*/plugin.c\nfn=plugin_work\n(?:.*\n)*?7 (\d+),m;
    return $ir ? () : "no plugin_work in the file";
});
test('cachegrind equals Valgrind', ['valgrind', '-q', '--tool=cachegrind', '--cachegrind-out-file=FILE',
        @caches, "$work/counted"], sub {
    my ($r) = @_;
    my $t = totals($r->{file});
    return (expect('Ir', $t->{Ir}, $insns), expect('Dr', $t->{Dr}, 4108), expect('D1mr', $t->{D1mr}, 4096));
}, needs => 'valgrind');
test('a cache that cannot be', [$gimle, '--tool=cachegrind', '--D1=1000,3,7', '/bin/true'], sub {
    my ($r) = @_;
    return $r->{err} =~ /line size/ ? () : "says: $r->{err}";
}, status => 1);

# ---- massif ---------------------------------------------------------------------------------------

sub massif {
    my ($checker, @options) = @_;
    return [$checker, '-q', '--tool=massif', '--massif-out-file=FILE', '--time-unit=B', @options, "$work/blocks"];
}
my $all = '0 0 0, 1016 1000 16, 3024 3000 24, 3144 3100 44, 7144 7100 44, 7144 7100 44, 7144 7050 94, '
    . '9152 5050 86, 9160 5050 94, 14176 50 78, 14184 50 70, 14304 0 0';

for my $checker ($gimle, 'valgrind') {
    my $who = $checker eq $gimle ? 'massif' : 'the same of Valgrind';
    test("$who: snapshots known by hand", massif($checker), sub {
        my ($r) = @_;
        return expect('snapshots', snapshots($r->{file}), $all);
    }, needs => $checker);
}
test('massif: the peak and its tree', massif($gimle), sub {
    my ($r) = @_;
    my ($tree) = $r->{file} =~ /^heap_tree=peak\n((?: *n\d+: .*\n)+)/m;
    my $text = ($tree // 'none') =~ s/0x[0-9A-F]+: //gr =~ s/\(blocks.c:\d+\)/(L)/gr;
    return expect('tree', $text, "n3: 7100 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n"
        . " n0: 5000 main (L)\n n2: 2000 inner (L)\n  n0: 2000 main (L)\n"
        . "  n0: 0 in 1 place, below massif's threshold (1.00%)\n n0: 100 main (L)\n");
});
test('massif: --ignore-fn', massif($gimle, '--ignore-fn=inner'), sub {
    my ($r) = @_;
    return $r->{file} =~ /mem_heap_B=(?:[12]000|3000)\n/ ? 'inner is not ignored' : ();
});
test('massif: --alloc-fn', massif($gimle, '--alloc-fn=inner', '--detailed-freq=1'), sub {
    my ($r) = @_;
    return $r->{file} =~ /inner \(/ ? 'inner is in a tree' : $r->{file} =~ /outer/ ? () : 'no outer';
});
test('massif: --heap=no --stacks=yes', massif($gimle, '--heap=no', '--stacks=yes'), sub {
    my ($r) = @_;
    return 'a heap' if $r->{file} =~ /mem_heap_B=[1-9]/;
    return $r->{file} =~ /mem_stacks_B=[1-9]/ ? () : 'no stack';
});
test('massif: --pages-as-heap=yes', massif($gimle, '--pages-as-heap=yes'), sub {
    my ($r) = @_;
    return $r->{file} =~ /^n\d+: \d+ \(page allocation syscalls\)/m ? () : 'no tree of pages';
});
test('massif: few snapshots', massif($gimle, '--max-snapshots=10'), sub {
    my ($r) = @_;
    my $n = () = $r->{file} =~ /^snapshot=/mg;
    return $n < 10 && $r->{file} =~ /heap_tree=peak/ ? () : "$n snapshots, or no peak";
});
test('ms_print reads it', massif($gimle), sub {
    my ($r) = @_;
    my $out = qx(ms_print '$r->{path}' 2>&1);
    return $? == 0 && $out =~ /Number of snapshots: 12\n/ ? () : $out;
}, needs => 'ms_print');

exit(Run::tap_parallel(@tests) ? 1 : 0);
