/* Opening: flags, what is created, what is refused, and what the descriptor then allows. */
#include "files_table.h"

static char buffer[16];

static void creating(void)
{
    OPENS(open("missing", O_RDONLY));
    OPENS(open("missing", O_WRONLY));
    OPENS(open("missing", O_RDWR | O_TRUNC));
    OPENS(open("new", O_WRONLY | O_CREAT, 0666));
    SEE("new");
    OPENS(open("new", O_WRONLY | O_CREAT, 0666));
    OPENS(open("new", O_WRONLY | O_CREAT | O_EXCL, 0666));
    OPENS(open("exclusive", O_RDWR | O_CREAT | O_EXCL, 0666));
    SEE("exclusive");
    OPENS(open("for-reading", O_RDONLY | O_CREAT, 0666));
    SEE("for-reading");
    OPENS(open("missing", O_RDWR | O_EXCL));
    OPENS(open("truncated", O_RDWR | O_CREAT | O_TRUNC | O_EXCL, 0666));
    OPENS(open("missing/file", O_WRONLY | O_CREAT, 0666));
    OPENS(open("new/file", O_WRONLY | O_CREAT, 0666));
    OPENS(open("new/file", O_RDONLY));
    OPENS(open("new/.", O_RDONLY));
    OPENS(open("new/..", O_RDONLY));
    OPENS(creat("created", 0666));
    SEE("created");
}

static void truncating(void)
{
    make_file("text", "0123456789");
    OPENS(open("text", O_WRONLY | O_CREAT, 0666));
    SEE("text");
    OPENS(open("text", O_WRONLY | O_CREAT | O_EXCL | O_TRUNC, 0666));
    HOLDS("text");
    OPENS(open("text", O_WRONLY | O_TRUNC));
    SEE("text");
    make_file("text", "0123456789");
    OPENS(open("text", O_RDWR | O_TRUNC | O_APPEND));
    SEE("text");
    make_file("text", "0123456789");
    OPENS(open("text", O_RDONLY | O_TRUNC));
    SEE("text");
    make_file("text", "0123456789");
    OPENS(open("folder", O_RDONLY | O_TRUNC));
    OPENS(open("folder", O_RDWR | O_TRUNC));
}

static void folders(void)
{
    int fd;
    OPENS(open("folder", O_RDONLY));
    OPENS(open("folder", O_RDONLY | O_DIRECTORY));
    OPENS(open("folder", O_RDONLY | O_NOFOLLOW));
    OPENS(open("folder", O_WRONLY));
    OPENS(open("folder", O_RDWR));
    OPENS(open("folder", O_RDWR | O_DIRECTORY));
    OPENS(open("folder", O_RDONLY | O_CREAT, 0666));
    OPENS(open("folder", O_WRONLY | O_CREAT, 0666));
    OPENS(open("folder", O_RDONLY | O_CREAT | O_EXCL, 0666));
    OPENS(open("folder", O_RDONLY | O_APPEND));
    OPENS(open("text", O_RDONLY | O_DIRECTORY));
    OPENS(open("text", O_RDWR | O_DIRECTORY));
    OPENS(open("missing", O_RDONLY | O_DIRECTORY));
    OPENS(open(".", O_RDONLY));
    OPENS(open(".", O_WRONLY));
    OPENS(open("folder/..", O_RDONLY));
    OPENS(open("folder/.", O_RDONLY | O_DIRECTORY));
    OPENS(open("folder/.", O_WRONLY | O_CREAT, 0666));
    OPENS(open("folder/..", O_WRONLY | O_CREAT, 0666));
    OPENS(open("folder/../text", O_RDONLY));
    OPENS(open("missing/../text", O_RDONLY));
    OPENS(open("text/../text", O_RDONLY));
    OPEN(fd, open("folder", O_RDONLY));
    TRY(read(fd, buffer, 4));
    TRY(read(fd, buffer, 0));
    TRY(pread(fd, buffer, 4, 0));
    TRY(write(fd, "x", 1));
    TRY(pwrite(fd, "x", 1, 0));
    TRY(ftruncate(fd, 0));
    TRY(fsync(fd));
    TRY(fdatasync(fd));
    close(fd);
}

static void trailing_slashes(void)
{
    OPENS(open("folder/", O_RDONLY));
    OPENS(open("folder//", O_RDONLY | O_DIRECTORY));
    OPENS(open("folder/", O_WRONLY));
    OPENS(open("text/", O_RDONLY));
    OPENS(open("text/", O_WRONLY));
    OPENS(open("text/", O_WRONLY | O_CREAT, 0666));
    OPENS(open("text/", O_RDONLY | O_DIRECTORY));
    OPENS(open("missing/", O_RDONLY));
    OPENS(open("missing/", O_WRONLY));
    OPENS(open("missing/", O_WRONLY | O_CREAT, 0666));
    OPENS(open("missing//", O_WRONLY | O_CREAT | O_EXCL, 0666));
    OPENS(open("folder/", O_WRONLY | O_CREAT, 0666));
    OPENS(open("folder/", O_WRONLY | O_CREAT | O_EXCL, 0666));
    OPENS(open("folder//inner", O_WRONLY | O_CREAT, 0666));
    OPENS(open("folder/./inner", O_RDONLY));
    SEE("folder//inner");
}

/* What a descriptor allows is what it was opened for. */
static void directions(void)
{
    int fd;
    OPEN(fd, open("text", O_RDONLY));
    TRY(write(fd, "x", 1));
    TRY(write(fd, "x", 0));
    TRY(pwrite(fd, "x", 1, 0));
    TRY(ftruncate(fd, 1));
    TRY_POSIX(posix_fallocate(fd, 0, 100));
    TRY(fsync(fd));
    TRY(fdatasync(fd));
    TRY(read(fd, buffer, 4));
    close(fd);
    OPEN(fd, open("text", O_WRONLY));
    TRY(read(fd, buffer, 4));
    TRY(read(fd, buffer, 0));
    TRY(pread(fd, buffer, 4, 0));
    TRY(write(fd, "ab", 2));
    close(fd);
    OPEN(fd, open("text", O_WRONLY | O_APPEND));
    TRY(read(fd, buffer, 4));
    TRY(write(fd, "yz", 2));
    close(fd);
    HOLDS("text");
    OPENS(open("text", O_RDONLY | O_NONBLOCK));
    OPENS(open("text", O_RDONLY | O_NOFOLLOW));
    OPENS(open("text", O_RDWR | O_SYNC));
    OPENS(open("text", O_RDWR | O_DSYNC));
    OPENS(open("text", O_RDWR | O_CLOEXEC));
}

static void tell_flags(const char *what, int flags)
{
    if (flags == -1) {
        printf("%s -> %s\n", what, error_name(errno));
        return;
    }
    int mode = flags & O_ACCMODE;
    const char *direction = mode == O_RDONLY ? "read" : mode == O_WRONLY ? "write" : mode == O_RDWR ? "both" : "none";
    printf("%s -> %s%s%s%s%s\n", what, direction, flags & O_APPEND ? " append" : "",
           flags & O_NONBLOCK ? " nonblock" : "", (flags & O_SYNC) == O_SYNC ? " sync" : "",
           flags & O_DSYNC ? " dsync" : "");
}

static void flags_of(const char *what, const char *path, int flags)
{
    int fd = open(path, flags);
    tell_flags(what, fd < 0 ? -1 : fcntl(fd, F_GETFL));
    close(fd);
}

#define FLAGS(path, flags) flags_of("flags of " path " " #flags, path, flags)

static void flags(void)
{
    int fd;
    FLAGS("text", O_RDONLY);
    FLAGS("text", O_WRONLY);
    FLAGS("text", O_RDWR);
    FLAGS("text", O_RDWR | O_APPEND);
    FLAGS("text", O_WRONLY | O_APPEND | O_CREAT);
    FLAGS("text", O_RDONLY | O_NONBLOCK);
    FLAGS("text", O_WRONLY | O_DSYNC);
    FLAGS("text", O_WRONLY | O_SYNC);
    FLAGS("folder", O_RDONLY);
    FLAGS("folder", O_RDONLY | O_NONBLOCK);
    OPEN(fd, open("text", O_RDWR));
    TRY(write(fd, "AB", 2));
    TRY(fcntl(fd, F_SETFL, O_APPEND));
    tell_flags("flags after F_SETFL O_APPEND", fcntl(fd, F_GETFL));
    TRY(write(fd, "CD", 2));
    TRY(fcntl(fd, F_SETFL, O_NONBLOCK));
    tell_flags("flags after F_SETFL O_NONBLOCK", fcntl(fd, F_GETFL));
    TRY(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
    tell_flags("flags after F_SETFL of both", fcntl(fd, F_GETFL));
    TRY(fcntl(fd, F_SETFL, 0));
    tell_flags("flags after F_SETFL 0", fcntl(fd, F_GETFL));
    TRY(lseek(fd, 1, SEEK_SET));
    TRY(write(fd, "_", 1));
    TRY(fcntl(fd, F_GETFD));
    TRY(fcntl(fd, F_SETFD, FD_CLOEXEC));
    close(fd);
    HOLDS("text");
    TRY(fcntl(fd, F_GETFL));
    TRY(fcntl(-1, F_GETFL));
}

/* Descriptors that are none, and the number that is given out next. */
static void numbers(void)
{
    struct stat status;
    int first, second;
    OPEN(first, open("text", O_RDONLY));
    OPEN(second, open("text", O_RDONLY));
    printf("the second descriptor follows the first -> %d\n", second - first);
    TRY(close(first));
    OPEN(first, openat(AT_FDCWD, "text", O_RDONLY));
    printf("a closed number is given out again -> %d\n", second - first);
    TRY(close(second));
    TRY(close(second));
    TRY(read(second, buffer, 1));
    TRY(lseek(second, 0, SEEK_CUR));
    TRY(fstat(second, &status));
    TRY(close(-1));
    TRY(read(-1, buffer, 1));
    TRY(write(-1, buffer, 1));
    TRY(close(100000));
    OPENS(openat(first, "text", O_RDONLY));
    OPENS(openat(second, "text", O_RDONLY));
    OPENS(openat(first, "", O_RDONLY));
    TRY(mkdirat(first, "below", 0777));
    TRY(fstatat(first, "below", &status, 0));
    TRY(close(first));
}

int main(void)
{
    make_folder("folder");
    creating();
    truncating();
    folders();
    trailing_slashes();
    directions();
    flags();
    numbers();
    return 0;
}
