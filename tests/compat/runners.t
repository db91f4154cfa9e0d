#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Programs that run others under Valgrind and read what it prints, with Gimle in its place: CTest's memory
# check and Meson's wrappers, where they are installed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../harness";
use Cwd ();
use File::Path ();
use Run;

my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/runners-work";
File::Path::remove_tree($work);
File::Path::make_path("$work/bin");
symlink "$build/gimle", "$work/bin/valgrind";

Run::spew("$work/bad.c", <<'C');
#include <stdlib.h>
#include <stdio.h>
int main(void)
{
    char *volatile p = malloc(10), *volatile q = malloc(5);
    p[10] = 1;
    if (q[2])
        puts("x");
    free(p);
    free(p);
    q = NULL;
    return 0;
}
C
Run::spew("$work/good.c", "int main(void) { return 0; }\n");
Run::spew("$work/CMakeLists.txt", <<'C');
cmake_minimum_required(VERSION 3.10)
project(runners C)
include(CTest)
add_executable(bad bad.c)
add_executable(good good.c)
add_test(bad bad)
add_test(good good)
C
Run::spew("$work/meson.build", <<'C');
project('runners', 'c', default_options: ['buildtype=debug'])
test('bad', executable('bad', 'bad.c'))
test('good', executable('good', 'good.c'))
C

my %env = (VALGRIND_OPTS => undef, CFLAGS => '-g -O0', MAKEFLAGS => undef, MFLAGS => undef, MAKELEVEL => undef);

sub command {
    my ($name, $cmd, %more) = @_;
    return Run::run(cmd => $cmd, base => "$work/$name", dir => $work, timeout => 300, env => { %env, %more });
}

sub ctest {
    my ($name, @settings) = @_;
    return ('SKIP', 'no ctest') if !Run::have('ctest') || !Run::have('cmake') || !Run::have('make');
    my $r = command("$name-make", ['/bin/sh', '-c', "cmake -S . -B $name -G 'Unix Makefiles' @settings && make -C $name"]);
    return ('SKIP', 'cmake does not work here') if $r->{status};
    $r = command($name, ['/bin/sh', '-c', "cd $name && ctest -T memcheck"]);
    my %wanted = (FIM => 1, IPW => 1, 'Memory Leak' => 1, 'Uninitialized Memory Conditional' => 1);
    my %found = $r->{out} =~ /^(\w[\w ]*) - (\d+)$/mg;
    my @bad = map { "$_: " . ($found{$_} // 'none') } grep { ($found{$_} // 0) != $wanted{$_} } keys %wanted;
    push @bad, 'not found: 1/2 MemCheck: bad' unless $r->{out} =~ /MemCheck: #1: bad \.+\s+Defects: 4$/m;
    return @bad ? (0, @bad, $r->{out}) : (1);
}

sub meson {
    my ($name, $wrapper, $bad_fails) = @_;
    return ('SKIP', 'no meson') if !Run::have('meson') || !Run::have('ninja');
    my $r = command("$name-setup", ['meson', 'setup', $name]);
    return ('SKIP', 'meson does not work here') if $r->{status};
    $r = command($name, ['meson', 'test', '-C', $name, "--wrapper=$wrapper"]);
    my $good = $r->{out} =~ /\bgood +OK/ && ($bad_fails ? $r->{out} =~ /\bbad +FAIL/ : $r->{out} =~ /\bbad +OK/);
    return $good ? (1) : (0, $r->{out}, $r->{err});
}

my @tests = (
    ['ctest, by the name of the link', sub { ctest('ctest-link', "-DMEMORYCHECK_COMMAND=$work/bin/valgrind") }],
    ['ctest, told the type', sub { ctest('ctest-type', "-DMEMORYCHECK_COMMAND=$build/gimle -DMEMORYCHECK_TYPE=Valgrind") }],
    ['meson', sub { meson('meson-plain', "$build/gimle --error-exitcode=1", 1) }],
);
exit(Run::tap_parallel(@tests) ? 1 : 0);
