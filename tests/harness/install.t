#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# An installed Gimle: the headers serve a tool made outside of its source and programs with client
# requests, by what gimle.pc says; the link `valgrind' works.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use Run;

my $source = Cwd::abs_path("$FindBin::Bin/../..");
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/install-work";
my $prefix = "$work/prefix";
File::Path::remove_tree($work);
File::Path::make_path($work);
my $log = "$work/install.log";
system("make -C '$build' install prefix='$prefix' > '$log' 2>&1") == 0
    && system("make -C '$build' install-valgrind-shim prefix='$prefix' >> '$log' 2>&1") == 0
    or do { print "1..1\nnot ok 1 - make install\n# ", join('# ', split /^/, Run::slurp($log)), "\n"; exit 1 };

my ($cflags) = Run::slurp("$prefix/lib/pkgconfig/gimle.pc") =~ /^Cflags: (.*)/m;
$cflags =~ s/\$\{includedir\}/$prefix\/include/g;

# Compile @p text or a file to @p name; undef or what the compiler said.
sub compile {
    my ($name, $file, $flags) = @_;
    my $said = `gcc -Wall -Wextra -Werror $flags $cflags -o '$work/$name' '$file' 2>&1`;
    return $? ? "compiler: $said" : undef;
}

sub run {
    my ($name, @cmd) = @_;
    return Run::run(cmd => [@cmd], env => { VALGRIND_OPTS => undef }, base => "$work/$name", dir => $work);
}

my @tests = (
    ['a tool made outside', sub {
        my $bad = compile('blocks.so', "$source/docs/example/blocks.c", '-shared -fPIC');
        return (0, $bad) if $bad;
        my $r = run('blocks', "$prefix/bin/gimle", '--tool=./blocks.so', '--each=yes', '/bin/true');
        my $good = $r->{status} == 0 && $r->{err} =~ /== system call \d+$/m
            && $r->{err} =~ /== [1-9]\d+ blocks, [1-9]\d* system calls$/m;
        return $good ? (1) : (0, Run::how_it_ended($r), $r->{err});
    }],
    ['a tool that looks at accesses and reports', sub {
        Run::spew("$work/straddle.c", <<'C');
_Alignas(64) static char buf[256];
__attribute__((noinline)) static int get(const char *p) { return *(const volatile int *)p; }
__attribute__((noinline)) static void put(char *p, long v) { *(volatile long *)p = v; }
int main(void)
{
    put(buf + 56, 1);
    put(buf + 57, 2);
    return get(buf + 60) + get(buf + 64) + get(buf + 126) == 77;
}
C
        my $bad = compile('align.so', "$source/docs/example/align.c", '-shared -fPIC')
            // compile('straddle', "$work/straddle.c", '-g -O1');
        return (0, $bad) if $bad;
        my @align = ("$prefix/bin/gimle", '--tool=./align.so');
        my $r = run('align', @align, './straddle');
        my @own = $r->{err} =~ /== (\w+ of size \d+ straddles a line)\n==\d+==    at \S+ (\w+) \(straddle\.c:/g;
        my $inside = () = $r->{err} =~ / is (?:57|126) bytes inside data symbol "buf"/g;
        Run::spew("$work/align.supp", "{\n here\n Align:Split\n fun:get\n}\n");
        my $quiet = run('quiet', @align, '--suppressions=align.supp', './straddle');
        my $wrong = run('wrong', @align, '--line=48', './straddle');
        my $good = "@own" eq 'Write of size 8 straddles a line put Read of size 4 straddles a line get'
            && $inside == 2 && $quiet->{err} !~ /straddle\.c:2\b/ && $quiet->{err} =~ /suppressed: 1 from 1/
            && $wrong->{status} == 1 && $wrong->{err} eq "gimle: --line=48: not a power of two\n";
        return $good ? (1) : (0, $r->{err}, $quiet->{err}, $wrong->{err});
    }],
    ['headers of tools compile alone', sub {
        my @bad;
        for my $h (glob "'$prefix/include/gimle/*.h'") {
            my ($name) = $h =~ m,([^/]+)$,;
            Run::spew("$work/alone.c", "#include <gimle/$name>\nint x;\n");
            my $bad = compile('alone.o', "$work/alone.c", '-c');
            push @bad, "$name: $bad" if $bad;
        }
        return (!@bad, @bad);
    }],
    ['client requests under the names of Valgrind', sub {
        Run::spew("$work/client.c", <<'C');
#include <valgrind/memcheck.h>
#include <memory.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    char *p = malloc(10);
    if (RUNNING_ON_VALGRIND)
        VALGRIND_PRINTF("under %s\n", "a tool");
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, 10);
    memset(p, 1, 4);
    printf("%d %d\n", VALGRIND_CHECK_MEM_IS_DEFINED(p, 4) == 0, VALGRIND_CHECK_MEM_IS_DEFINED(p, 5) == 0);
    free(p);
    return (int)VALGRIND_COUNT_ERRORS;
}
C
        my $bad = compile('client', "$work/client.c", '-g');
        return (0, $bad) if $bad;
        my $bare = run('bare', './client');
        my $r = run('client', "$prefix/bin/gimle", '-q', './client');
        my $good = $bare->{out} eq "1 1\n" && $bare->{status} == 0 && $r->{out} eq "1 0\n"
            && $r->{status} == 1 && $r->{err} =~ /^\*\*\d+\*\* under a tool$/m;
        return $good ? (1) : (0, Run::how_it_ended($r), $r->{out}, $r->{err});
    }],
    ['the link', sub {
        my $r = run('link', "$prefix/bin/valgrind", '--version');
        return $r->{out} =~ /^valgrind-3\./ ? (1) : (0, $r->{out});
    }],
);
exit(Run::tap_parallel(@tests) ? 1 : 0);
