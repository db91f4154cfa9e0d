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
        my $r = Run::run(cmd => \@cmd, base => $base, dir => $work, timeout => $a{timeout});
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
test('cg_diff and cg_merge read it', cachegrind("$work/counted"), sub {
    my ($r) = @_;
    my $diff = qx(cg_diff '$r->{path}' '$r->{path}' 2>&1);
    my ($merged) = qx(cg_merge '$r->{path}' '$r->{path}' 2>&1) =~ /^summary: (\d+)/m;
    return (expect('difference', ($diff =~ /^summary: (.*)$/m)[0] // $diff, '0 0 0 0 0 0 0 0 0'),
        expect('sum', $merged // '?', 2 * $insns));
}, needs => 'cg_merge');
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

# The second run of a program uses the translations of the first one and counts the same.
sub kept {
    my ($name, @options) = @_;
    push @tests, ["$name: translations are kept", sub {
        my $base = "$work/kept-" . join('', @options) =~ s/\W+/-/gr;
        my @cmd = map { s/OUT/$base.file/r } @options;
        my (@file, $bad);
        for my $run (1, 2) {
            my $r = Run::run(cmd => [$gimle, "--cache-dir=$base.cache", '--stats=yes', @cmd,
                    "$work/counted"], base => "$base-$run", dir => $work);
            my ($made) = $r->{err} =~ /translations: (\d+) blocks/;
            my ($used) = $r->{err} =~ /translations: (\d+) from files/;
            $bad //= "run $run: $used of $made from files\n$r->{err}"
                if !defined $used || ($run == 1 ? $used : $used < 0.9 * $made);
            push @file, Run::slurp("$base.file");
        }
        $bad //= "counts differ:\n$file[0]$file[1]" if $file[0] ne $file[1] || $file[0] eq '';
        return (!$bad, $bad // ());
    }];
}
for my $simulate (['--cache-sim=no'], ['--branch-sim=yes', @caches], ['--D1=3072,3,64', '--I1=2048,1,32']) {
    kept('cachegrind', '--tool=cachegrind', '--cachegrind-out-file=OUT', @$simulate);
}
kept('massif', '--tool=massif', '--massif-out-file=OUT', '--stacks=yes');

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

# ---- gimle-report ------------------------------------------------------------------------------------

my $report = Cwd::abs_path("$source/../../scripts/gimle-report");
Run::spew("$work/small.cg", <<"END");
desc: I1 cache: none
cmd: prog
events: Ir Dr
fl=$source/plugin.c
fn=plugin_work
5 10 1
6 30 .
fn=other
7 5 2
summary: 45 3
END
Run::spew("$work/small.kcg", <<"END");
# callgrind format
version: 1
cmd: prog
positions: instr line
events: Ir Dr
fl=(1) $source/plugin.c
fn=(1) plugin_work
0x1000 5 10 1
+4 +1 30
cfi=(1)
cfn=(2) other
calls=1 0x2000 7
* * 5 2
fn=(2)
0x2000 7 5 2
totals: 45 3
END
Run::spew("$work/larger.cg", Run::slurp("$work/small.cg") =~ s/^6 30/6 50/mr =~ s/summary: 45/summary: 65/r);
Run::spew("$work/small.ms", <<'END');
desc: (none)
cmd: prog </script>
time_unit: i
#-----------
snapshot=0
#-----------
time=10
mem_heap_B=100
mem_heap_extra_B=8
mem_stacks_B=0
heap_tree=peak
n2: 100 (heap allocation functions)
 n0: 60 0x1: main (a.c:1)
 n0: 40 0x2: f (a.c:2)
END

my $frame = '{"ip":"0x1","obj":"/bin/x","fn":"plugin_work","dir":"' . $source . '","file":"plugin.c","line":6}';
Run::spew("$work/small.json", join '', map { '{"kind":"' . $_->[0] . '","what":"' . $_->[1]
    . "\",\"details\":[{\"stack\":[$frame]},{\"text\":\"Address 0x5\"}]}\n" }
    ['InvalidRead', 'Invalid read of size 4'], ['InvalidRead', 'Invalid read of size 8'],
    ['Leak_DefinitelyLost', '8 bytes lost']);

sub shows {
    my ($name, $args, @patterns) = @_;
    test("gimle-report: $name", ['python3', $report, @$args], sub {
        my ($r) = @_;
        return map { $r->{out} =~ $_ ? () : "no $_ in $r->{out}" } @patterns;
    }, needs => 'python3');
}
shows('functions and lines', ["$work/small.cg"], qr/^ *40  88\.9%  plugin_work/m,
    qr/^ *30  66\.7%  plugin.c:6  for /m);
shows('functions and lines of callgrind files', ["$work/small.kcg"], qr/^ *40  88\.9%  plugin_work/m,
    qr/^ *30  66\.7%  plugin.c:6  for /m, qr/^ *5  11\.1%  other/m);
shows('difference', ['--diff', "$work/small.cg", "$work/larger.cg"], qr/^ *20 100\.0%  plugin_work/m);
shows('memory', ["$work/small.ms"], qr/^ *10 +108 #+ peak$/m, qr/^ *60  60\.0%   0x1: main/m);
shows('errors', ["$work/small.json"], qr/^InvalidRead: 2$/m, qr/^ *>    6     for /m);
test('gimle-report: errors with the same stack are one', ['python3', $report, '--html=FILE', "$work/small.json"], sub {
    my ($r) = @_;
    my $n = () = $r->{file} =~ /<details/g;
    return $n == 2 && $r->{file} =~ /Invalid read of size 4 \(and 1 more/ ? () : $r->{file};
}, needs => 'python3');
test('gimle-report: damaged files of all kinds', ['python3', "$source/report_fuzz.py", $report,
        "$work/small.cg", "$work/small.ms", "$work/small.json"], sub {
    my ($r) = @_;
    return $r->{out} =~ /^\d+ files, \d+ refused$/ ? () : $r->{out} . $r->{err};
}, needs => 'python3', timeout => 600);
test('gimle-report: damaged files in the format of callgrind', ['python3', "$source/report_fuzz.py", $report,
        "$work/small.kcg"], sub {
    my ($r) = @_;
    return $r->{out} =~ /^\d+ files, \d+ refused$/ ? () : $r->{out} . $r->{err};
}, needs => 'python3', timeout => 600);
test('gimle-report: a page', ['python3', $report, '--html=FILE', "$work/small.ms"], sub {
    my ($r) = @_;
    my $ends = () = $r->{file} =~ m,</script>,g;
    return $ends == 1 && $r->{file} =~ /"snapshots"/ && $r->{file} !~ m,(?:src|href)=, ? () : $r->{file};
}, needs => 'python3');
# in a browser: what is there after a click
sub clicks {
    my ($name, $file, $script, $pattern) = @_;
    my $page = "$work/" . $name =~ s/\W+/-/gr . '.html';
    push @tests, ["gimle-report: in a browser: $name", sub {
        return ('SKIP', 'no chromium') unless Run::have('chromium');
        system('python3', $report, "--html=$page", $file) == 0 or return (0, 'no page');
        Run::spew($page, Run::slurp($page) . "<script>$script</script>");
        my $r = Run::run(cmd => ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--dump-dom',
                "--user-data-dir=$page.profile", "file://$page"], base => $page, dir => $work);
        my $dom = $r->{out} =~ s,<script>.*?</script>,,gsr;
        return $dom =~ $pattern ? 1 : (0, "no $pattern in:", $dom);
    }];
}
clicks('a snapshot', "$work/small.ms", "document.querySelector('circle').dispatchEvent(new Event('click'))",
    qr{Snapshot 0 \(peak\): time 10 i, heap 100 B.*<rect .*60\.0%  60  0x1: main}s);
clicks('sort by a column', "$work/small.cg", "document.querySelectorAll('th')[1].click()",
    qr,>Dr [^<]+</th>.*<td>5</td><td>2</td><td class="t">other.*plugin_work,s);
clicks('annotated source', "$work/small.cg", "document.querySelector('tr.row').click()",
    qr,<tr class="hot"><td>30</td><td class="muted">6</td>,);

clicks('a part of the picture', "$work/small.cg",
    "document.querySelectorAll('rect')[3].dispatchEvent(new Event('click'))",
    qr,<button>show all</button>.*<td class="muted">6</td>,s);
clicks('filter', "$work/small.cg", "\$('filter').value='other';\$('filter').oninput()",
    qr,<table id="functions">(?!.*<td class="t">plugin_work).*<td class="t">other,s);

for my $damaged (['empty', ''], ['cut', "events: Ir\nfl=a\nfn=b\n1 2\n"], ['no counts', "events: Ir\n1 x\n"],
        ['cut callgrind', "# callgrind format\nevents: Ir\nfn=(1) b\n1 2\n"], ['no name', "positions: line\nevents: Ir\nfn=(1)\n1 2\ntotals: 2\n"],
        ['cut tree', "time_unit: i\nsnapshot=0\nheap_tree=peak\nn2: 1 a\n n0: 1 b\n"], ['other', "hello\n"]) {
    my ($name, $text) = @$damaged;
    my $file = "$work/damaged-" . $name =~ s/ /-/gr;
    Run::spew($file, $text);
    test("gimle-report: damaged: $name", ['python3', $report, $file], sub {
        my ($r) = @_;
        return $r->{err} =~ /\Agimle-report: \Q$file\E:[^\n]*\n\z/ ? () : "says: $r->{err}";
    }, status => 1, needs => 'python3');
}

exit(Run::tap_parallel(@tests) ? 1 : 0);
