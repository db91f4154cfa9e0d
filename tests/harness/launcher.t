#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Tests the launcher alone, with a core of ours that shows what it was given.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use Run;

my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/launcher-work";
my $gimle = "$build/gimle";
File::Path::make_path("$work/lib", "$work/empty");
Run::spew("$work/core.c", <<'C');
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
extern char **environ;
int main(int argc, char **argv)
{
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    for (int i = 0; i < argc; i++)
        printf("arg %s\n", argv[i]);
    for (char **e = environ; *e; e++)
        printf("env %s\n", *e);
    printf("core %s\nstack %lld\n", strrchr(argv[0], '/') ? "?" : argv[0], (long long)limit.rlim_cur);
    return 23;
}
C
system("gcc -w -o '$work/lib/gimle-core-amd64' '$work/core.c'") == 0 or die 'no compiler';


my @tests;
sub test {
    my ($name, %a) = @_;
    push @tests, [$name, sub {
        my $base = "$work/" . $name =~ s/\W+/-/gr;
        my %env = (GIMLE_LIB => "$work/lib", %{ $a{env} || {} });
        my $r = Run::run(cmd => $a{cmd}, env => \%env, base => $base, dir => $work);
        my @bad;
        push @bad, 'ends with ' . Run::how_it_ended($r) if $r->{status} != ($a{status} // 23) || $r->{signal};
        for (@{ $a{has} || [] }) { push @bad, "no: $_" unless $r->{out} =~ /^$_$/m }
        for (@{ $a{hasnt} || [] }) { push @bad, "has: $_" if $r->{out} =~ /^$_$/m }
        push @bad, "stderr: $r->{err}" unless $r->{err} =~ ($a{err} // qr/^$/);
        return (!@bad, @bad);
    }];
}

test('arguments pass through', cmd => [$gimle, '--tool=none', '-q', '/bin/true', 'a b', ''],
    has => ['arg --tool=none', 'arg -q', 'arg /bin/true', 'arg a b', 'arg ']);
test('linker and malloc variables are hidden in place',
    cmd => ['env', '-i', "GIMLE_LIB=$work/lib", 'A=1', 'LD_PRELOAD=/x.so', 'B=2', 'MALLOC_ARENA_MAX=3',
        'GLIBC_TUNABLES=glibc.malloc.check=3', 'LDX=4', $gimle, '/bin/true'],
    has => ['env A=1\nenv GIMLE_CLIENT_ENV_LD_PRELOAD=/x.so\nenv B=2\nenv GIMLE_CLIENT_ENV_MALLOC_ARENA_MAX=3'
        . '\nenv GIMLE_CLIENT_ENV_GLIBC_TUNABLES=glibc.malloc.check=3\nenv LDX=4'],
    hasnt => ['env LD_PRELOAD=.*', 'env MALLOC_.*', 'env GLIBC_.*']);
test('a variable with the prefix gets it twice',
    cmd => [$gimle, '/bin/true'], env => { GIMLE_CLIENT_ENV_X => 5 },
    has => ['env GIMLE_CLIENT_ENV_GIMLE_CLIENT_ENV_X=5']);
test('the core is told the launcher and its directory', cmd => [$gimle, '/bin/true'],
    env => { GIMLE_CORE_LAUNCHER => 'false' },
    has => ["env GIMLE_CORE_LAUNCHER=\Q$gimle\E", "env GIMLE_CORE_LIB=\Q$work/lib\E"],
    hasnt => ['env GIMLE_CORE_LAUNCHER=false']);
test('an unlimited stack is lowered for the core', cmd => "ulimit -s unlimited && exec $gimle /bin/true",
    has => ['env GIMLE_CORE_RLIMIT_STACK=unlimited', 'stack 8388608']) if `sh -c 'ulimit -Hs'` =~ /unlimited/;
test('a tiny stack is raised for the core', cmd => "ulimit -Ss 64 && exec $gimle /bin/true",
    has => ['env GIMLE_CORE_RLIMIT_STACK=65536', 'stack 8388608']);
test('a normal stack is left alone', cmd => "ulimit -Ss 4096 && exec $gimle /bin/true",
    has => ['stack 4194304'], hasnt => ['env GIMLE_CORE_RLIMIT_STACK=.*']);
test('no such program is left to the core', cmd => [$gimle, '/no/such/program'], has => ['arg /no/such/program']);
test('no program at all is left to the core', cmd => [$gimle, '--help'], has => ['arg --help']);
test('a missing core is one clear line', cmd => [$gimle, '/bin/true'],
    env => { GIMLE_LIB => "$work/empty" }, status => 1,
    err => qr,\Agimle: cannot find \Q$work\E/empty/gimle-core-amd64;[^\n]*\n\z,);

chmod 0755, "$work/suid" if Run::spew("$work/suid", "\x7fELF" . "\0" x 100) || 1;
chmod 04755, "$work/suid";
test('a set-user-ID program is refused', cmd => [$gimle, "$work/suid"], status => 1,
    err => qr,\Agimle: \Q$work\E/suid: set-user-ID and set-group-ID programs[^\n]*\n\z,);
Run::spew("$work/suid.sh", "#! $work/suid -x\n");
chmod 0755, "$work/suid.sh";
test('a script of a set-user-ID interpreter is refused', cmd => [$gimle, '--', "$work/suid.sh"], status => 1,
    err => qr,\Agimle: \Q$work\E/suid: set-user-ID,);
test('an executable script that is its own interpreter ends', cmd => [$gimle, "$work/loop"]);
Run::spew("$work/loop", "#!$work/loop\n");
chmod 0755, "$work/loop";

exit(Run::tap_parallel(@tests) ? 1 : 0);
