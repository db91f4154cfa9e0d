// SPDX-License-Identifier: MIT
// File calls behave as without us: contents, directories, links, times, locks, vectored and positioned I/O.
// TOOL: none
// STDOUT: ok
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { printf("line %d: %s (errno %d)\n", __LINE__, #x, errno); exit(1); } } while (0)

int main(void)
{
    char dir[] = "/tmp/sys_files_XXXXXX", buf[256], link[256];
    struct stat st;
    struct statx sx;
    struct statfs fs;
    MUST(mkdtemp(dir) && chdir(dir) == 0);
    int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0640);
    MUST(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == (0640 & ~umask(022)));
    umask(022);
    MUST(write(fd, "hello world", 11) == 11 && lseek(fd, 0, SEEK_CUR) == 11);
    MUST(pread(fd, buf, 5, 6) == 5 && memcmp(buf, "world", 5) == 0);
    MUST(pwrite(fd, "W", 1, 6) == 1);
    struct iovec v[2] = { { buf, 6 }, { buf + 100, 50 } };
    MUST(preadv(fd, v, 2, 0) == 11 && memcmp(buf + 100, "World", 5) == 0);
    MUST(lseek(fd, 0, SEEK_SET) == 0 && readv(fd, v, 2) == 11);
    v[1].iov_len = 5;
    MUST(pwritev(fd, v, 2, 20) == 11 && fstat(fd, &st) == 0 && st.st_size == 31);
    MUST(preadv2(fd, v, 2, 20, 0) == 11 && memcmp(buf, "hello ", 6) == 0);
    MUST(ftruncate(fd, 5) == 0 && stat("a", &st) == 0 && st.st_size == 5);
    MUST(posix_fallocate(fd, 0, 100) == 0 && fsync(fd) == 0 && fdatasync(fd) == 0);
    MUST(statx(AT_FDCWD, "a", 0, STATX_SIZE, &sx) == 0 && sx.stx_size == 100);
    MUST(symlink("a", "s") == 0 && readlink("s", link, sizeof link) == 1 && link[0] == 'a');
    MUST(lstat("s", &st) == 0 && S_ISLNK(st.st_mode));
    MUST(linkat(AT_FDCWD, "a", AT_FDCWD, "b", 0) == 0 && stat("b", &st) == 0 && st.st_nlink == 2);
    MUST(rename("b", "c") == 0 && access("b", F_OK) == -1 && errno == ENOENT);
    MUST(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "a", 1) == -1 && errno == EEXIST);
    MUST(mkdir("d", 0700) == 0 && unlinkat(AT_FDCWD, "d", AT_REMOVEDIR) == 0);
    struct timespec ts[2] = { { 1000000, 5 }, { 2000000, 6 } };
    MUST(utimensat(AT_FDCWD, "a", ts, 0) == 0 && stat("a", &st) == 0 && st.st_mtim.tv_sec == 2000000);
    MUST(chmod("a", 0600) == 0 && fchmodat(AT_FDCWD, "a", 0644, 0) == 0);
    MUST(flock(fd, LOCK_EX) == 0 && flock(fd, LOCK_UN) == 0);
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    MUST(fcntl(fd, F_SETLK, &l) == 0);
    l.l_type = F_RDLCK;
    MUST(fcntl(fd, F_GETLK, &l) == 0 && l.l_type == F_UNLCK);
    MUST(fcntl(fd, F_SETFL, O_APPEND) == 0 && (fcntl(fd, F_GETFL) & O_APPEND));
    int out = open("o", O_WRONLY | O_CREAT, 0600);
    off_t off = 0;
    MUST(sendfile(out, fd, &off, 10) == 10 && off == 10);
    off = 0;
    MUST(copy_file_range(fd, &off, out, NULL, 10, 0) == 10);
    MUST(statfs(".", &fs) == 0 && fs.f_bsize > 0 && fstatfs(fd, &fs) == 0);
    int n = 0;
    DIR *dp = opendir(".");
    for (struct dirent *e; (e = readdir(dp));)
        n += e->d_name[0] != '.';
    closedir(dp);
    MUST(n == 4); /* a s c o */
    MUST(getcwd(buf, sizeof buf) && strcmp(buf, dir) == 0);
    int dfd = open(".", O_DIRECTORY | O_PATH);
    MUST(dfd >= 0 && openat(dfd, "a", O_RDONLY) >= 0 && fchdir(dfd) == 0);
    int m = memfd_create("m", MFD_ALLOW_SEALING);
    MUST(m >= 0 && fcntl(m, F_ADD_SEALS, F_SEAL_GROW) == 0 && fcntl(m, F_GET_SEALS) == F_SEAL_GROW);
    MUST(open("/no-such-file/x", O_RDONLY) == -1 && errno == ENOENT);
    MUST(open(NULL, O_RDONLY) == -1 && errno == EFAULT);
    MUST(read(fd, (void *)-1L, 10) == -1);
    MUST(close(999) == -1 && errno == EBADF);
    MUST(unlink("a") == 0 && unlink("s") == 0 && unlink("c") == 0 && unlink("o") == 0);
    MUST(chdir("/") == 0 && rmdir(dir) == 0);
    puts("ok");
    return 0;
}
