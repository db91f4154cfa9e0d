# SPDX-License-Identifier: MIT
# Running commands for the tests: with a time limit, output caught, in parallel, results as TAP.
package Run;
use strict;
use warnings;
use POSIX ();
use Time::HiRes ();

our %verdict; # of each test that tap_parallel() ran, by name: ok, SKIP or something else
our $jobs = $ENV{GIMLE_TEST_JOBS} || cpus();

# Whoever runs the tests may ignore or block signals (a shell's background jobs ignore INT and QUIT).
$SIG{$_} = 'DEFAULT' for qw(HUP INT QUIT PIPE TERM USR1 USR2 CHLD);
POSIX::sigprocmask(POSIX::SIG_SETMASK(), POSIX::SigSet->new);

sub cpus {
    my $n = 0;
    if (open my $f, '<', '/proc/cpuinfo') {
        while (<$f>) { $n++ if /^processor/ }
    }
    return $n || 1;
}

sub slurp {
    my ($path) = @_;
    open my $f, '<:raw', $path or return '';
    local $/;
    my $text = <$f>;
    return $text // '';
}

sub spew {
    my ($path, $text) = @_;
    open my $f, '>:raw', $path or die "$path: $!";
    print $f $text;
    close $f;
}

# Is a program on the PATH?  A name with '/' must exist.
sub have {
    my ($name) = @_;
    return -e $name if $name =~ m,/,;
    return scalar grep { -x "$_/$name" && !-d _ } split /:/, $ENV{PATH};
}

# run(cmd => [..] or 'shell text', dir, env => {}, timeout, stdin, base): output to base.out and
# base.err.  Returns { status, signal, timeout, out, err, seconds }.
sub run {
    my (%a) = @_;
    my $timeout = $a{timeout} || 60;
    my $start = Time::HiRes::time();
    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        POSIX::setpgid(0, 0);
        open STDIN, '<', $a{stdin} // '/dev/null' or POSIX::_exit(126);
        open STDOUT, '>', "$a{base}.out" or POSIX::_exit(126);
        open STDERR, '>', "$a{base}.err" or POSIX::_exit(126);
        chdir $a{dir} if $a{dir};
        POSIX::close($_) for 3 .. 30;    # the program starts with three descriptors
        my $env = $a{env} || {};
        for (keys %$env) {
            if (defined $env->{$_}) { $ENV{$_} = $env->{$_} } else { delete $ENV{$_} }
        }
        ref $a{cmd} ? exec { $a{cmd}[0] } @{ $a{cmd} } : exec '/bin/sh', '-c', $a{cmd};
        POSIX::_exit(127);
    }
    my $timed_out = 0;
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        if (Time::HiRes::time() - $start > $timeout) {
            $timed_out = 1;
            kill 'KILL', -$pid;
            waitpid $pid, 0;
            last;
        }
        Time::HiRes::sleep(0.005);
    }
    my $status = $?;
    kill 'KILL', -$pid; # children that it left behind, in its own process group
    return {
        status => $status >> 8, signal => $status & 127, timeout => $timed_out,
        out => slurp("$a{base}.out"), err => slurp("$a{base}.err"),
        seconds => Time::HiRes::time() - $start,
    };
}

sub how_it_ended {
    my ($r) = @_;
    return 'timeout' if $r->{timeout};
    return "signal $r->{signal}" if $r->{signal};
    return "status $r->{status}";
}

# tap_parallel([name, sub], ...): each sub runs in a process of its own and returns
# (ok, diagnostics); ok may be 'SKIP'.  Prints TAP, returns the number of failures.
sub tap_parallel {
    my (@tests) = @_;
    $| = 1;
    printf "1..%d\n", scalar @tests;
    my (%running, $number, $failed);
    ($number, $failed) = (0, 0);
    my $reap = sub {
        my $pid = waitpid -1, 0;
        my $t = delete $running{$pid} or return;
        my $reader = $t->{reader};
        seek $reader, 0, 0;    # the child moved the position that we share
        local $/;
        my $said = <$reader> // '';
        $number++;
        my ($verdict, $rest) = split /\n/, $said, 2;
        $verdict //= 'died';
        $verdict{ $t->{name} } = $verdict;
        if ($verdict eq 'ok') {
            print "ok $number - $t->{name}\n";
        } elsif ($verdict eq 'SKIP') {
            $rest =~ s/\s+/ /g;
            print "ok $number - $t->{name} # SKIP $rest\n";
            return;
        } else {
            $failed++;
            print "not ok $number - $t->{name}\n";
        }
        print map { "#   $_\n" } split /\n/, $rest // '';
    };
    for my $test (@tests) {
        $reap->() while keys %running >= $jobs;
        # a temporary file and not a pipe: a talkative test must not wait for its reader
        open my $reader, '+>', undef or die "temporary file: $!";
        my $pid = fork() // die "fork: $!";
        if ($pid == 0) {
            my ($ok, @text) = eval { $test->[1]->() };
            ($ok, @text) = (0, "harness: $@") if $@;
            $ok = $ok ? 'ok' : 'failed' if ($ok // '') ne 'SKIP';
            syswrite $reader, join("\n", $ok, @text) . "\n";
            POSIX::_exit(0);
        }
        $running{$pid} = { name => $test->[0], reader => $reader };
    }
    $reap->() while %running;
    return $failed;
}

1;
