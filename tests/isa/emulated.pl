#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Runs commands on an emulated processor: a PC in Bochs boots Linux with a small root file system in
# memory, runs the commands there and powers off.  So instructions that this machine's processor
# lacks can be tested (docs/howto/avx512.md).
#
#   emulated.pl [--cpu=MODEL] [--features=LIST] [--bochs=PROGRAM] [--kernel=VMLINUZ] [--dir=DIR] [--timeout=SECONDS]
#               [--memory=MIB] [--file=PATH[:PLACE]]... COMMAND...
#
# Each --file is put at the same place, or at PLACE, with the libraries that it needs; DIR is made
# anew.  The console goes to standard output from the first command on.  Exit status: 0 if all
# commands ended with 0, 2 if something that this needs is missing (and says what).
use strict;
use warnings;
use Fcntl qw(S_ISLNK S_ISDIR);
use File::Path qw(make_path remove_tree);
use Getopt::Long qw(:config require_order);

my %opt = (cpu => 'corei7_skylake_x',
           features => 'avx512ifma52,avx512vbmi,avx512vbmi2,avx512vnni,avx512bitalg,avx512vpopcnt,'
                     . 'avx512vp2intersect,avx512bf16,avx512fp16,gfni,vaes_vpclmulqdq,sha',
           bochs => 'bochs-bin', dir => '/tmp/gimle-emulated',
           timeout => 3000, memory => 768);
GetOptions(\%opt, 'cpu=s', 'features=s', 'bochs=s', 'kernel=s', 'dir=s', 'timeout=i', 'memory=i', 'file=s@')
    or exit 1;

# What is needed, and the Debian package that has it.
my %need = (isolinux => ['/usr/lib/ISOLINUX/isolinux.bin', 'isolinux'],
            ldlinux => ['/usr/lib/syslinux/modules/bios/ldlinux.c32', 'syslinux-common'],
            bios => ['/usr/share/bochs/BIOS-bochs-latest', 'bochsbios'],
            vga => ['/usr/share/vgabios/vgabios.bin', 'vgabios'],
            busybox => ['/bin/busybox', 'busybox-static']);

sub missing { print "needs $_[0]\n"; exit 2 }

sub find_program {
    my ($name, $package) = @_;
    return $name if $name =~ m{/} && -x $name;
    -x "$_/$name" and return "$_/$name" for split /:/, $ENV{PATH};
    missing("$name (package $package)");
}

# ---- the root file system: an archive in the format that the kernel unpacks ----

my ($archive, $inode, %archived) = ('', 1);

sub add_entry {
    my ($place, $mode, $data) = @_;
    $place =~ s{^/+}{};
    return if $archived{$place}++;
    add_directory($1) if $place =~ m{^(.*)/[^/]*$};
    $archive .= sprintf('070701' . '%08X' x 13, $inode++, $mode, 0, 0, 1, 0, length $data, 0, 0, 0, 0,
                        length($place) + 1, 0) . "$place\0";
    $archive .= "\0" x (-length($archive) % 4);
    $archive .= $data;
    $archive .= "\0" x (-length($archive) % 4);
}

sub add_directory { add_entry($_[0], 040755, '') }

sub slurp {
    open my $f, '<:raw', $_[0] or missing($_[0]);
    local $/;
    return scalar <$f>;
}

# A file with the libraries that it needs; programs lose their debug information.
sub add_file {
    my ($path, $place) = @_;
    my $data = slurp($path);
    if ($data =~ /^\x7fELF/) {
        my $stripped = "$opt{dir}/stripped";
        $data = slurp($stripped) if system('strip', '-g', '-o', $stripped, $path) == 0;
        for (qx(ldd '$path' 2>/dev/null)) {
            add_file($1, $1) if m{(/\S+) \(0x} && !$archived{substr $1, 1};
        }
    }
    add_entry($place, 0100755, $data);
}

sub init_script {
    my $s = "#!/bin/busybox sh\n/bin/busybox --install -s /bin\n"
        . "mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev\n"
        . "ip link set lo up\nexport PATH=/bin:/usr/bin HOME=/tmp TERM=dumb\ncd /tmp\n"
        . "echo '#### begin'\nfailed=0\n";
    $s .= "$_\ne=\$?; [ \$e = 0 ] || { echo \"#### status \$e\"; failed=1; }\n" for @ARGV;
    return $s . "echo \"#### end \$failed\"\nsleep 2; poweroff -f\n";
}

sub make_archive {
    add_directory($_) for qw(dev proc sys tmp root usr/bin lib64);
    add_entry('etc/passwd', 0100644, "root::0:0:root:/tmp:/bin/sh\n");
    add_entry('dev/console', 020600, '');
    add_file($need{busybox}[0], '/bin/busybox');
    for (@{ $opt{file} || [] }) {
        my ($path, $place) = split /:/;
        add_file($path, $place || $path);
    }
    add_entry('init', 0100755, init_script());
    add_entry('TRAILER!!!', 0, '');
}

# ---- the machine ----

sub write_file {
    my ($path, $data) = @_;
    open my $f, '>:raw', $path or die "$path: $!\n";
    print $f $data;
    close $f or die "$path: $!\n";
}

# 5-level paging and the supervisor states of XSAVE trouble emulator and kernel with each other.
sub make_disc {
    my $iso = "$opt{dir}/iso";
    make_path("$iso/isolinux");
    write_file("$iso/isolinux/isolinux.bin", slurp($need{isolinux}[0]));
    write_file("$iso/isolinux/ldlinux.c32", slurp($need{ldlinux}[0]));
    write_file("$iso/vmlinuz", slurp($opt{kernel}));
    write_file("$iso/initrd", $archive);
    system('gzip', '-1', "$iso/initrd") == 0 or die "gzip failed\n";
    write_file("$iso/isolinux/isolinux.cfg", "DEFAULT l\nLABEL l\n KERNEL /vmlinuz\n"
               . " INITRD /initrd.gz\n APPEND console=ttyS0 loglevel=6 nokaslr no5lvl noxsaves"
               . " mitigations=off lsm=none random.trust_cpu=on panic=0\n");
    system("cd '$opt{dir}' && xorriso -as mkisofs -quiet -o disc.iso -b isolinux/isolinux.bin"
           . " -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table iso"
           . " >xorriso.log 2>&1") == 0 or die "xorriso failed\n";
}

sub write_config {
    write_file("$opt{dir}/bochsrc", <<"END");
config_interface: textconfig
display_library: $_[0]
memory: guest=$opt{memory}, host=$opt{memory}
romimage: file=$need{bios}[0]
vgaromimage: file=$need{vga}[0]
cpu: model=$opt{cpu}, count=1, ips=100000000, reset_on_triple_fault=0, add_features="$opt{features}"
clock: sync=none, time0=utc
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=serial.txt
log: bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
END
    write_file("$opt{dir}/start", "c\n");
}

# Debian's emulator has a debugger that must be told to go on, and no display library for nothing.
sub start_emulator {
    my $bochs = find_program($opt{bochs}, 'bochs');
    my $debian = slurp($bochs) =~ /debugger interrupt request/;
    write_config($debian ? 'rfb, options="timeout=0"' : 'nogui');
    my @args = ('-q', '-f', 'bochsrc', $debian ? ('-rc', 'start') : ());
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    chdir $opt{dir} or die "$opt{dir}: $!\n";
    open STDOUT, '>', 'bochs.out' or die;
    open STDERR, '>&', \*STDOUT or die;
    pipe my $in, my $out or die; # never at its end
    open STDIN, '<&', $in or die;
    exec $bochs, @args or die "$bochs: $!\n";
}

# Pass on what the console shows; returns the final status, undef if there was no end.
sub follow_console {
    my ($pid) = @_;
    my ($begun, $rest, $at, $end) = (0, '', 0, time + $opt{timeout});
    while (time < $end) {
        my $gone = waitpid($pid, 1) != 0;
        if (open my $f, '<:raw', "$opt{dir}/serial.txt") {
            seek $f, $at, 0;
            local $/;
            my $new = <$f> // '';
            $at += length $new;
            $rest .= $new;
        }
        while ($rest =~ s/^([^\n]*)\r?\n//) {
            (my $line = $1) =~ s/\r//g;
            return $1 if $line =~ /^#### end (\d)/;
            print "$line\n" if $begun;
            $begun ||= $line eq '#### begin';
        }
        return undef if $gone;
        select undef, undef, undef, 0.5;
    }
    return undef;
}

$| = 1;
for (sort keys %need) {
    missing("$need{$_}[0] (package $need{$_}[1])") if !-e $need{$_}[0];
}
find_program('xorriso', 'xorriso');
$opt{kernel} //= (sort glob '/boot/vmlinuz-*')[-1];
missing('a kernel: --kernel=FILE, as in package linux-image-cloud-amd64') if !$opt{kernel};
remove_tree($opt{dir});
make_path($opt{dir});
make_archive();
make_disc();
my $pid = start_emulator();
my $status = follow_console($pid);
kill 'KILL', $pid;
waitpid $pid, 0;
print "#### no end; see $opt{dir}/serial.txt and bochs.log\n" if !defined $status;
exit(defined $status ? $status : 1);
