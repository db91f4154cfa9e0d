#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Translations kept on disk (--cache-dir): the second run uses them, and nothing that happens to the
# files or to the program may change what a run does.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use Run;

my $build = Cwd::abs_path($ENV{builddir} || '.');
my $work = "$build/tests/store-work";
my $gimle = "$build/gimle";
my $cc = $ENV{PROG_CC} || 'gcc';
File::Path::remove_tree($work);
File::Path::make_path($work);

sub compile {
    my ($to, $code) = @_;
    Run::spew("$to.c", $code);
    system($cc, '-w', '-g', '-O1', '-o', "$to.tmp", "$to.c", '-lpthread') == 0 or die 'no compiler';
    rename "$to.tmp", $to or die;
}

my $program = <<'C';
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static int compare(const void *a, const void *b) { return *(int *)a - *(int *)b; }
static void *work(void *p)
{
    int *v = malloc(1000 * sizeof *v);
    for (int i = 0; i < 1000; i++)
        v[i] = (i * 7919 + (int)(long)p) % 1000;
    qsort(v, 1000, sizeof *v, compare);
    long sum = 0;
    for (int i = 0; i < 1000; i++)
        sum = sum * 31 + v[i];
    free(v);
    return (void *)(sum & 0xffff);
}
int main(int argc, char **argv)
{
    pthread_t t[4];
    for (long i = 0; i < 4; i++)
        pthread_create(&t[i], 0, work, (void *)i);
    for (int i = 0; i < 4; i++) {
        void *r;
        pthread_join(t[i], &r);
        printf("%ld %.3f\n", (long)r, (double)(long)r / 3);
    }
    fflush(stdout);
    if (fork() == 0) {
        printf("child %s\n", strrchr("a/b", '/'));
        exit(0);
    }
    wait(0);
    char *p = malloc(10);
    if (argc > 5 && p[3])
        puts("?");
    if (p[FIELD] == 1)
        puts("one");
    p[10] = VALUE;
    printf("%d\n", VALUE);
    return 7;
}
C
sub variant { my ($field, $value) = @_; return $program =~ s/FIELD/$field/r =~ s/VALUE/$value/gr }

my $n = 0; # runs of this process
# One run; what it printed, with process numbers and addresses of the run taken out.
sub outcome {
    my ($dir, @cmd) = @_;
    my $r = Run::run(cmd => [$gimle, "--cache-dir=$dir", '--stats=yes', @cmd], base => "$work/run$$-" . $n++);
    my ($kept) = $r->{err} =~ /translations: (\d+) from files/;
    my ($made) = $r->{err} =~ /translations: (\d+) blocks/;
    my $text = $r->{err} =~ s/^--\d+--.*\n//mgr =~ s/^==\d+==/==/mgr;
    return { status => $r->{status}, signal => $r->{signal}, out => $r->{out}, err => $text,
             kept => $kept // 0, made => $made // 0 };
}

sub differs {
    my ($a, $b) = @_;
    return map { "$_ (" . first_difference($a->{$_}, $b->{$_}) . ')' }
           grep { $a->{$_} ne $b->{$_} } qw(status signal out err);
}

# The first line that two texts do not share, of each of them.
sub first_difference {
    my @lines = map { [split /\n/] } @_;
    my $k = 0;
    $k++ while $k < @{$lines[0]} && $k < @{$lines[1]} && $lines[0][$k] eq $lines[1][$k];
    return join ' / ', map { $_->[$k] // 'ends' } @lines;
}

# The same program, which then learns that condition codes live across a call (codes_behind_call.c).
sub codes_variant {
    return variant(1, 5) =~ s/^int main.*\n\{/<<'C'/emr;
int is_above(long n);
__asm__(".text\n"
        "clear: lea 16(%rdi), %rdi\n"
        "  ret\n"
        ".globl is_above\n"
        "is_above: mov $1, %eax\n"
        "  cmp $32, %rdi\n"
        "  call clear\n"
        "  ja 1f\n"
        "  mov $0, %eax\n"
        "1: ret\n");
int main(int argc, char **argv)
{
    printf("%d %d\n", is_above(32), is_above(33));
C
}

my @tests;
for my $tool ('none', 'memcheck') {
    my $exe = "$work/p-$tool";
    push @tests, ["$tool: the second run uses what the first one kept", sub {
        my $dir = "$work/again-$tool";
        compile($exe, variant(1, 5));
        my $without = outcome('no', "--tool=$tool", $exe);
        my $first = outcome($dir, "--tool=$tool", $exe);
        my $second = outcome($dir, "--tool=$tool", $exe);
        my @bad = map { "first run: $_ differs" } differs($without, $first);
        push @bad, map { "second run: $_ differs" } differs($without, $second);
        push @bad, "without: $without->{kept} from files" if $without->{kept};
        push @bad, "first run: $first->{kept} from files" if $first->{kept};
        push @bad, "second run: $second->{kept} of $second->{made} from files"
            if $second->{kept} < 0.9 * $second->{made};
        my @mode = map { sprintf '%o', (stat $_)[2] & 0777 } $dir, glob "$dir/*";
        push @bad, "modes @mode" if $mode[0] ne '700' || grep { $_ ne '600' } @mode[1 .. $#mode];
        return (!@bad, @bad);
    }];
    push @tests, ["$tool: a program that keeps condition codes over calls", sub {
        my ($dir, $p) = ("$work/codes-$tool", "$work/c-$tool");
        compile($p, codes_variant());
        my $without = outcome('no', "--tool=$tool", $p);
        my @bad = $without->{out} =~ /^0 1$/m ? () : "out: $without->{out}";
        outcome($dir, "--tool=$tool", $p);
        my $second = outcome($dir, "--tool=$tool", $p);
        push @bad, map { "second run: $_ differs" } differs($without, $second);
        push @bad, "second run: $second->{kept} of $second->{made} from files"
            if $second->{kept} < 0.9 * $second->{made};
        return (!@bad, @bad);
    }];
    push @tests, ["$tool: a program that was built anew", sub {
        my ($dir, $p) = ("$work/anew-$tool", "$work/q-$tool");
        my @bad;
        for my $round (1 .. 4) {
            compile($p, variant($round, 10 * $round));
            my $with = outcome($dir, "--tool=$tool", $p);
            my $without = outcome('no', "--tool=$tool", $p);
            push @bad, map { "round $round: $_ differs" } differs($without, $with);
        }
        return (!@bad, @bad);
    }];
    push @tests, ["$tool: other options, other translations", sub {
        my ($dir, $p) = ("$work/options-$tool", "$work/o-$tool");
        compile($p, variant(1, 5));
        my @bad;
        for my $o ('--smc-check=all', '--cpu=x86-64-v2', '--cpu=host', '-q', '--num-callers=3',
                   $tool eq 'none' ? () : ('--fast-mode=no', '--undef-value-errors=no', '--track-origins=yes')) {
            for my $run (1, 2) {
                my $with = outcome($dir, "--tool=$tool", $o, $p);
                my $without = outcome('no', "--tool=$tool", $o, $p);
                push @bad, map { "$o, run $run: $_ differs" } differs($without, $with);
            }
        }
        return (!@bad, @bad);
    }];
    push @tests, ["$tool: damaged files", sub {
        my ($dir, $p) = ("$work/damaged-$tool", "$work/d-$tool");
        compile($p, variant(1, 5));
        my $without = outcome('no', "--tool=$tool", $p);
        outcome($dir, "--tool=$tool", $p);
        srand 5;
        my @bad;
        for my $round (1 .. 6) {
            for my $file (glob "$dir/*") {
                my $bytes = Run::slurp($file);
                substr($bytes, int rand length $bytes, 1) = chr int rand 256 for 1 .. 200;
                $bytes = substr $bytes, 0, int rand length $bytes if $round % 3 == 0;
                Run::spew($file, $bytes);
            }
            push @bad, map { "round $round: $_ differs" } differs($without, outcome($dir, "--tool=$tool", $p));
        }
        return (!@bad, @bad);
    }];
    push @tests, ["$tool: several at once", sub {
        my ($dir, $p) = ("$work/several-$tool", "$work/s-$tool");
        compile($p, variant(1, 5));
        my $without = outcome('no', "--tool=$tool", $p);
        my @pids;
        for my $k (1 .. 6) {
            my $pid = fork() // die;
            if ($pid == 0) {
                POSIX::_exit(differs($without, outcome($dir, "--tool=$tool", $p)) ? 1 : 0);
            }
            push @pids, $pid;
        }
        my $bad = 0;
        for (@pids) { waitpid $_, 0; $bad++ if $? }
        return (!$bad, "$bad of 6 differ");
    }];
}

push @tests, ['a directory that others may write to is not used', sub {
    mkdir "$work/open";
    chmod 0777, "$work/open";
    my $r = Run::run(cmd => [$gimle, "--cache-dir=$work/open", '--tool=none', '/bin/true'], base => "$work/open-run");
    return ($r->{status} == 1 && $r->{err} =~ /\Agimle: --cache-dir=.*\n\z/, $r->{err});
}];
# Natively it prints "ok"; whoever opens, locks or writes files other than descriptors 1 and 2 dies.
compile("$work/sealed", <<'C');
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#define KILL(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
int main(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        KILL(SYS_open), KILL(SYS_openat), KILL(SYS_flock), KILL(SYS_pwrite64), KILL(SYS_rename),
        KILL(SYS_renameat), KILL(SYS_renameat2), KILL(SYS_unlinkat), KILL(SYS_getdents64),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof code / sizeof *code, code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        return 3;
    puts("ok");
    return 0;
}
C
push @tests, ['a program that forbids itself files', sub {
    my $r = Run::run(cmd => [$gimle, "--cache-dir=$work/sealed-files", '-q', '--tool=none', "$work/sealed"],
        base => "$work/sealed-run");
    return ($r->{status} == 0 && !$r->{signal} && $r->{out} eq "ok\n", Run::how_it_ended($r), $r->{err});
}];
push @tests, ['a limit on the size of files', sub {
    my $r = Run::run(cmd => "ulimit -f 8; exec $gimle --cache-dir=$work/limited -q --tool=none /bin/echo a",
        base => "$work/limited-run");
    return ($r->{status} == 0 && !$r->{signal} && $r->{out} eq "a\n", Run::how_it_ended($r), $r->{err});
}];
push @tests, ['without a home directory all is as without the option', sub {
    my $r = Run::run(cmd => [$gimle, '-q', '--tool=none', '/bin/echo', 'a'], env => { HOME => undef, XDG_CACHE_HOME => undef },
        base => "$work/home-run");
    return ($r->{status} == 0 && $r->{out} eq "a\n" && $r->{err} eq '', $r->{err});
}];
push @tests, ['a cache directory that cannot be written to is no obstacle', sub {
    my $r = Run::run(cmd => [$gimle, '-q', '--tool=none', '/bin/echo', 'a'], env => { HOME => '/proc', XDG_CACHE_HOME => undef },
        base => "$work/proc-run");
    return ($r->{status} == 0 && $r->{out} eq "a\n" && $r->{err} eq '', $r->{err});
}];

exit(Run::tap_parallel(@tests) ? 1 : 0);
