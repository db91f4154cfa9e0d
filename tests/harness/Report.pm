# SPDX-License-Identifier: MIT
# Reads memcheck's text output (ours or Valgrind's, they are the same) into a structure, so that
# tests compare events and not text that changes with libc, distribution and addresses.
package Report;
use strict;
use warnings;

# Returns the lines without their "==PID== " prefix; other lines are left out.
sub lines {
    my ($text) = @_;
    my @out;
    for my $line (split /\n/, $text) {
        push @out, $1 if $line =~ /^(?:==|\*\*|--)(?:[\d:.]+ )?\d+(?:==|\*\*|--) ?(.*)$/;
    }
    return @out;
}

# Makes text comparable between runs.
sub normalise {
    my ($s) = @_;
    $s =~ s/\b0x[0-9A-Fa-f]+/0xADDR/g;
    $s =~ s/in loss record [\d,]+ of [\d,]+/in loss record N of N/;
    $s =~ s/\s+$//;
    return $s;
}

# One frame: { fn, file, line, obj }
sub frame {
    my ($text) = @_;
    my %f = (text => $text);
    if ($text =~ /^(.*) \(([^():]+):(\d+)\)$/) {
        @f{qw(fn file line)} = ($1, $2, $3);
        $f{file} =~ s,.*/,,;
    } elsif ($text =~ /^(.*) \((?:with)?in ([^()]+)\)$/) {
        @f{qw(fn obj)} = ($1, $2);
    } else {
        $f{fn} = $text;
    }
    return \%f;
}

# Returns the errors: { what, stack => [frames], aux => [{ what, stack }] }
sub errors {
    my ($text) = @_;
    my (@errors, $error, $stack);
    my $finish = sub {
        # descriptors listed by --track-fds have stacks but are no errors
        push @errors, $error
            if $error && @{ $error->{stack} } && $error->{what} !~ /^Open (?:file descriptor|AF_)/;
        ($error, $stack) = (undef, undef);
    };
    for my $line (lines($text)) {
        if ($line =~ /^\s*$/) {
            $finish->();
        } elsif ($line =~ /^   (?:at|by) 0x[0-9A-F]+: (.*)$/) {
            push @$stack, frame($1) if $stack;
        } elsif ($error && $line =~ /^ (\S.*)$/ && @{ $error->{stack} }) {
            $stack = [];
            push @{ $error->{aux} }, { what => normalise($1), stack => $stack };
        } elsif ($line =~ /^(?:Thread \d+.*:)$/) {
            next;
        } elsif ($line =~ /^\S/ && !($error && @{ $error->{stack} })) {
            $stack = [];
            $error = { what => normalise($line), stack => $stack, aux => [] };
        } elsif ($line =~ /^\S/) {
            $finish->();
            $stack = [];
            $error = { what => normalise($line), stack => $stack, aux => [] };
        }
    }
    $finish->();
    return @errors;
}

# "kind: fn <- fn": what makes two reports the same on different days.
sub signature {
    my ($e) = @_;
    my @fns = map { $_->{fn} } grep { ($_->{file} // '') !~ /^vg_replace|^mc_replace/ }
        @{ $e->{stack} };
    @fns = @fns[0 .. 1] if @fns > 2;
    (my $what = $e->{what}) =~ s/[\d,]+/N/g;
    return join ' <- ', $what, map { s/@.*//r } @fns;
}

# Number in the line "ERROR SUMMARY: N errors from M contexts"; undef if there is no such line.
sub error_count {
    my ($text) = @_;
    return $text =~ /ERROR SUMMARY: ([\d,]+) errors/ ? $1 =~ s/,//gr : undef;
}

1;
