#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Monitor commands from outside: `gimle monitor' asks a program that computes, or is blocked in one of
# the system calls that a signal would end, and the program does not notice.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use IO::Handle;
use Run;
use Time::HiRes;

my $build = Cwd::abs_path($ENV{builddir} || '.');
my $gimle = "$build/gimle";
my $work = "$build/tests/monitor-work";
File::Path::remove_tree($work);
File::Path::make_path($work);
symlink $gimle, "$work/vgdb";

# It says "ready", waits in the way that its argument names until SIGUSR1 comes (which is blocked but
# while it waits), and says whether the wait ended by that.
Run::spew("$work/waits.c", <<'C');
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static volatile sig_atomic_t caught;
static int never[2], word;
char *volatile kept;
static void note(int sig) { (void)sig; caught++; }
__attribute__((noinline)) static void lose(void) { char *volatile p = malloc(99); *p = 1; p = NULL; }
static int wait_by(const char *how)
{
    struct timespec long_time = { 1000, 1 };
    struct pollfd p = { .fd = never[0], .events = POLLIN };
    struct epoll_event e;
    fd_set set;
    sigset_t none, one;
    char c;
    sigemptyset(&none);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    FD_ZERO(&set);
    FD_SET(never[0], &set);
    if (!strcmp(how, "nanosleep")) return nanosleep(&long_time, &long_time);
    if (!strcmp(how, "clock_nanosleep")) return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &long_time, NULL);
    if (!strcmp(how, "poll")) return poll(&p, 1, 1000000);
    if (!strcmp(how, "poll_forever")) return poll(&p, 1, -1);
    if (!strcmp(how, "ppoll")) return ppoll(&p, 1, &long_time, &none);
    if (!strcmp(how, "select")) return select(never[0] + 1, &set, NULL, NULL, NULL);
    if (!strcmp(how, "pselect")) return pselect(never[0] + 1, &set, NULL, NULL, &long_time, &none);
    if (!strcmp(how, "epoll_wait")) return epoll_wait(epoll_create1(0), &e, 1, 1000000);
    if (!strcmp(how, "futex")) return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &long_time, NULL, 0);
    if (!strcmp(how, "sigtimedwait")) return sigtimedwait(&one, NULL, &long_time);
    if (!strcmp(how, "pause")) return pause();
    if (!strcmp(how, "sigsuspend")) return sigsuspend(&none);
    if (!strcmp(how, "read")) return read(never[0], &c, 1);
    if (!strcmp(how, "computes"))
        for (volatile unsigned long n = 0; !caught; n++)
            ;
    errno = EINTR;
    return -1;
}
static void *in_thread(void *how)
{
    if (wait_by(how) == -1 && errno == EINTR && caught)
        return how;
    printf("%s: %s, signals %d\n", (char *)how, strerror(errno), (int)caught);
    return NULL;
}
int main(int argc, char **argv)
{
    struct sigaction act = { .sa_handler = note };
    pthread_t other;
    void *good = 0;
    sigset_t usr1;
    if (argc < 2 || pipe(never) != 0)
        return 2;
    sigaction(SIGUSR1, &act, NULL);
    kept = malloc(20);
    lose();
    printf("ready\n");
    fflush(stdout);
    if (argc > 2) {
        pthread_create(&other, NULL, in_thread, argv[1]);
        sigemptyset(&usr1);
        sigaddset(&usr1, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &usr1, NULL);
        pthread_join(other, &good);
    } else {
        good = in_thread(argv[1]);
    }
    if (good)
        printf("as it should\n");
    return 7;
}
C
system("gcc -g -O1 -w -pthread -o '$work/waits' '$work/waits.c'") == 0 or die "cannot compile\n";

my @running;
END { kill 'KILL', @running if @running }

# Start waits and read what it says first: (pid, its output).
sub start {
    my ($name, $options, @args) = @_;
    pipe(my $from, my $to) or die "pipe: $!";
    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        delete $ENV{VALGRIND_OPTS};
        open STDOUT, '>&', $to or POSIX::_exit(126);
        open STDERR, '>', "$work/$name.log" or POSIX::_exit(126);
        chdir $work;
        { exec { $gimle } $gimle, @$options, "$work/waits", @args }
        POSIX::_exit(127);
    }
    close $to;
    push @running, $pid;
    my $line = <$from>;
    return ($pid, $from, $line // '');
}

# What a command prints, and its exit status.
sub ask {
    my ($name, $pid, @command) = @_;
    my $r = Run::run(cmd => [$gimle, 'monitor', "--pid=$pid", @command], base => "$work/$name.asked");
    return ($r->{out}, $r->{status}, $r->{err});
}

# SIGUSR1 until it has ended, since it may not wait yet; what it said last, and its status.
sub finish {
    my ($pid, $from) = @_;
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        kill 'USR1', $pid;
        Time::HiRes::sleep(0.02);
    }
    my $status = $? >> 8;
    @running = grep { $_ != $pid } @running;
    return (scalar(<$from>) // '', $status);
}

my @tests;
for my $how (qw(computes read nanosleep clock_nanosleep poll poll_forever ppoll select pselect epoll_wait futex
                sigtimedwait pause sigsuspend)) {
    for my $thread (0, 1) {
        my $name = $how . ($thread ? '_thread' : '');
        push @tests, [$name, sub {
            my ($pid, $from, $ready) = start($name, ['-q', '--tool=memcheck'], $how, $thread ? 'thread' : ());
            my @bad = $ready eq "ready\n" ? () : "did not start: $ready";
            for (1 .. 2) {
                my ($out, $status) = ask($name, $pid, 'leak_check', 'full', 'reachable', 'any');
                push @bad, "status $status: $out" if $status != 0
                    || $out !~ /99 bytes in 1 blocks are definitely lost/
                    || $out !~ /20 bytes in 1 blocks are still reachable/;
            }
            my ($said, $status) = finish($pid, $from);
            push @bad, "ends with $status, says: $said" if $status != 7 || $said ne "as it should\n";
            push @bad, Run::slurp("$work/$name.log") if -s "$work/$name.log";
            return (!@bad, @bad);
        }];
    }
}

# command => what the answer must match
my @commands = (
    ['v.info all_errors', qr/ERROR SUMMARY: 0 errors from 0 contexts \(suppressed: 0 from 0\)$/m],
    ['v.info scheduler', qr/^Thread 1: status = VgTs_WaitSys syscall \d+ \(lwpid \d+\)\n(?:==\d+== .*\n)+==\d+==    by \S+: main \(waits.c:\d+\)$/m],
    ['v.info open_fds', qr/FILE DESCRIPTORS: \d+ open \(3 std\) \.$/m],
    ['v.info stats', qr/^--\d+-- translations: \d+ blocks/m],
    ['v.info n_errs_found here', qr/^n_errs_found \d+ n_errs_shown \d+ \(vgdb-error 999999999\) here$/m],
    ['v.set vgdb-error 5', qr/^vgdb-error value changed from 999999999 to 5$/m],
    ['help', qr/leak_check/],
    ['nonsense', qr/^command 'nonsense' not recognised$/m],
);
push @tests, ['commands', sub {
    my ($pid, $from) = start('commands', ['-q', '--track-fds=yes'], 'read');
    my @bad;
    for (@commands) {
        my ($out, $status, $err) = ask('commands', $pid, split ' ', $_->[0]);
        push @bad, "$_->[0]: status $status: $out" if $status || $out !~ $_->[1];
        push @bad, "stderr: $err" if $err ne "sending command $_->[0] to pid $pid\n";
    }
    my ($out) = ask('commands', $pid, '-c', 'v.info', 'last_error', '-c', 'v.wait');
    push @bad, "several: $out" if $out !~ /No errors yet\n.*continuing after wait/s;
    my ($said) = finish($pid, $from);
    return (!@bad, @bad);
}];
push @tests, ['the log instead', sub {
    my ($pid, $from) = start('log', ['-q'], 'read');
    my ($set) = ask('log', $pid, 'v.set', 'mixed_output');
    my ($mixed) = ask('log', $pid, 'v.info', 'all_errors');
    my ($plain) = ask('log', $pid, 'v.info', 'n_errs_found');
    ask('log', $pid, 'v.set', 'log_output');
    my ($none) = ask('log', $pid, 'v.info', 'n_errs_found');
    finish($pid, $from);
    my $log = Run::slurp("$work/log.log");
    my $good = $mixed eq '' && $plain =~ /n_errs_found/ && $none eq ''
        && $log =~ /ERROR SUMMARY.*n_errs_found/s && $log =~ s/n_errs_found//g == 1;
    return $good ? (1) : (0, "set: $set", "mixed: $mixed", "plain: $plain", "none: $none", $log);
}];
push @tests, ['turned off', sub {
    my ($pid, $from) = start('off', ['-q', '--vgdb=no'], 'read');
    my ($out) = ask('off', $pid, 'v.info', 'last_error');
    finish($pid, $from);
    return $out =~ /--vgdb=no: no commands/ ? (1) : (0, $out);
}];
push @tests, ['v.kill', sub {
    my ($pid, $from) = start('kill', ['-q'], 'read');
    my ($out, $status) = ask('kill', $pid, 'v.kill');
    kill 'TERM', $pid if $status != 0;
    waitpid $pid, 0;
    my $ended = $?;
    my $good = $status == 0 && $ended == 9 && $out =~ /^==$pid== monitor command request to kill this process$/;
    return $good ? (1) : (0, "asked: $status", "it: $ended", $out);
}];
push @tests, ['as vgdb', sub {
    my ($pid, $from) = start('vgdb', ['-q'], 'read');
    my $r = Run::run(cmd => ["$work/vgdb", '--max-invoke-ms=100', "--pid=$pid", 'v.info', 'last_error'], base => "$work/vgdb.asked");
    my $l = Run::run(cmd => ["$work/vgdb", '-l'], base => "$work/vgdb.list");
    finish($pid, $from);
    my $good = $r->{status} == 0 && $r->{out} =~ /No errors yet/ && $l->{out} =~ /^use --pid=$pid for .*waits read $/m;
    return $good ? (1) : (0, $r->{out}, $r->{err}, $l->{out});
}];
for (['a process that is not ours', "--pid=$$ help", qr/no process $$ under Gimle/],
     ['wrong option', '--foo', qr/unknown or malformed option --foo/],
     ['no command', '--pid=1', qr/no command/]) {
    my ($name, $args, $pattern) = @$_;
    push @tests, [$name, sub {
        my $r = Run::run(cmd => [$gimle, 'monitor', split ' ', $args], base => "$work/" . $name =~ s/\W/-/gr);
        return $r->{status} == 1 && $r->{err} =~ $pattern ? (1) : (0, Run::how_it_ended($r), $r->{err});
    }];
}
exit(Run::tap_parallel(@tests) ? 1 : 0);
