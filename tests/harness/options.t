#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Options and wrong use: what is printed, where, and the exit status.
#   options.t [--checker=valgrind] [PATTERN]    (then only what both programs do alike is tested)
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use Report;
use Run;

my $build = Cwd::abs_path($ENV{builddir} || '.');
my $checker = $ENV{GIMLE_CHECKER} || "$build/gimle";
my $pattern = '';
for (@ARGV) {
    if (/^--checker=(.*)/) { $checker = $1 } else { $pattern = $_ }
}
my $by_valgrind = $checker =~ m,(^|/)valgrind$,;
my $suffix = $by_valgrind ? "-valgrind" : "";
my $work = "$build/tests/options-work$suffix";
File::Path::remove_tree($work);
File::Path::make_path("$work/home", "$work/dir", "$work/moving");

Run::spew("$work/bad.c", <<'C');
#include <stdlib.h>
int main(void)
{
    char *p = malloc(10);
    p[10] = 1;
    free(p);
    return 3;
}
C
Run::spew("$work/leak.c", "#include <stdlib.h>\nint main(void) { return malloc(99) == 0; }\n");
Run::spew("$work/fork.c", "#include <unistd.h>\n#include <sys/wait.h>\n"
        . "int main(void) { if (fork() == 0) _exit(0); wait(0); return 0; }\n");
Run::spew("$work/chdir.c", "#include <unistd.h>\n#include <sys/wait.h>\n"
        . "int main(void) { if (chdir(\"/\") == 0 && fork() == 0) _exit(0); wait(0); return 0; }\n");
Run::spew("$work/moved.c", <<'C');
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
int main(void)
{
    int status;
    char *volatile p = malloc(4);
    rename("moving", "moved-away");
    if (fork() == 0) {
        p[4] = 1;
        _exit(7);
    }
    wait(&status);
    free(p);
    return WEXITSTATUS(status) == 7 ? 0 : 1;
}
C
Run::spew("$work/monitor.c", <<"C");
#include <stdio.h>
#include <stdlib.h>
#include "$FindBin::Bin/../../include/gimle/memcheck.h"
static char *kept, command[100];
static int ask(const char *text)
{
    return VALGRIND_MONITOR_COMMAND(text);
}
static int ask_of(const char *format, void *p)
{
    snprintf(command, sizeof command, format, p);
    return ask(command);
}
int main(void)
{
    int good = 0;
    kept = calloc(40, 1);
    VALGRIND_MAKE_MEM_UNDEFINED(kept + 20, 20);
    *(void **)kept = malloc(30);
    *(void **)kept = malloc(77);
    good += ask("leak_check") == 0;
    good += ask("leak full kinds all any limited 2") == 0;
    good += ask("block_list 2..3") == 0;
    good += ask_of("who_points_at %p 8", *(void **)kept) == 0;
    good += ask_of("v.info location %p", kept + 3) == 0;
    good += ask_of("get_vbits %p 48", kept) == 0;
    good += ask_of("xb %p 2", kept + 19) == 0;
    good += ask_of("check_memory defined %p 40", kept) == 0;
    good += ask_of("make_memory defined %p 40", kept) == 0;
    good += ask_of("check_memory defined %p 40", kept) == 0;
    good += ask("v.info last_error") == 0;
    good += ask("v.set merge-recursive-frames 2") == 0;
    good += ask("v.clo --leak-check=no") == 0;
    good += ask("v.set nonsense") == 0;
    good += ask("help") == 0;
    printf("%d %d %d\\n", good, ask("nonsense"), ask("v.nonsense"));
    return kept[30];
}
C
Run::spew("$work/below.c", "int main(void) { char c; volatile char *below = &c - 600; *below = 1; return 0; }\n");
for my $name (qw(bad leak fork chdir moved monitor below)) {
    system("gcc -g -O0 -w -fno-builtin -o '$work/$name' '$work/$name.c'") == 0 or die 'no compiler';
}
# Runs its arguments with PORT as the number of a port where it listens; prints what came there on as many
# connections as its first argument says, by their first characters.
Run::spew("$work/listen.pl", <<'P');
use strict;
use warnings;
use IO::Socket::INET;
my $n = shift;
my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "listen: $!";
my @cmd = map { s/PORT/$s->sockport/er } @ARGV;
my $pid = fork // die;
if ($pid == 0) { exec { $cmd[0] } @cmd; die }
my @from = map { $s->accept } 1 .. $n;
my @said = map { local $/; my $f = $_; scalar(<$f>) // '' } @from;
waitpid $pid, 0;
print "from the socket:\n$_" for sort @said;
exit $? >> 8;
P
Run::spew("$work/old.c", "#include \"gimle/tool.h\"\nconst GimleTool gimle_tool = { .api = 1, .name = \"Old\" };\n");
system("gcc -shared -fPIC -I'$FindBin::Bin/../../include' -o '$work/old.so' '$work/old.c'") == 0 or die 'no compiler';
Run::spew("$work/unterminated.supp", "{\n  name\n  Memcheck:Addr1\n  fun:main\n");
Run::spew("$work/unknown-kind.supp", "{\n  name\n  Memcheck:Nonsense\n  fun:main\n}\n");
Run::spew("$work/good.supp", "{\n  mine\n  Memcheck:Addr1\n  fun:main\n}\n{\n  wild\n  Helgrind:Race\n  ...\n}\n");
Run::spew("$work/text", "This is no program.\n");
Run::spew("$work/noexec", "x");
chmod 0644, "$work/noexec";
chmod 0755, "$work/text";
Run::spew("$work/script", "#! /bin/sh -e\necho script \$1\n");
chmod 0755, "$work/script";
Run::spew("$work/badscript", "#!/no/such/interpreter\n");
chmod 0755, "$work/badscript";
Run::spew("$work/truncated", substr Run::slurp("$work/bad"), 0, 100);
Run::spew("$work/arm", Run::slurp("$work/bad") =~ s/\A(.{18})../$1\xb7\0/sr);
Run::spew("$work/i386", Run::slurp("$work/bad") =~ s/\A(.{4})\x02(.{13})../$1\x01$2\x03\0/sr);
chmod 0755, "$work/truncated", "$work/arm", "$work/i386";

my @tests;

# row(name, options and program as shell text, checks):
#   status, out => qr, err => qr (whole stderr), lines => [text in the report], nolines,
#   file => name pattern (then the report is there), xml => [name pattern, qr], ours => 1 (Valgrind is different), env,
#   by => another path of the program
sub row {
    my ($name, $args, %a) = @_;
    return if $pattern ne '' && $name !~ /$pattern/;
    return if $by_valgrind && $a{ours};
    push @tests, [$name, sub {
        my $base = "$work/" . $name =~ s/\W+/-/gr;
        my %env = (HOME => "$work/home", VALGRIND_OPTS => undef, GIMLE_OPTS => undef, %{ $a{env} || {} });
        my $r = Run::run(cmd => ($a{by} // $checker) . " $args", env => \%env, base => $base,
            dir => $a{dir} ? "$work/$a{dir}" : $work);
        my @bad;
        my $status = $a{status} // 0;
        push @bad, 'ends with ' . Run::how_it_ended($r) . ", wanted $status"
            if $r->{signal} || $r->{status} != $status;
        push @bad, "stdout: $r->{out}" if $a{out} && $r->{out} !~ $a{out};
        push @bad, "stderr: $r->{err}" if $a{err} && $r->{err} !~ $a{err};
        my $text = $r->{err};
        if ($a{file}) {
            my ($path) = glob "$work/$a{file}";
            $text = $path ? Run::slurp($path) : '';
            push @bad, "no file $a{file}" unless $path;
        }
        if ($a{xml}) {
            my ($path) = glob "$work/$a{xml}[0]";
            my $xml = $path ? Run::slurp($path) : '';
            push @bad, "XML:\n$xml" unless $xml =~ $a{xml}[1];
            push @bad, `xmllint --noout '$path' 2>&1` if $path && Run::have('xmllint') && system("xmllint --noout '$path' 2>/dev/null");
        }
        my $plain = join '', map { Report::normalise($_) . "\n" } Report::lines($text);
        for (@{ $a{lines} || [] }) { push @bad, "no line: $_" unless index($plain, $_) >= 0 }
        for (@{ $a{nolines} || [] }) { push @bad, "has line: $_" if index($plain, $_) >= 0 }
        push @bad, "report:\n$text" if @bad && $text ne '' && !$a{err};
        return (!@bad, @bad);
    }];
}

# Wrong use is one line on stderr and status 1.
sub wrong {
    my ($name, $args, $says, %more) = @_;
    row($name, $args, status => 1, err => qr/\Agimle: [^\n]*$says[^\n]*\n\z/i, ours => 1, %more);
}

my $error = 'Invalid write of size 1';

wrong('no program given', '', 'program');
wrong('no such program', '/no/such/program', 'No such file');
wrong('no such command', 'no-such-command-anywhere', 'not found|No such');
wrong('a directory', './dir', 'directory');
wrong('not executable', './noexec', 'Permission denied|not exec');
wrong('not an ELF file', './text', 'text');
wrong('script with a missing interpreter', './badscript', '/no/such/interpreter');
wrong('truncated ELF file', './truncated', 'truncated');
wrong('another processor', './arm', 'arm|aarch64|arch|processor|machine');
wrong('a 32-bit program', './i386', '32|i386|arch|processor|machine');
wrong('unknown option', '--no-such-option=1 ./bad', '--no-such-option');
wrong('bad number', '--num-callers=abc ./bad', '--num-callers=abc');
wrong('number out of range', '--num-callers=100000 ./bad', '--num-callers');
wrong('bad choice', '--leak-check=maybe ./bad', '--leak-check=maybe');
wrong('bad bool', '--track-origins=perhaps ./bad', '--track-origins=perhaps');
wrong('unknown tool', '--tool=no-such-tool ./bad', 'no-such-tool');
wrong('a tool for another interface', '--tool=./old.so ./bad',
    'old\.so was made for another version of Gimle \(interface 1, this is \d+\)');
wrong('no suppression file', '--suppressions=/no/such.supp ./bad', '/no/such.supp');
wrong('unterminated suppression', '--suppressions=unterminated.supp ./bad', 'unterminated.supp.*\b[45]\b');
wrong('unknown suppression kind', '--suppressions=unknown-kind.supp ./bad', 'unknown-kind.supp.*\b3\b');
wrong('log file that cannot be made', '--log-file=/no/such/dir/log ./bad', '/no/such/dir/log');
wrong('log file with a variable that is not set', '--log-file=%q{NO_SUCH_VAR} ./bad', 'NO_SUCH_VAR');
wrong('log file with an unknown escape', '--log-file=%z ./bad', '%');
wrong('xml without a destination', '--xml=yes ./bad', 'xml');
wrong('option of this tool misspelt with prefix', '--memcheck:nosuch=1 ./bad', 'nosuch');
wrong('origins without undefined values', '--undef-value-errors=no --track-origins=yes ./bad', 'track-origins');

wrong('required symbol without a pattern', '--require-text-symbol=abc ./bad', '--require-text-symbol=abc');

row('version', '--version', out => qr/\Agimle-\d+\.\d+\.\d+\S*\n\z/, err => qr/\A\z/, ours => 1);
row('help', '--help', out => qr/--leak-check=.*--track-origins=/s, err => qr/\A\z/);
row('short help', '-h', out => qr/--tool=/);
row('default report', './bad', status => 3, lines => [$error, 'Command: ./bad', 'HEAP SUMMARY:',
    'ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)']);
row('error exit status', '--error-exitcode=57 ./bad', status => 57, lines => [$error]);
row('quiet', '-q ./bad', status => 3, lines => [$error], nolines => ['SUMMARY', 'Command']);
row('quiet and nothing to say', '-q ./leak', err => qr/\A\z/);
row('verbose', '-v ./bad', status => 3, lines => [$error, 'ERROR SUMMARY']);
row('log file', '--log-file=plain.log ./bad', status => 3, err => qr/\A\z/, file => 'plain.log', lines => [$error]);
row('log file with pid', '--log-file=pid.%p.log ./bad', status => 3, file => 'pid.[0-9]*.log', lines => [$error]);
row('log file with variable', "--log-file=v-%q{MINE}-%%.log ./bad", status => 3, env => { MINE => 'xyz' },
    file => 'v-xyz-%.log', lines => [$error]);
row('files of tools and later logs are where the run began', "--tool=massif --massif-out-file=c.ms "
        . "--log-file=cd.%p.log --trace-children=no ./chdir && ls c.ms cd.*.log | wc -l", out => qr/\A3\n\z/);
row('log file with number', '--log-file=n.%n.log ./bad', status => 3, file => 'n.[0-9]*.log', lines => [$error],
    ours => 1);
row('log file with number that cannot be made', '--log-file=no-dir/%n.log ./bad', status => 1, err => qr,no-dir/1\.log,, ours => 1);
row('log file per child', '--log-file=child.%p.log ./fork && ls child.*.log | wc -l', out => qr/\A2\n\z/);
row('log file that a child cannot make: it goes on in the other', '--log-file=moving/%p.log ./moved && ls moved-away | wc -l '
        . '&& grep -c "Invalid write" moved-away/*', out => qr/\A1\n1\n\z/, ours => 1);
row('log descriptor', '--log-fd=9 ./bad 9>fd9.log', status => 3, err => qr/\A\z/, file => 'fd9.log',
    lines => [$error]);
row('log to stdout', '--log-fd=1 ./bad', status => 3, err => qr/\A\z/, out => qr/Invalid write of size 1/);
row('suppression', '--suppressions=good.supp ./bad', status => 3, nolines => [$error],
    lines => ['ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 1 from 1)']);
row('two suppression files', '--suppressions=good.supp --suppressions=good.supp ./bad', status => 3,
    nolines => [$error]);
row('suppression block', '--gen-suppressions=all ./bad', status => 3,
    err => qr/^\{\n   <insert_a_suppression_name_here>\n   Memcheck:Addr1\n   fun:main\n\}$/m);
row('leak check', '--leak-check=full ./leak', lines => ['99 bytes in 1 blocks are definitely lost']);
row('leak check short for yes', '--leak-check=yes ./leak', lines => ['99 bytes in 1 blocks are definitely lost']);
row('no leak check', '--leak-check=no ./leak', nolines => ['definitely lost'],
    lines => ['in use at exit: 99 bytes in 1 blocks']);
row('leak kinds', '--leak-check=full --show-leak-kinds=possible,reachable ./leak',
    nolines => ['are definitely lost in loss record'], lines => ['definitely lost: 99 bytes in 1 blocks']);
row('option of the tool', '--memcheck:leak-check=full ./leak',
    lines => ['99 bytes in 1 blocks are definitely lost']);
row('option of another tool', '--massif:depth=5 --cachegrind:nosuch=x ./leak', lines => ['LEAK SUMMARY:']);
row('tool none', '--tool=none ./bad', status => 3, nolines => [$error, 'ERROR SUMMARY']);
row('double dash', '-q -- ./script one', out => qr/\Ascript one\n\z/);
row('script', '-q ./script two', out => qr/\Ascript two\n\z/, err => qr/\A\z/);
row('program on the path', '-q true', err => qr/\A\z/);
Run::spew("$work/dir/.valgrindrc", "--error-exitcode=45\n-q\n");
row("options from the directory", "../bad", status => 45, nolines => ["HEAP SUMMARY"], dir => "dir");
row('options from the environment', './bad', env => { VALGRIND_OPTS => '--error-exitcode=44 -q' }, status => 44,
    lines => [$error], nolines => ['HEAP SUMMARY']);
row('command line only', '--command-line-only=yes ./bad', env => { VALGRIND_OPTS => '--error-exitcode=44 -q' },
    status => 3, lines => [$error, 'HEAP SUMMARY']);
row('show error list', '-s ./bad', status => 3, lines => ['1 errors in context 1 of 1:']);
row('time stamps', '--time-stamp=yes ./bad', status => 3,
    err => qr/^==\d\d:\d\d:\d\d:\d\d\.\d\d\d \d+== Invalid write of size 1$/m);
row('where a debugger would be waited for', '--vgdb-error=1 ./bad', status => 3, ours => 1,
    lines => [$error, 'no debugger can be attached: the program goes on, in spite of --vgdb-error=1']);
row('no debugger at all', '--vgdb=no --vgdb-error=1 ./bad', status => 3, lines => [$error], nolines => ['debugger']);
row('the log to a socket', "x; perl listen.pl 1 $checker --log-socket=127.0.0.1:PORT ./bad", by => ':', status => 3,
    out => qr/^from the socket:\n==\d+== Memcheck.*Invalid write of size 1.*ERROR SUMMARY: 1 errors/ms, nolines => [$error]);
row('log and XML to sockets', "x; perl listen.pl 2 $checker --xml=yes --log-socket=127.0.0.1:PORT "
        . "--xml-socket=127.0.0.1:PORT ./bad", by => ':', status => 3,
    out => qr/^from the socket:\n<\?xml.*<kind>InvalidWrite<.*<\/valgrindoutput>/ms, nolines => [$error]);
row('nobody at the socket', '--log-socket=127.0.0.1:1 ./bad', status => 3, ours => 1, lines => [$error],
    err => qr/Failed to connect to log server '127.0.0.1:1'.*writing to stderr instead/);
row('a socket that is none', '--log-socket=nowhere ./bad', status => 1, err => qr/Invalid --log-socket spec of 'nowhere'/);
row('a traced child is named by its path', q{--trace-children=yes perl -e 'exec {"/bin/true"} "other", "x y"'},
    lines => ['Command: /bin/true x\ y']);
row('what -v says comes after the banner', '-v ./bad', status => 3,
    err => qr/\A==\d+== Memcheck, a memory error detector\n(?:==.*\n)+--\d+-- \w+ options:\n--\d+--    -v\n(?:--.*\n)*?--\d+-- Reading suppressions file:/);
row('-q takes back -v', '-v -q ./bad', status => 3, err => qr/\A(?:==.*\n)*\z/, lines => [$error]);
row('gcc 2.96 is long gone', '--workaround-gcc296-bugs=yes ./below', nolines => [$error]);
row('exit on first error', '--exit-on-first-error=yes --error-exitcode=9 ./bad', status => 9, lines => [$error]);
row('full paths', '--fullpath-after= ./bad', status => 3, lines => ["($work/bad.c:5)"]);
row("path prefix", "--fullpath-after=tests/ ./bad", status => 3, lines => ["(options-work$suffix/bad.c:5)"]);
row('below main', '--show-below-main=yes ./bad', status => 3, lines => ['libc_start']);
row('old option names', '--show-reachable=yes --show-possibly-lost=no --leak-check=full ./leak',
    lines => ['ERROR SUMMARY']);
row('many compatible options', '--num-callers=20 --leak-resolution=med --freelist-vol=1000000 '
        . '--redzone-size=32 --alignment=32 --trace-children=no --demangle=yes --vgdb=no --read-var-info=no '
        . '--smc-check=all --fair-sched=no --run-libc-freeres=yes --max-stackframe=3000000 '
        . '--track-fds=no --partial-loads-ok=yes --keep-stacktraces=alloc-and-free ./bad',
    status => 3, lines => [$error]);
# All that Valgrind 3.19 lists with --help-debug and that changes nothing here, at once.
my $every = '--alignment=16 --allow-mismatched-debuginfo=no --aspace-minaddr=0x10000 --avg-transtab-entry-size=100 '
    . '--child-silent-after-fork=no --core-redzone-size=8 --debuginfo-server=127.0.0.1:1500 '
    . '--default-suppressions=yes --demangle=yes --dsymutil=no --dump-error=0 --error-exitcode=0 --error-limit=yes '
    . '--error-markers=[,] --exit-on-first-error=no --extra-debuginfo-path=/nowhere --fair-sched=try '
    . '--fullpath-after=none --gen-suppressions=no --input-fd=0 --keep-debuginfo=no --kernel-variant=none '
    . '--log-fd=2 --main-stacksize=8388608 --max-stackframe=2000000 --max-threads=500 '
    . '--merge-recursive-frames=0 --num-callers=12 --num-transtab-sectors=32 --profile-flags=00000000 '
    . '--profile-heap=no --progress-interval=0 --px-default=unwindregs-at-mem-access '
    . '--px-file-backed=unwindregs-at-mem-access --read-inline-info=yes --read-var-info=no --redzone-size=16 '
    . '--resync-filter=no --run-cxx-freeres=yes --run-libc-freeres=yes --sanity-level=1 --show-below-main=no '
    . '--show-emwarns=no --show-error-list=no --sigill-diagnostics=yes --sim-hints=none '
    . '--smc-check=all-non-file --soname-synonyms=somalloc=none --stats=no --sym-offsets=no --time-stamp=no '
    . '--trace-cfi=no --trace-children=no --trace-children-skip=a,b --trace-children-skip-by-arg=a,b '
    . '--trace-flags=00000000 --trace-malloc=no --trace-notabove=0 --trace-notbelow=2147483647 --trace-redir=no '
    . '--trace-sched=no --trace-signals=no --trace-symtab=no --trace-symtab-patt=x --trace-syscalls=no '
    . '--track-fds=no --unw-stack-scan-frames=5 --unw-stack-scan-thresh=0 --valgrind-stacksize=1048576 '
    . '--vex-guest-chase=yes --vex-guest-max-insns=50 --vex-iropt-level=2 '
    . '--vex-iropt-register-updates=unwindregs-at-mem-access --vex-iropt-unroll-thresh=120 '
    . '--vex-iropt-verbosity=0 --vex-regalloc-version=3 --vgdb=no --vgdb-error=999 --vgdb-poll=5000 '
    . '--vgdb-prefix=/tmp/none --vgdb-shadow-registers=no --vgdb-stop-at=none --wait-for-gdb=no '
    . '--xml-user-comment=x --xtree-compress-strings=yes --xtree-memory=none '
    . '--xtree-memory-file=none.%p';
row('every option: memcheck', "$every --errors-for-leak-kinds=definite,possible --expensive-definedness-checks=auto "
    . '--free-fill=ab --freelist-big-blocks=1000000 --freelist-vol=20000000 --ignore-range-below-sp=20-10 '
    . '--ignore-ranges=0x10-0x20,0x40-0x50 --keep-stacktraces=alloc-and-free --leak-check=summary '
    . '--leak-check-heuristics=all --leak-resolution=high --malloc-fill=cd --partial-loads-ok=yes '
    . '--show-leak-kinds=definite,possible --show-mismatched-frees=yes --track-origins=no '
    . '--undef-value-errors=yes --workaround-gcc296-bugs=no --xtree-leak=no --xtree-leak-file=none.%p ./bad', status => 3, lines => ['[', $error, ']']);
row('every option: none', "--tool=none $every ./bad", status => 3, ours => 1);
row('every option: massif', "--tool=massif $every --alloc-fn=f --depth=30 --detailed-freq=10 --heap=yes "
    . '--heap-admin=8 --ignore-fn=f --massif-out-file=every.ms --max-snapshots=100 --pages-as-heap=no '
    . '--peak-inaccuracy=1.0 --stacks=no --threshold=1.0 --time-unit=i ./bad', status => 3);
row('every option: cachegrind', "--tool=cachegrind $every --I1=32768,8,64 --D1=32768,8,64 --LL=8388608,16,64 "
    . '--cache-sim=yes --branch-sim=no --cachegrind-out-file=every.cg ./bad', status => 3, ours => 1);
row('parent pid in a log file', '--log-file=parent.log ./bad', status => 3, file => 'parent.log',
    lines => ['Parent PID: ']);
row('markers', '--error-markers=begin,end ./bad', status => 3, lines => ['begin', 'end']);
row('closed descriptors', '-q /bin/true <&- >&- 2>&-', err => qr/\A\z/);

# A heap as a profile: in callgrind's format (the whole file, but for the numbers of lines), and in massif's.
my $tree_of_leak = qr/fl=\(1\)\ \S+leak\.c\nfn=\(1\)\ main\n\d+/x;
row('tree of the heap', '-q --xtree-memory=full --xtree-memory-file=m.kcg ./leak && cat m.kcg', err => qr/\A\z/,
    out => qr/\A\#\ callgrind\ format\nversion:\ 1\ncreator:\ xtree-1\npid:\ \d+\ncmd:\ \.\/leak\n\n
        positions:\ line\nevent:\ curB\ :\ .*\nevents:\ curB\ \ curBk\ \ totB\ \ totBk\ \ totFdB\ \ totFdBk\ \n
        $tree_of_leak\ 99\ 1\ 99\ 1\ 0\ 0\n\ntotals:\ 99\ 1\ 99\ 1\ 0\ 0\n\z/sx);
row('tree of what is allocated', '--xtree-memory=allocs --xtree-memory-file=a.%p.kcg ./leak && cat a.*.kcg',
    lines => ['xtree memory report: /', 'HEAP SUMMARY:'], out => qr/^totals: 99 1$/m);
row('tree of what was freed', '--xtree-memory=full --xtree-memory-file=b.kcg ./bad; cat b.kcg',
    out => qr/^events: curB .*\nfl=.*\nfn=\(1\) main\n4 0 0 10 1 0 0\n\n(.*\n)+6 0 0 0 0 10 1\n\ntotals: 0 0 10 1 10 1\n\z/m);
row("tree in massif's format", '-q --xtree-memory=allocs --xtree-memory-file=m.ms ./leak && cat m.ms', ours => 1,
    out => qr/\Adesc:\ .*\ncmd:\ \.\/leak\ntime_unit:\ ms\n\#-+\nsnapshot=0\n\#-+\ntime=\d+\nmem_heap_B=99\n
        mem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=detailed\n
        n1:\ 99\ curB\ :\ currently\ allocated\ Bytes\n\ n0:\ 99\ 0x\w+:\ main\ \(leak\.c:2\)\n
        \#-+\nsnapshot=1\n.*n1:\ 1\ curBk\ .*\n\ n0:\ 1\ 0x\w+:\ main\ \(leak\.c:2\)\n\z/sx);
row('tree of leaks', '--xtree-leak=yes --xtree-leak-file=l.kcg ./leak && cat l.kcg', ours => 1,
    lines => ['xtree leak report: /', 'definitely lost: 99 bytes in 1 blocks', 'ERROR SUMMARY: 1 errors'],
    nolines => ['loss record'],
    out => qr/$tree_of_leak\ncfi=.*\ncfn=\(2\)\ malloc\n.*^totals: 0 0 0 99 0 0 0 0 1 0 0 0 99 0 0 0 0 1( 0){9}\n\z/ms);
# What a program asks for by VALGRIND_MONITOR_COMMAND; results have no prefix, reports do.
row('monitor commands', './monitor', out => qr/\A15 1 1\n\z/, err => qr/^==\d+==\ 30\ \(\+30\)\ bytes\ in\ 1\ \(\+1\)\ blocks\ are\ definitely
    \ lost\ in\ loss\ record\ 1\ of\ 3\n.*
    ^==\d+==\ 40\ bytes\ in\ 1\ blocks\ are\ still\ reachable\ in\ loss\ record\ 2\ of\ 3\n.*
    ^==\d+==\ 77\ bytes\ in\ 1\ blocks\ are\ still\ reachable\ in\ loss\ record\ 3\ of\ 3\n.*
    ^==\d+==\ 40\ bytes\ in\ 1\ blocks.*^==\d+==\ 0x\w+\[40\]\n==\d+==\ 77\ bytes.*^==\d+==\ 0x\w+\[77\]\n
    ==\d+==\ Searching\ for\ pointers\ pointing\ in\ 8\ bytes\ from\ (0x\w+)\n.*
    ^==\d+==\ \*0x\w+\ points\ at\ \1\n==\d+==\ \ Address\ 0x\w+\ is\ 0\ bytes\ inside\ a\ block\ of\ size\ 40\ alloc'd\n.*
    ^==\d+==\ \ Address\ 0x\w+\ is\ 3\ bytes\ inside\ a\ block\ of\ size\ 40\ alloc'd\n.*
    ^00000000\ 00000000\ 00000000\ 00000000\ 00000000\ ffffffff\ ffffffff\ ffffffff\n
    ffffffff\ ffffffff\ ________\ ________\n
    Address\ 0x\w+\ len\ 48\ has\ 8\ bytes\ unaddressable\n
    \t\t\ \ 00\t\ \ ff\n0x\w+:\t0x00\t0x00\n
    Address\ 0x\w+\ len\ 40\ not\ defined:\nUninitialised\ value\ at\ 0x\w+\n.*
    ^Address\ 0x\w+\ len\ 40\ defined\n.*
    ^==\d+==\ No\ errors\ yet\n
    merge-recursive-frames\ value\ changed\ from\ 0\ to\ 2\n
    ==\d+==\ Handling\ new\ value\ --leak-check=no\ for\ option\ --leak-check=no\n
    nonsense\ does\ not\ match\ any\ of\ '/smx);
row('a required symbol is there', "-q '--require-text-symbol=:libc.so*:mal*' ./leak", err => qr/\A\z/);
row('a required symbol is missing', "-q '--require-text-symbol=|libc.so*|doesntexist' ./leak", status => 1,
    err => qr/libc\.so\.6\n.*\n.*doesntexist\n.*Cannot continue/s);
row('no such library for a required symbol', "-q '--require-text-symbol=:libnone.so*:doesntexist' ./leak",
    err => qr/\A\z/);
row('no log at all', '--log-fd=-1 ./bad', status => 3, err => qr/\A\z/);
row('empty markers', '--error-markers=,] -q ./bad', status => 3,
    err => qr/\A==\d+== Invalid write.*^==\d+== \n==\d+== \]\n\z/sm);

# Called by the name "valgrind" the texts about wrong use and their exit status are Valgrind's.
symlink $checker, "$work/valgrind";
sub as_valgrind { row("as valgrind: $_[0]", $_[1], by => './valgrind', @_[2 .. $#_]) unless $by_valgrind }
as_valgrind('version', '--version', out => qr/\Avalgrind-3\.\d+\.\d+\n\z/);
as_valgrind('unknown option', '--nope ./bad', status => 1, err => qr/\Avalgrind:\ Unknown\ option:\ --nope\n
    valgrind:\ Use\ --help\ for\ more\ information\ or\ consult\ the\ user\ manual\.\n\z/x);
as_valgrind('bad number', '--num-callers=x ./bad', status => 1,
    err => qr/\Avalgrind: Bad option: --num-callers=x\nvalgrind: Invalid integer value 'x'\nvalgrind: Use --help /);
as_valgrind('no suppression file', '--suppressions=/no/such.supp ./bad', status => 1,
    err => qr/^==\d+== FATAL: can't open suppressions file "\/no\/such.supp"$/m);
as_valgrind('a directory of suppressions', '--suppressions=dir ./bad', status => 1,
    err => qr/^==\d+== FATAL: suppressions file "dir" is a directory$/m);
as_valgrind('no such command', 'no-such-command', status => 127, err => qr/\Avalgrind: no-such-command: command not found\n\z/);
as_valgrind('a directory', './dir', status => 126, err => qr,\Avalgrind: \./dir: is a directory\n\z,);
as_valgrind('a text is for the shell', './greeting a', out => qr/\Ahello a\n\z/);
as_valgrind('binary data', './data', status => 126, err => qr,\Avalgrind: \./data: cannot execute binary file\n\z,);
Run::spew("$work/greeting", "echo hello \$1\n");
Run::spew("$work/data", "\1\2\3\0");
chmod 0755, "$work/greeting", "$work/data";

row('xml file', '--xml=yes --xml-file=x.%p.xml ./bad', status => 3, xml => ['x.*.xml',
    qr,\A<\?xml\ version="1.0"\?>\s+<valgrindoutput>\s+<protocolversion>[456]</protocolversion>\s+<protocoltool>memcheck</protocoltool>.*
        <kind>InvalidWrite</kind>\s*<what>Invalid\ write\ of\ size\ 1</what>.*<file>bad.c</file>\s*<line>5</line>.*
        <auxwhat>Address\ .*<state>FINISHED</state>.*</valgrindoutput>\s*\z,sx]);
row('xml of leaks', '--xml=yes --xml-file=l.%p.xml --leak-check=full ./leak', xml => ['l.*.xml',
    qr,<kind>Leak_DefinitelyLost</kind>\s*<xwhat>\s*<text>99\ bytes.*<leakedbytes>99</leakedbytes>\s*<leakedblocks>1</leakedblocks>\s*</xwhat>,sx]);
row('xml has the leaks, asked for or not', '--xml=yes --xml-file=nl.%p.xml --leak-check=no ./leak', xml => ['nl.*.xml',
    qr,<kind>Leak_DefinitelyLost</kind>,]);
row('xml to a descriptor', '--xml=yes --xml-fd=9 ./bad 9>fd.9.xml', status => 3, xml => ['fd.9.xml', qr,<kind>InvalidWrite</kind>,]);

exit(Run::tap_parallel(@tests) ? 1 : 0);
