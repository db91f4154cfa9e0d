#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Runs tests/prog/*.c and *.cc: small programs, one behaviour each, that say in comments what the
# tool must report about them.
#
#   prog.t [--checker=COMMAND] [--options=MORE] [--compare=MORE] [--all] [NAME...]
#
# --checker   what to run instead of ./gimle: with `valgrind' the expectations themselves are tested
# --options   given to each run, for example --fast-mode=no
# --compare   run each program again with these options as well: the reports must be the same
# --keep      say where the output of failed tests is kept
# --work      where, in the build folder, programs and logs are put
# --compile-only  make the programs and run nothing
#
# Comments understood in a test program, each on one line:
#   // OPTIONS: ...     options of the tool        // TOOL: none      (default memcheck)
#   // CFLAGS: ...      more compiler flags        // LDFLAGS: ...
#   // PLUGIN: FLAGS    an empty library NAME.so is linked with these flags, for it to load
#   // ARGS: ...        the program's arguments    // ENV: NAME=value
#   // EXIT: 3          exit status (default 0)    // EXIT: SIGSEGV   killed by it
#   // STDOUT: text     all of stdout, one comment per line
#   // LINE: text       a line of the report contains text (or matches it, if written /text/)
#   // NOLINE: text     no line does
#   // NEEDS: program   skip the test where it is missing (or a CPU flag as cpu:avx2)
#   // DIFFERS: reason  Valgrind does not behave so; the test is left out with --checker=valgrind
#   // EXPECT: what     an error with this first line has a frame in the line of code that
#                       carries the comment or, for a comment alone, follows it
#   // AUX: what [a]    the last EXPECT has this further line; if a label is given, its stack has
#                       a frame in the line that carries the comment // [a]
# Addresses are written 0xADDR, record numbers `loss record N of N'.  Every reported error must be
# expected, and every expected one reported once ("EXPECT?" may be missing, "EXPECT*" may be
# there several times); "EXPECT-ANYWHERE" matches whatever its stack is.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use Report;
use Run;

my ($checker, $more, $compare, $keep, $compile_only, $folder, @names) = ('', '', '', 0, 0, 'prog-work');
for (@ARGV) {
    if (/^--checker=(.*)/) { $checker = $1 }
    elsif (/^--options=(.*)/) { $more = $1 }
    elsif (/^--compare=(.*)/) { $compare = $1 }
    elsif (/^--work=(.*)/) { $folder = $1 }
    elsif ($_ eq '--keep') { $keep = 1 }
    elsif ($_ eq '--compile-only') { $compile_only = 1 }
    else { push @names, s,.*/,,r =~ s/\.\w+$//r }
}
my $source_dir = Cwd::abs_path("$FindBin::Bin/../prog");
my $build_dir = Cwd::abs_path($ENV{builddir} || '.');
$checker ||= $ENV{GIMLE_CHECKER} || "$build_dir/gimle";
my $by_valgrind = $checker =~ m,(^|/)valgrind$,;
my $work = "$build_dir/tests/$folder" . ($by_valgrind ? '-valgrind' : '');
File::Path::make_path($work);
my $cc = $ENV{PROG_CC} || 'gcc';
my $cxx = $ENV{PROG_CXX} || 'g++';

if (system("'$checker' --version > /dev/null") != 0) {
    print "Bail out! $checker does not start\n";
    exit 1;
}

my %signal_number;
@signal_number{qw(SIGHUP SIGINT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGSEGV SIGPIPE SIGTERM)}
    = (1, 2, 4, 5, 6, 7, 8, 9, 11, 13, 15);

sub parse {
    my ($path) = @_;
    my %t = (path => $path, expect => [], label => {}, LINE => [], NOLINE => [], ENV => [], STDOUT => [],
        NEEDS => []);
    ($t{name} = $path) =~ s,.*/|\.\w+$,,g;
    ($t{file} = $path) =~ s,.*/,,;
    my (@pending, $last);
    my $number = 0;
    for my $line (split /\n/, Run::slurp($path)) {
        $number++;
        my ($code, @comments) = split m{\s*//\s*}, $line;
        my $has_code = defined $code && $code =~ /\S/;
        for (@comments) {
            if (/^EXPECT([?*]?)(-ANYWHERE)?: (.*)/) {
                $last = { mark => $1, anywhere => $2, what => $3, aux => [], line => $number };
                push @{ $t{expect} }, $last;
                push @pending, $last unless $has_code;
            } elsif (/^AUX: (.*?)(?: \[(\w+)\])?$/) {
                push @{ $last->{aux} }, { what => $1, label => $2 };
            } elsif (/^\[(\w+)\]$/) {
                $t{label}{$1} = $number;
            } elsif (/^(OPTIONS|CFLAGS|LDFLAGS|PLUGIN|ARGS|EXIT|TOOL|DIFFERS): (.*)/) {
                $t{$1} = $2;
            } elsif (/^(LINE|NOLINE|ENV|STDOUT|NEEDS): ?(.*)/) {
                push @{ $t{$1} }, $2;
            }
        }
        if ($has_code && @pending) {
            $_->{line} = $number for @pending;
            @pending = ();
        }
    }
    return \%t;
}

sub compile {
    my ($t) = @_;
    my $exe = "$work/$t->{name}";
    my $compiler = $t->{path} =~ /\.cc$/ ? $cxx : $cc;
    my $flags = '-g -O0 -fno-builtin -w ' . ($t->{CFLAGS} // '');
    my $command = "$compiler $flags -o '$exe' '$t->{path}' " . ($t->{LDFLAGS} // '');
    $command .= " && $compiler -shared -o '$exe.so' $t->{PLUGIN} -x c /dev/null" if $t->{PLUGIN};
    my $stamp = "$exe.cmd";
    return undef if -x $exe && -M $exe < -M $t->{path} && Run::slurp($stamp) eq $command;
    my $r = Run::run(cmd => $command, base => "$exe.cc", dir => $source_dir);
    return "compiler: $r->{err}" if $r->{status} || $r->{signal};
    Run::spew($stamp, $command);
    return undef;
}

sub has_frame {
    my ($stack, $file, $line) = @_;
    return scalar grep { ($_->{file} // '') eq $file && $_->{line} == $line } @$stack;
}

sub matches {
    my ($t, $want, $got) = @_;
    return 0 unless $want->{what} eq $got->{what};
    return 0 unless $want->{anywhere} || has_frame($got->{stack}, $t->{file}, $want->{line});
    for my $aux (@{ $want->{aux} }) {
        my ($found) = grep { $_->{what} eq $aux->{what} } @{ $got->{aux} } or return 0;
        next unless $aux->{label};
        my $line = $t->{label}{ $aux->{label} } // die "no label [$aux->{label}]\n";
        return 0 unless has_frame($found->{stack}, $t->{file}, $line);
    }
    return 1;
}

sub show {
    my ($e) = @_;
    return ($e->{what}, map({ "     $_->{text}" } @{ $e->{stack} }),
        map { (" $_->{what}", map { "     $_->{text}" } @{ $_->{stack} }) } @{ $e->{aux} });
}

sub check_errors {
    my ($t, $text) = @_;
    my (@bad, %used);
    for my $got (Report::errors($text)) {
        my ($want) = grep { matches($t, $_, $got) && ($_->{mark} eq '*' || !$used{$_}) } @{ $t->{expect} };
        if ($want) { $used{$want} = 1 } else { push @bad, 'unexpected: ', show($got) }
    }
    for (grep { !$used{$_} && $_->{mark} eq '' } @{ $t->{expect} }) {
        push @bad, "missing at line $_->{line}: $_->{what}",
            map { " $_->{what}" . ($_->{label} ? " [$_->{label}]" : '') } @{ $_->{aux} };
    }
    return @bad;
}

sub check_lines {
    my ($t, $text) = @_;
    my @lines = map { Report::normalise($_) } Report::lines($text);
    my @bad;
    my $count = sub {
        my ($pattern) = @_;
        return scalar grep { /$1/ } @lines if $pattern =~ m,^/(.*)/$,;
        return scalar grep { index($_, $pattern) >= 0 } @lines;
    };
    push @bad, map { "no line: $_" } grep { !$count->($_) } @{ $t->{LINE} };
    push @bad, map { "has line: $_" } grep { $count->($_) } @{ $t->{NOLINE} };
    return @bad;
}

sub check_end {
    my ($t, $r) = @_;
    my $want = $t->{EXIT} // 0;
    my $good = $want =~ /^\d+$/ ? !$r->{signal} && $r->{status} == $want
                                : $r->{signal} == $signal_number{$want};
    return () if $good && !$r->{timeout};
    return 'ends with ' . Run::how_it_ended($r) . ", wanted $want";
}

sub missing_need {
    my ($t) = @_;
    for (@{ $t->{NEEDS} }) {
        if (/^cpu:(.*)/) {
            return "no $1 in this CPU" unless Run::slurp('/proc/cpuinfo') =~ /^flags.*\b\Q$1\E\b/m;
        } elsif (!Run::have($_)) {
            return "no $_ here";
        }
    }
    return undef;
}

# How it ended, what it reported, and the names of the files with that.
sub run_under_tool {
    my ($t, $more) = @_;
    my $tool = $t->{TOOL} // 'memcheck';
    my $base = "$work/$t->{name}" . ($more =~ s/[^\w=-]//gr);
    my @options = map { s/\@src\@/$source_dir/gr =~ s/\@work\@/$work/gr } split ' ', $t->{OPTIONS} // '';
    unlink "$base.log";
    my %env = (VALGRIND_OPTS => undef, map { split /=/, $_, 2 } @{ $t->{ENV} });
    my $r = Run::run(
        cmd => [$checker, "--tool=$tool", "--log-file=$base.log", split(' ', $more), @options,
            "$work/$t->{name}", split ' ', $t->{ARGS} // ''],
        env => \%env, base => $base, dir => $work);
    return ($r, Run::slurp("$base.log") . ($r->{err} =~ s/^(?!==|--|\*\*).*\n//mgr), $base);
}

# The same errors, however the threads ran.
sub compare_runs {
    my ($t, $log) = @_;
    my (undef, $other) = run_under_tool($t, "$more $compare");
    my ($one, $two) = map {
        join "\n", sort map { join "\n", map { Report::normalise($_) } show($_) } Report::errors($_)
    } $log, $other;
    return $one eq $two ? () : ("with $compare: ", split(/\n/, $two), 'but without: ', split /\n/, $one);
}

sub test {
    my ($t) = @_;
    my $missing = missing_need($t);
    return ('SKIP', $missing) if $missing;
    return ('SKIP', "Valgrind differs: $t->{DIFFERS}") if $by_valgrind && $t->{DIFFERS};
    my $error = compile($t);
    return (0, $error) if $error;
    my ($r, $log, $base) = run_under_tool($t, $more);
    my @bad = (check_end($t, $r), check_errors($t, $log), check_lines($t, $log));
    my $stdout = join '', map { "$_\n" } @{ $t->{STDOUT} };
    push @bad, compare_runs($t, $log) if $compare && ($t->{TOOL} // 'memcheck') eq 'memcheck';
    push @bad, "stdout: $r->{out}", "wanted: $stdout" if @{ $t->{STDOUT} } && $stdout ne $r->{out};
    return (1) unless @bad;
    push @bad, 'stderr: ' . substr $r->{err}, 0, 2000 if $r->{err} ne '' && $r->{err} !~ /^==/;
    push @bad, "kept: $base.log" if $keep;
    return (0, @bad);
}

my @tests;
for my $path (sort glob("'$source_dir'/*.c '$source_dir'/*.cc")) {
    my $t = parse($path);
    next if @names && !grep { $_ eq $t->{name} } @names;
    if ($compile_only) {
        compile($t) unless missing_need($t);
        next;
    }
    push @tests, [$t->{name}, sub { test($t) }];
}
exit 0 if $compile_only;
exit(Run::tap_parallel(@tests) ? 1 : 0);
