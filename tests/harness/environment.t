#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Bad surroundings: small and unlimited stacks, closed descriptors, full and read-only file systems, no /proc,
# core files; and what is printed when Gimle itself fails.
#   environment.t [PATTERN]
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use Run;

my $build = Cwd::abs_path($ENV{builddir} || '.');
my $gimle = $ENV{GIMLE_CHECKER} || "$build/gimle";
my $pattern = $ARGV[0] // '';
my $work = "$build/tests/environment-work";
File::Path::remove_tree($work);
File::Path::make_path("$work/home", "$work/mnt");

my %source = (
    hello => 'int main(void) { puts("hello"); return 3; }',
    crash => 'static int global = 77; static void inner(int *p) { *p = global; }'
        . 'int main(int n, char **v) { global = 78; if (n > 1) abort(); inner(0); return 0; }',
    leave => '__attribute__((noinline)) void inner(void) { _exit(3); } int main(void) { inner(); return 0; }',
    error => 'int main(void) { char *p = malloc(10); puts("hello"); return p[10] == 77; }',
    deep => 'static int f(int n) { volatile char a[512]; a[0] = n; return n ? f(n - 1) + a[0] * 0 : 3; }'
        . 'int main(void) { return f(15); }',
    # its own first file gets descriptor 2, where no report may go
    second => 'int main(void) { int fd = open("second.out", O_RDWR | O_CREAT | O_TRUNC, 0600); char *p = malloc(10);'
        . 'write(fd, "own\n", 4); if (p[10] == 77) puts("?"); printf("%d\n", fd); return 0; }',
    sandbox => '#include <sys/resource.h>' . "\n" . 'int main(void) { struct rlimit none = { 0, 0 };'
        . 'setrlimit(RLIMIT_FSIZE, &none); setrlimit(RLIMIT_NOFILE, &none); char *p = malloc(10); return p[10] == 77; }',
    threads => '#include <pthread.h>' . "\n" . 'static int ready[2]; static void *wait_here(void *p)'
        . '{ write(ready[1], "x", 1); for (;;) pause(); } int main(void) { pthread_t t; char c[2]; pipe(ready);'
        . 'pthread_create(&t, 0, wait_here, 0); read(ready[0], c, 1); raise(SIGQUIT); return 0; }',
);
for (sort keys %source) {
    Run::spew("$work/$_.c", "#include <fcntl.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
        . "#include <unistd.h>\n$source{$_}\n");
    system('gcc', '-g', '-O0', '-w', '-pthread', '-o', "$work/$_", "$work/$_.c") == 0 or die 'no compiler';
}

my @tests;
# row(name, shell text, checks): status or signal, out => whole stdout or qr, err => qr, not_err => qr;
# files => { name => qr or text }; GIMLE is the program under test
sub row {
    my ($name, $command, %a) = @_;
    return if $pattern ne '' && $name !~ /$pattern/;
    push @tests, [$name, sub {
        my $skip = $a{unless} ? $a{unless}->() : undef;
        return ('SKIP', $skip) if $skip;
        my $base = "$work/" . $name =~ s/\W+/-/gr;
        File::Path::make_path("$base.dir");
        my $r = Run::run(cmd => $command =~ s/GIMLE/$gimle/gr =~ s,MOUNT,$work/mnt,gr, base => $base, dir => "$base.dir",
            env => { HOME => "$work/home", VALGRIND_OPTS => undef, GIMLE_OPTS => undef, DIR => $work });
        my @bad;
        my ($status, $signal) = ($a{status} // 0, $a{signal} // 0);
        push @bad, 'ends with ' . Run::how_it_ended($r) . ", wanted $status, signal $signal"
            if $r->{signal} != $signal || $r->{status} != $status;
        push @bad, "stdout: $r->{out}" if defined $a{out} && (ref $a{out} ? $r->{out} !~ $a{out} : $r->{out} ne $a{out});
        push @bad, "stderr: $r->{err}" if $a{err} && $r->{err} !~ $a{err};
        push @bad, "stderr has: $&" if $a{not_err} && $r->{err} =~ $a{not_err};
        push @bad, 'the core failed' if !$a{fails} && $r->{err} =~ /bug of Gimle/;
        push @bad, $a{after}->("$base.dir", $r) if $a{after};
        push @bad, "stderr: $r->{err}" if @bad && !$a{err};
        return (!@bad, @bad);
    }];
}

sub not_root { return $> == 0 ? undef : 'not root' }
sub no_mounts {
    return 'not root' if $> != 0;
    return system("unshare -m mount -t tmpfs none '$work/mnt' 2>/dev/null") == 0 ? undef : 'no mount namespaces here';
}

# ---- limits

sub no_hard_limit { return `sh -c 'ulimit -Hs'` =~ /unlimited/ ? undef : 'the hard limit of the stack is low' }
# The kernel puts the environment and up to 8 KiB of nothing onto the stack: of 16 KiB little is left.
my $stack16 = 'exec env -i PATH="$PATH" HOME="$HOME" sh -c "ulimit -Ss 16; exec GIMLE';
row('tiny soft limit of the stack', $stack16 . ' -q $DIR/hello"', status => 3, out => "hello\n");
row('a stack of 16 KiB is as large natively', $stack16 . ' -q --tool=none $DIR/deep"', status => 3);
row('tiny hard limit of the stack', 'ulimit -s 128; exec GIMLE -q $DIR/hello', status => 1, out => '',
    err => qr/\Agimle: the hard limit of the stack[^\n]*\n\z/);
row('unlimited stack', 'ulimit -s unlimited; exec GIMLE -q $DIR/hello', status => 3, out => "hello\n", err => qr/\A\z/,
    unless => \&no_hard_limit);
row('little address space', 'ulimit -v 4000000; exec GIMLE -q $DIR/hello', status => 1, out => '',
    err => qr/\Agimle: [^\n]*\n\z/);
row('files may not grow', "GIMLE -q \$DIR/hello | cat; (ulimit -f 0; GIMLE -q --tool=massif \$DIR/hello | cat; "
    . 'GIMLE --log-file=x.log $DIR/hello | cat) 2>&1 | cat', status => 0,
    out => qr/\A(?:hello\n|==\d+== error: cannot write output file [^\n]*\n|gimle: cannot write '[^']*x.log'[^\n]*\n){5}\z/);

# ---- descriptors

for (['0<&-', 3, "hello\n"], ['2>&-', 3, "hello\n"], ['0<&- 2>&-', 3, "hello\n"], ['1>&-', 3, ''],
    ['0<&- 1>&- 2>&-', 3, '']) {
    my ($closed, $status, $out) = @$_;
    row("closed descriptors $closed", "exec GIMLE \$DIR/hello $closed", status => $status, out => $out);
    row("closed descriptors $closed, none", "exec GIMLE --tool=none \$DIR/hello $closed", status => $status, out => $out);
}
row('no report in the program\'s own descriptor 2', 'GIMLE $DIR/second 2>&-; cat second.out', out => "2\nown\n");

# ---- file systems

row('log of a program that forbids itself to write files', 'GIMLE -q --log-file=x.log $DIR/sandbox; cat x.log',
    out => qr/Invalid read of size 1/, err => qr/\A\z/);
row('full log', 'exec GIMLE --log-file=/dev/full $DIR/error', out => "hello\n",
    err => qr,\Agimle: cannot write '/dev/full' \(--log-file\): No space left on device\n\z,);
row('full XML', 'exec GIMLE -q --xml=yes --xml-file=/dev/full $DIR/error', out => "hello\n",
    err => qr,^gimle: cannot write '/dev/full' \(--xml-file\): No space left on device$,m);
row('full stderr', 'exec GIMLE $DIR/error 2>/dev/full', out => "hello\n");
for my $tool ('massif', 'cachegrind') {
    row("full output of $tool", "exec GIMLE -q --tool=$tool --$tool-out-file=/dev/full \$DIR/hello", status => 3,
        out => "hello\n", err => qr,\A==\d+== error: cannot write output file '/dev/full': No space left on device\n\z,);
}
my $full = 'exec unshare -m sh -c \'mount -t tmpfs -o size=64k none MOUNT && cd MOUNT && '
    . 'dd if=/dev/zero of=fill bs=1k 2>/dev/null; ';
row('full disk for the store', $full . 'GIMLE -q --cache-dir=MOUNT/store $DIR/hello; exec GIMLE -q --cache-dir=MOUNT/store '
    . '$DIR/hello\'', status => 3, out => "hello\nhello\n", unless => \&no_mounts);
row('full disk for the log', $full . 'exec GIMLE --log-file=log $DIR/error\'', out => "hello\n", unless => \&no_mounts,
    err => qr/\Agimle: cannot write '[^']*log' \(--log-file\): No space left on device\n\z/);
row('read-only disk', 'exec unshare -m sh -c \'mount -t tmpfs -o ro none MOUNT && cd MOUNT && '
    . 'GIMLE -q --tool=massif $DIR/hello; HOME=MOUNT GIMLE -q $DIR/hello; '
    . 'exec GIMLE --log-file=log $DIR/hello\'', status => 1, out => "hello\n" x 2, unless => \&no_mounts,
    err => qr/^gimle: Cannot create log file '[^']*log': Read-only file system\n\z/m);

# ---- no /proc

my $no_proc = 'exec unshare -m sh -c \'umount -l /proc && exec';
sub no_umount {
    return no_mounts() // (system('unshare -m umount -l /proc 2>/dev/null') == 0 ? undef : '/proc stays');
}
row('no /proc', "$no_proc GIMLE -q \$DIR/hello'", status => 3, out => "hello\n", err => qr/\A\z/, unless => \&no_umount);
row('no /proc, and an error', "$no_proc GIMLE -q \$DIR/error'", out => "hello\n", unless => \&no_umount,
    err => qr/Invalid read of size 1\n[^\n]*main \(error.c:6\).* is 0 bytes after a block of size 10 alloc'd\n.*malloc/s);
row('no /proc, none', "$no_proc GIMLE -q --tool=none \$DIR/hello'", status => 3, out => "hello\n", unless => \&no_umount);

# ---- core files

sub no_cores { return `sh -c 'ulimit -c unlimited; ulimit -c'` =~ /unlimited/ ? undef : 'core files are forbidden' }

# What gdb says of the one file that matches in the directory.
sub core_says {
    my ($dir, $glob, $program, @commands) = @_;
    my @files = glob "$dir/$glob";
    return (undef, "files $glob: @files") if @files != 1;
    my $head = substr Run::slurp($files[0]), 0, 18;
    return (undef, 'no core file') unless $head =~ /\A\x7fELF.{12}\x04\0/s;
    return ('', '') unless Run::have('gdb');
    my $said = `gdb -nx -batch @{[ map { "-ex '$_'" } @commands ]} '$work/$program' '$files[0]' 2>&1`;
    return ($said, '');
}
my @ask = ('bt', 'p global');
my $crash_trace = qr/#0 .*\binner \(p=0x0\).*#1 .*\bmain \(.*^\$1 = 78$/ms;
my $dies = qr/Process terminating with default action of signal 11 \(SIGSEGV\): dumping core\n/;
for my $tool ('none', 'memcheck') {
    row("core file, $tool", "ulimit -c unlimited; exec GIMLE -q --tool=$tool \$DIR/crash", signal => 11, err => $dies,
        unless => \&no_cores, after => sub {
            my ($said, $error) = core_says($_[0], 'vgcore.[0-9]*', 'crash', @ask);
            return $error || ($said eq '' || $said =~ $crash_trace ? () : $said);
        });
}
row('core file beside the log', 'ulimit -c unlimited; exec GIMLE -q --log-file=my.log $DIR/crash', signal => 11,
    unless => \&no_cores, after => sub { (core_says($_[0], 'my.log.core.[0-9]*', 'crash', @ask))[1] || () });
row('core file of all threads', 'ulimit -c unlimited; exec GIMLE -q $DIR/threads', signal => 3, unless => \&no_cores,
    after => sub {
        my ($said, $error) = core_says($_[0], 'vgcore.[0-9]*', 'threads', 'thread apply all bt');
        return $error || ($said eq '' || $said =~ /\bwait_here \(/ && $said =~ /\bmain \(/ ? () : $said);
    });
row('core file cut at the limit', 'ulimit -c 16; exec GIMLE -q $DIR/crash', signal => 11, unless => \&no_cores,
    after => sub {
        my ($file) = glob "$_[0]/vgcore.*";
        return defined $file && -s $file > 0 && -s $file <= 16 * 1024 ? () : 'size ' . ($file ? -s $file : 'none');
    });
row('no core file unless wanted', 'ulimit -c 0; exec GIMLE -q $DIR/crash', signal => 11,
    err => qr/signal 11 \(SIGSEGV\)\n/, after => sub { (map { "has $_" } glob "$_[0]/*core*") });
row('no core file of a signal that makes none', 'ulimit -c unlimited; exec GIMLE -q --tool=none sh -c "kill -TERM \\$\\$"',
    signal => 15, after => sub { (map { "has $_" } glob "$_[0]/*core*") });

# ---- failures of Gimle itself

for (['segv', qr/the core itself got signal 11 \(SEGV\)/], ['abort', qr/the core itself got signal 6 \(ABRT\)/],
    ['check', qr/internal error at .*fatal\.c:\d+ \(fatal_crash\)/]) {
    my ($how, $what) = @$_;
    for my $tool ('none', 'memcheck') {
        row("failure by $how, $tool", "exec GIMLE -q --tool=$tool --debug-crash=$how \$DIR/leave", status => 134, fails => 1,
            err => qr/\A\ngimle:\ $what.*\n
                gimle:\ backtrace\ of\ the\ core:\n(?:.*\n)*.*\(process_run_thread\+.*\n(?:.*\n)*
                gimle:\ version\ \d.*,\ tool\ $tool,\ pid\ \d+,\ kernel\ .*\n
                gimle:\ options:\ -q\ --tool=$tool\ --debug-crash=$how\n
                gimle:\ guest\ thread\ 1\ of\ 1,.*\ in\ system\ call\ 231\n
                (?:gimle:(?:\ r..?\ *[0-9a-f]{16}){4}\n){4}
                gimle:\ backtrace\ of\ the\ guest:\n
                gimle:\ \ \ \ at\ .*\n(?:gimle:\ \ \ \ by\ .*\n)*
                gimle:\ \ \ \ by\ .*:\ inner\ .*\n
                gimle:\ \ \ \ by\ .*:\ main\ .*\n(?:gimle:\ \ \ \ by\ .*\n)*
                gimle:\ This\ is\ a\ bug\ of\ Gimle\..*\n
                gimle:\ .*\n\z/x);
    }
}
row('the program\'s own abort', 'exec GIMLE -q --tool=none $DIR/crash x', signal => 6, not_err => qr/core itself/);

exit(Run::tap_parallel(@tests) ? 1 : 0);
