#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A guest thread that ends must not load a library into the core's process: libgcc came with
# pthread_exit(), and a fork() at that moment gave the child a dynamic linker in mid-work.
use strict;
use warnings;
use Cwd ();
use File::Path ();
use FindBin;
use IPC::Open2;
use lib $FindBin::Bin;
use Run;

my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/host_threads-work";
my $cc = $ENV{PROG_CC} || 'gcc';
File::Path::make_path($work);
Run::spew("$work/program.c", <<'C');
#include <pthread.h>
#include <stdio.h>
static void *work(void *p) { return p; }
int main(void)
{
    for (int i = 0; i < 3; i++) {
        pthread_t t;
        pthread_create(&t, 0, work, 0);
        pthread_join(t, 0);
    }
    puts("threads have ended");
    fflush(stdout);
    return getchar() == 'x' ? 0 : 1;
}
C
print "1..2\n";
system($cc, '-w', '-O1', '-o', "$work/program", "$work/program.c", '-lpthread') == 0 or die 'no compiler';
my $n = 0;
for my $tool ('none', 'memcheck') {
    my $pid = open2(my $from, my $to, "$build/gimle", '-q', "--tool=$tool", "$work/program");
    my $said = <$from> // '';
    # pthread_join() returns a little before the host thread is gone.
    select undef, undef, undef, 0.01 while (() = glob "/proc/$pid/task/*") > 1;
    my @loaded = grep { /libgcc/ } split /\n/, Run::slurp("/proc/$pid/maps");
    print $to 'x';
    close $to;
    waitpid $pid, 0;
    my $ok = $said eq "threads have ended\n" && !@loaded && $? == 0;
    print $ok ? 'ok ' : 'not ok ', ++$n, " - $tool: threads end without loading anything\n";
    print "# status $?, said $said", map { "# $_\n" } @loaded unless $ok;
}
