/* Loaded before the C library: calls that reach the disk fail with EIO, as the file $FAILING_DISK says.
 *
 * It holds "CALL PART SKIP": CALL is write or fsync, PART a part of the file's path, SKIP how many such calls succeed
 * first. Without the file every call goes through. Counting begins anew when the file is another one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static long seen;
static ino_t order;

static int fails(const char *call, int fd) {
    const char *file = getenv("FAILING_DISK");
    char link[64], path[PATH_MAX], wanted[16], part[256];
    struct stat now;
    long skip;
    if (file == NULL || stat(file, &now) != 0) return 0;
    FILE *told = fopen(file, "r");
    if (told == NULL) return 0;
    int read = fscanf(told, "%15s %255s %ld", wanted, part, &skip);
    fclose(told);
    if (read != 3 || strcmp(wanted, call) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strstr(path, part) == NULL) return 0;
    if (now.st_ino != order) { order = now.st_ino; seen = 0; }
    if (__sync_fetch_and_add(&seen, 1) < skip) return 0;
    errno = EIO;
    return 1;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *buffer, size_t count) { REAL(write); return fails("write", fd) ? -1 : real(fd, buffer, count); }
ssize_t writev(int fd, const struct iovec *parts, int count) { REAL(writev); return fails("write", fd) ? -1 : real(fd, parts, count); }
ssize_t pwrite(int fd, const void *buffer, size_t count, off_t at) { REAL(pwrite); return fails("write", fd) ? -1 : real(fd, buffer, count, at); }
ssize_t pwrite64(int fd, const void *buffer, size_t count, off64_t at) { REAL(pwrite64); return fails("write", fd) ? -1 : real(fd, buffer, count, at); }
int fsync(int fd) { REAL(fsync); return fails("fsync", fd) ? -1 : real(fd); }
int fdatasync(int fd) { REAL(fdatasync); return fails("fsync", fd) ? -1 : real(fd); }
