#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Runs the small programs of tests/prog under the installed Valgrind and under ours with the same
# options and compares the whole text of the two reports, line by line, once what must differ has
# been made equal: process ids, addresses, the banner, and the frames of replaced functions (a
# function of Valgrind's preloaded library there, the function really called here).
#
#   compat.t [--options=MORE] [--xml] [NAME...]
#
# --xml compares the XML reports instead of the text.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use File::Temp ();
use Run;

my ($more, $xml, @names) = ('', 0);
for (@ARGV) {
    if (/^--options=(.*)/) { $more = $1 }
    elsif ($_ eq '--xml') { $xml = 1 }
    else { push @names, $_ }
}
if (!Run::have('valgrind')) {
    print "1..0 # SKIP no valgrind here\n";
    exit 0;
}
my $source = Cwd::abs_path("$FindBin::Bin/../prog");
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $programs = "$build/tests/prog-work";
my $work = "$build/tests/compat-work";
File::Path::make_path($work);
system("$^X $FindBin::Bin/prog.t --compile-only") == 0 or die "cannot compile\n";

my $replaced = qr/vg_replace_\w+\.c:\d+|in [^()]*vgpreload_[^()]*|in [^()]*\/(?:libc|libstdc\+\+|ld-linux|libgcc)[^()]*|(?:malloc|str\w+|mem\w+)(?:-\w+)*\.[cS]:\d+/;

sub normalise {
    my ($text) = @_;
    my @out;
    for (split /\n/, $text) {
        next unless s/^(?:==|--|\*\*)\d+(?:==|--|\*\*) ?//
            || /^[ {}]/ || /^\s*<insert/;
        next if /^(?:Memcheck, a|Copyright|Using |Parent PID|Command:)/;
        s/\b0x[0-9A-Fa-f]+/0xADDR/g;
        # the replaced function: Valgrind's own there, here the one called, perhaps by an alias
        s/^(\s+at 0xADDR: )(?:__)?(?:GI_|libc_)?(\w+?)(?:_(?:avx|sse|evex|erms|ifunc)\w*|\@\S*)? \($replaced\)$/$1$2 (REPLACED)/
            || s/^(\s+at 0xADDR: (?:operator .*)) \($replaced\)$/$1 (REPLACED)/;
        s/\bclone3? \(clone3?\.S:\d+\)/clone (clone.S)/;    # Valgrind 3.19 has no clone3
        s/\(in (?!\/)/(in /;
        s/\s+$//;
        push @out, $_;
    }
    # empty lines at the start differ with the banner
    shift @out while @out && $out[0] eq '';
    return join "\n", @out, '';
}

# Elements whose contents differ from run to run, and the head that names the program.
sub normalise_xml {
    my ($text) = @_;
    $text =~ s,<preamble>.*?</preamble>\s*,,s;
    $text =~ s,<usercomment>.*?</usercomment>\s*,,s;
    $text =~ s,<(pid|ppid|time|unique|ip|exe|tid)>[^<]*</\1>,<$1/>,g;
    $text =~ s,<vargv>.*?</vargv>\s*,,s;
    $text =~ s,\b0x[0-9A-Fa-f]+,0xADDR,g;
    $text =~ s,in loss record [\d\,]+ of [\d\,]+,in loss record N of N,g;
    $text =~ s{<frame>(?:(?!</frame>).)*?(?:vgpreload_|/libc\.so|/libstdc\+\+|/ld-linux|/libgcc)(?:(?!</frame>).)*</frame>}
              {my $f = $&; my ($fn) = $f =~ m,<fn>(?:__)?(.*?)(?:_avx\w*|_sse\w*|\@.*)?</fn>,; "<frame><fn>" . ($fn // '') . "</fn></frame>"}gse;
    return $text;
}

sub report {
    my ($who, $checker, $name, $text) = @_;
    my $base = "$work/$name.$who";
    my %env = (VALGRIND_OPTS => undef);
    my ($options) = $text =~ m,^// OPTIONS: (.*),m;
    my ($args) = $text =~ m,^// ARGS: (.*),m;
    my ($tool) = $text =~ m,^// TOOL: (.*),m;
    $env{$1} = $2 while $text =~ m,^// ENV: (\w+)=(.*),mg;
    my @options = map { s/\@src\@/$source/gr } split ' ', ($options // '') . " $more";
    push @options, '--xml=yes', "--xml-file=$base.xml" if $xml;
    my $r = Run::run(cmd => [$checker, '--tool=' . ($tool // 'memcheck'), "--log-file=$base.log", @options,
            "$programs/$name", split ' ', $args // ''], env => \%env, base => $base, dir => $work);
    my $log = $xml ? normalise_xml(Run::slurp("$base.xml")) : normalise(Run::slurp("$base.log"));
    Run::spew("$base.txt", $log);
    return ($log, Run::how_it_ended($r));
}

sub test {
    my ($path, $name) = @_;
    my $text = Run::slurp($path);
    return ('SKIP', $1) if $text =~ m,^// DIFFERS: (.*),m;
    return ('SKIP', 'no XML from this tool') if $xml && $text =~ m,^// TOOL: none,m;
    return ('SKIP', 'not compiled') unless -x "$programs/$name";
    my ($theirs, $their_end) = report('valgrind', 'valgrind', $name, $text);
    my ($ours, $our_end) = report('gimle', "$build/gimle", $name, $text);
    return (1) if $theirs eq $ours && $their_end eq $our_end;
    my @bad = $their_end eq $our_end ? () : ("ends with $our_end, Valgrind's with $their_end");
    return (0, @bad, `diff -U2 '$work/$name.valgrind.txt' '$work/$name.gimle.txt' | sed 1,2d | head -40`);
}

my @tests;
for my $path (sort glob("'$source'/*.c '$source'/*.cc")) {
    (my $name = $path) =~ s,.*/|\.\w+$,,g;
    next if @names && !grep { $_ eq $name } @names;
    push @tests, [$name, sub { test($path, $name) }];
}
exit(Run::tap_parallel(@tests) ? 1 : 0);
