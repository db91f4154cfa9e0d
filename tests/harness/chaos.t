#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Programs of tests/prog in which signals, threads and changing code meet, under each mode of --chaos: polls,
# preemption, evictions and registers at random change nothing of what they say.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Run;

my @names = qw(signal_before_call signal_blocked_faults signal_context signal_flags signal_queue signal_restart
    signal_stack_overflow signal_storm_float signals_alternate_stack segv_handled longjmp_deep exceptions contexts
    threads_atomic threads_cancel threads_condition threads_exec threads_exit_group threads_fork threads_fork_flags
    threads_main_exits threads_mutexes threads_local_dlopen fork_children vfork_exec spawn_error self_modifying
    generated_code code_page_writers sockets sys_process user_dispatch clone3_flags);
my @prog = ($^X, "$FindBin::Bin/prog.t", '--work=prog-chaos');
my $built = system(@prog, '--compile-only', @names) == 0;

sub holds {
    my ($mode, $seed) = @_;
    return (0, 'the programs cannot be built') unless $built;
    my $options = "--chaos=$mode --chaos-seed=$seed --cache-dir=no";
    open my $from, '-|', @prog, "--options=$options", @names or die 'cannot run prog.t';
    my @said = <$from>;
    close $from;
    my $ok = grep { /^ok / } @said;
    return ($ok == @names, "$ok of " . @names . " under $options", grep { !/^ok|^1\.\./ } @said);
}

$ENV{GIMLE_TEST_JOBS} = 1; # of each run
exit(Run::tap_parallel(map { my $m = $_; [$m, sub { holds($m, 7) }] } qw(signals sched tcache regalloc)) ? 1 : 0);
