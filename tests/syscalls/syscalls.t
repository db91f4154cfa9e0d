#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The table of system calls against the kernel: probe makes each call in several right and wrong
# ways, natively and under --tool=none, and must say the same.
#
#   syscalls.t [--long] [NAME...]
#
# --long: more wrong ways, and memcheck's reports and what it calls defined beside Valgrind's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../harness";
use Cwd ();
use File::Path ();
use Run;

my $long = grep { $_ eq '--long' } @ARGV;
my @names = grep { !/^--/ } @ARGV;
my $source = Cwd::abs_path("$FindBin::Bin/../..");
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "/tmp/gimle-syscalls-$$"; # of an ordinary user, who may not enter the build directory
my $probe = "$work/probe";
my @user = $> == 0 && Run::have('setpriv') ? qw(setpriv --reuid=65534 --regid=65534 --clear-groups) : ();
File::Path::make_path($work);
chmod 0777, $work;
END { File::Path::remove_tree($work) if $work && -d $work }

# What differs on purpose.
my %may_differ = (
    'mmap/fixed I0' => 'of two errors another one', 'mmap/noreplace I0' => 'as above',
    'mmap/unaligned I0' => 'as above',
);

# What is refused whatever the kernel would say (docs/CAVEATS.md), with the answer.
my %refused = map { ("$_ G" => 'ENOSYS') } qw(rseq modify_ldt uprobe uretprobe);

# What Valgrind 3.19 does otherwise: case and mode, or all modes of a case.
my %valgrind_differs = map { $_ => 1 } qw(
    fcntl/F_GET_RW_HINT fcntl/unknown bpf/map sched_getattr _sysctl prctl/PR_GET_TID_ADDRESS
    prctl/PR_GET_CHILD_SUBREAPER io_uring_setup io_uring_enter/mask io_uring_register/probe
    io_uring_register/buffers io_uring_register/eventfd clone3 clone3/short quotactl semctl/IPC_SET
    name_to_handle_at open_by_handle_at execveat/missing process_vm_readv sendmmsg recvmmsg
    ioctl/SIOCATMARK accept accept4 recvfrom getsockname getpeername getsockopt getsockopt/linger
    getsockopt/tcp_info mount mmap/noreplace mremap/keep mremap/hole ioctl/UFFDIO_API msgctl/IPC_STAT
    io_submit/bad rt_sigaction/bad_size capget capset sched_getaffinity process_vm_writev sendfile
    sched_setattr epoll_ctl/del lookup_dcookie
);

sub build_probe {
    my @sources = map { "$FindBin::Bin/$_.c" } qw(cases probe makers);
    my $cc = $ENV{PROG_CC} || 'gcc';
    my $r = Run::run(cmd => "$cc -std=gnu11 -O1 -g -w -I$source -I$source/include "
            . "-o $probe @sources", base => "$work/compile");
    return $r->{err};
}

sub probe_run {
    my ($name, $command, @options) = @_;
    my $dir = "$work/" . ($name =~ s/.*-//r); # the same for both: getcwd() tells
    File::Path::remove_tree($dir);
    File::Path::make_path($dir);
    chmod 0777, $dir;
    my @as = grep({ $_ eq '--root' } @options) ? () : @user;
    return Run::run(cmd => [@as, @$command, $probe, @options, @names], dir => $dir,
        base => "$work/$name", timeout => 1500);
}

# What a run said: case and mode => result.
sub results { return map { /^(.*): (.*)/ ? ($1 => $2) : () } split /\n/, $_[0]{out} }

# Some answers depend on the moment (what is left of a timeout): where ours differs from one native run,
# one of two more may have had the same.
# Gimle where the user that the probe runs as can execute it: it may have been built in a place that
# only we can enter.
sub installed {
    return "$build/gimle" if !@user || system(@user, 'test', '-x', "$build/gimle") == 0;
    File::Path::make_path("$work/bin");
    system('cp', map({ "$build/$_" } qw(gimle gimle-core-amd64 none.so default.supp)), "$work/bin") == 0
        or die "cannot copy gimle";
    return "$work/bin/gimle";
}

sub differential {
    my ($modes, $what, @options) = @_;
    my $natively = sub { probe_run("native-$what", [], "--modes=$modes", @options) };
    my $native = $natively->();
    my $ours = probe_run("none-$what", [installed(), '-q', '--tool=none'], "--modes=$modes",
        @options);
    my (%want, %here) = ();
    %want = results($native);
    %here = results($ours);
    return (0, 'nothing was run natively', $native->{err}) unless %want || @names;
    $want{$_} &&= $refused{$_} for keys %refused;
    my @differ = grep { ($here{$_} // '') ne ($want{$_} // '') && !$may_differ{$_} }
        sort keys %{ { %want, %here } };
    for (1 .. 2) {
        last unless @differ;
        my %again = results($natively->());
        $again{$_} &&= $refused{$_} for keys %refused;
        @differ = grep { ($here{$_} // '') ne ($again{$_} // '') } @differ;
    }
    my @bad = map { "$_: natively " . ($want{$_} // 'not run') . ', here ' . ($here{$_} // 'not run') } @differ;
    my $said = $ours->{err} =~ s/^(?!.*gimle:).*\n//mgr;
    push @bad, $said if $said ne '';
    return (!@bad, @bad);
}

# The reports of each case and mode, and what is defined afterwards.
sub reports {
    my ($name, $checker) = @_;
    my $r = probe_run($name, [$checker, '-q', '--leak-check=no'], '--modes=UMXND');
    my (%said, %at);
    for (split /\n/, $r->{err}) {
        next unless /^(?:==|--|\*\*)(\d+)(?:==|--|\*\*) ?(.*)/;
        my ($pid, $text) = ($1, $2);
        if ($text =~ /^CASE (.*)/) {
            $at{$pid} = $1 =~ s/ (?=.* \w$)/_/gr;
            $said{ $at{$pid} } //= {};
        } elsif ($text =~ /^DONE/) {
            delete $at{$pid};
        } elsif ($at{$pid} && $text =~ /^Syscall param|unhandled/) {
            $said{ $at{$pid} }{$text} = 1;
        }
    }
    for (split /\n/, $r->{out}) {
        my ($at, $defined) = /^(.* D): ok(.*)/ or next;
        $said{ $at =~ s/ (?=.* \w$)/_/gr }{"defined: $defined"} = 1;
    }
    return \%said;
}

sub beside_valgrind {
    my $theirs = reports('valgrind', 'valgrind');
    my $ours = reports('memcheck', "$build/gimle");
    my ($same, @bad) = (0);
    my %unknown = map { /^(\S+)/ ? ($1 => 1) : () }
        grep { grep { /unhandled|noted but/ } keys %{ $theirs->{$_} } } keys %$theirs;
    for my $at (sort keys %$theirs) {
        my ($case, $mode) = $at =~ /^(\S+) (\w)$/ or next;
        next if $unknown{$case} || $valgrind_differs{$case} || $mode eq 'N';
        my $want = join '; ', sort keys %{ $theirs->{$at} };
        my $got = join '; ', sort keys %{ $ours->{$at} || {} };
        $want eq $got ? $same++ : push @bad, "$at", "  Valgrind: $want", "  here: $got";
    }
    return (!@bad, "$same cases and modes have Valgrind's reports", @bad);
}

# Every row of the table has a case; those marked t are only counted out.
sub coverage {
    my ($rows, %has) = (0);
    for my $file (glob "$FindBin::Bin/cases_*.def") {
        $has{$_} = 1 for Run::slurp($file) =~ /^CASE\((\w+), "[^"]*", "(?![^"]*t)/mg;
    }
    my $table = Run::slurp("$source/coregrind/syscall/syscalls.def");
    my @without;
    while ($table =~ /^SYS\(\d+, (\w+)/mg) {
        $rows++;
        push @without, $1 unless $has{$1};
    }
    my $tested = $rows - @without;
    return ($tested * 100 >= $rows * 95, "syscall rows $rows, with a test $tested",
        "without: @without");
}

my $error = build_probe();
if ($error) {
    print "Bail out! $error\n";
    exit 1;
}
my $modes = $long ? 'GXNFIP' : 'GXNF';
my @tests = (['coverage', \&coverage],
    ['as natively', sub { differential($modes, 'user') }],
    ['as natively, by root', sub { $> == 0 ? differential($modes, 'root', '--root') : ('SKIP', 'not root') }]);
push @tests, ['reports', sub { Run::have('valgrind') ? beside_valgrind() : ('SKIP', 'no valgrind') }] if $long;
exit(Run::tap_parallel(@tests) ? 1 : 0);
