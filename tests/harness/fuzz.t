#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Corrupt symbols, debug information and unwind tables of a program that makes errors: the program runs as
# if nothing were wrong, its errors are reported with whatever can be read, and Gimle never fails.
#   fuzz.t [--count=N] [--seed=S] [--keep]      --count: cases of each program [10]
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use Run;

my ($count, $seed, $keep) = (10, 1, 0);
for (@ARGV) {
    if (/^--count=(\d+)/) { $count = $1 }
    elsif (/^--seed=(\d+)/) { $seed = $1 }
    elsif (/^--keep/) { $keep = 1 }
}
my $build = Cwd::abs_path($ENV{builddir} || '.');
my $gimle = $ENV{GIMLE_CHECKER} || "$build/gimle";
my $work = "$build/tests/fuzz-work";
File::Path::remove_tree($work);
File::Path::make_path($work);

Run::spew("$work/p.cc", <<'CC');
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>
namespace some { template <class T> struct Holder { T value; std::vector<T> rest; T get(size_t i) const { return rest[i]; } }; }
struct Point { int x, y[3]; union { float f; unsigned bits : 7; }; };
static Point points[4] = { { 1, { 2, 3, 4 }, { 5 } } };
static inline __attribute__((always_inline)) int inlined(volatile char *p) { Point local = points[1]; return p[10] + local.y[2]; }
__attribute__((noinline)) static int deep(int n, char *p) { if (n) return deep(n - 1, p); try { throw std::string(p); } catch (std::string &s) { return (inlined(p) & 0) + (int)s.size(); } }
int main()
{
    char *p = (char *)calloc(10, 1);
    some::Holder<int> h = { 7, { 1, 2, 3 } };
    int undefined[2];
    if (((volatile int *)undefined)[1] == 12345)
        puts("?");
    int r = deep(3, p) + h.get(2);
    printf("result %d\n", r);
    return r;
}
CC
my %flags = ('plain' => '-g', 'compressed' => '-g -gz', 'dwarf 4' => '-gdwarf-4 -fdebug-types-section -O1',
    'symbols only' => '');
my %image;
for (sort keys %flags) {
    system("g++ $flags{$_} -w -fno-stack-protector -o '$work/p' '$work/p.cc'") == 0 or die 'no compiler';
    $image{$_} = Run::slurp("$work/p");
}

# Where what only we read stands in the file: [name, offset, size], the section headers too.
sub readable_sections {
    my ($elf) = @_;
    my ($shoff) = unpack 'x40 Q<', $elf;
    my ($size, $n, $names) = unpack 'x58 S<3', $elf;
    my @headers = map { [unpack 'L<2 Q<4', substr $elf, $shoff + $_ * $size, $size] } 0 .. $n - 1;
    my @found = (['section headers', $shoff, $n * $size]);
    for (@headers) {
        my ($name, $type, $flags, undef, $offset, $bytes) = @$_;
        my $text = unpack 'Z*', substr $elf, $headers[$names][4] + $name, 64;
        push @found, [$text, $offset, $bytes] if $type != 0 && $type != 8 && $bytes && (!($flags & 2) || $text =~ /build-id/);
    }
    return @found;
}

# A generator of our own, so that a seed means the same everywhere.
my $state;
sub roll {
    my ($below) = @_;
    $state = ($state * 1103515245 + 12345) & 0x7fffffff;
    return int(($state >> 8) * $below / (1 << 23));
}

sub corrupt {
    my ($elf, $case) = @_;
    $state = $seed * 7919 + $case * 104729;
    roll(2) for 1 .. 3;
    my @sections = readable_sections($elf);
    my @said;
    for (0 .. roll(4)) {
        my ($name, $offset, $size) = @{ $sections[roll(scalar @sections)] };
        my $at = $offset + roll($size);
        my $room = $offset + $size - $at;
        my $bytes = (
            sub { chr roll(256) }, sub { "\xff" x (1 + roll(64)) }, sub { "\0" x (1 + roll(64)) },
            sub { pack 'L<', (0xffffffff, 0x7fffffff, 0x80000000, 0x7ffffff0, 1)[roll(5)] },
            sub { chr(ord(substr $elf, $at, 1) ^ 1 << roll(8)) },
            sub { pack 'Q<', (~0, 1 << 63, (1 << 63) - 1, 1 << 32)[roll(4)] },
            sub { substr $elf, $offset + roll($size), 1 + roll(200) },
            sub { join '', map { chr roll(256) } 0 .. roll(40) },
        )[roll(8)]->();
        $bytes = substr $bytes, 0, $room;
        substr($elf, $at, length $bytes) = $bytes;
        push @said, "$name+" . ($at - $offset) . ' ' . unpack('H*', $bytes);
    }
    return ($elf, join ', ', @said);
}

sub run_cases {
    my ($kind) = @_;
    my @bad;
    (my $dir = "$work/$kind") =~ s/ /-/g;
    File::Path::make_path($dir);
    for my $case (1 .. $count) {
        my ($elf, $what) = corrupt($image{$kind}, $case);
        Run::spew("$dir/p", $elf);
        chmod 0755, "$dir/p";
        my $r = Run::run(cmd => [$gimle, '--cache-dir=no', '--leak-check=full', '--track-origins=yes', '--read-var-info=yes', "$dir/p"],
            base => "$dir/run", timeout => 300);
        my @wrong;
        push @wrong, 'ends with ' . Run::how_it_ended($r) if $r->{signal} || $r->{timeout} || $r->{status} != 3;
        push @wrong, "prints $r->{out}" if $r->{out} ne "result 3\n";
        push @wrong, 'reports no error' unless $r->{err} =~ /Invalid read of size 1/ && $r->{err} =~ /ERROR SUMMARY: [1-9]/;
        push @wrong, 'the core failed' if $r->{err} =~ /bug of Gimle/;
        push @bad, "case $case ($what)", map({ "  $_" } @wrong), map { "    $_" } grep { defined } (split /\n/, $r->{err})[0 .. 5] if @wrong;
        rename "$dir/p", "$dir/p.$case" if @wrong && $keep;
    }
    return (!@bad, @bad ? @bad : "$count cases");
}

exit(Run::tap_parallel(map { my $kind = $_; ["corrupt $kind", sub { run_cases($kind) }] } sort keys %flags) ? 1 : 0);
