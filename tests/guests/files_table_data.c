/* What is in a file: reading, writing, positions, length, and files that have no name any more. */
#include "files_table.h"

#include <limits.h>
#include <sys/uio.h>

static char buffer[64];

/* Reads that show what they got. */
#define READ(call) tell_bytes(#call, buffer, (call))

static void reading_and_writing(void)
{
    int fd;
    OPEN(fd, open("file", O_RDWR | O_CREAT, 0666));
    TRY(write(fd, "0123456789", 10));
    TRY(lseek(fd, 0, SEEK_CUR));
    READ(read(fd, buffer, 4));
    TRY(lseek(fd, 2, SEEK_SET));
    READ(read(fd, buffer, 4));
    TRY(write(fd, "ab", 2));
    READ(read(fd, buffer, 40));
    READ(read(fd, buffer, 40));
    READ(read(fd, buffer, 0));
    TRY(write(fd, "", 0));
    READ(pread(fd, buffer, 3, 1));
    READ(pread(fd, buffer, 40, 8));
    READ(pread(fd, buffer, 4, 10));
    READ(pread(fd, buffer, 4, 1000));
    READ(pread(fd, buffer, 4, -1));
    READ(pread(fd, buffer, 4, LLONG_MAX));
    TRY(pwrite(fd, "XY", 2, 0));
    TRY(pwrite(fd, "Z", 1, 12));
    TRY(pwrite(fd, "Z", 1, -1));
    TRY(pwrite(fd, "Z", 1, LLONG_MAX));
    TRY(pwrite(fd, "", 0, 100));
    TRY(lseek(fd, 0, SEEK_CUR));
    HOLDS("file");
    close(fd);
}

static void positions(void)
{
    int fd;
    OPEN(fd, open("file", O_RDWR));
    TRY(lseek(fd, 0, SEEK_END));
    TRY(lseek(fd, -3, SEEK_END));
    READ(read(fd, buffer, 40));
    TRY(lseek(fd, -1, SEEK_CUR));
    TRY(lseek(fd, -100, SEEK_CUR));
    TRY(lseek(fd, -100, SEEK_END));
    TRY(lseek(fd, -1, SEEK_SET));
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(lseek(fd, 0, 77));
    TRY(lseek(fd, LLONG_MAX, SEEK_CUR));
    TRY(lseek(fd, LLONG_MAX, SEEK_SET));
    TRY(lseek(fd, 1LL << 40, SEEK_SET));
    READ(read(fd, buffer, 4));
    TRY(lseek(fd, 20, SEEK_SET));
    SEE("file");
    TRY(write(fd, "end", 3));
    SEE("file");
    HOLDS("file");
    TRY(lseek(fd, 5LL << 30, SEEK_SET));
    TRY(write(fd, "far", 3));
    SEE("file");
    READ(pread(fd, buffer, 4, (5LL << 30) - 1));
    close(fd);
}

static void appending(void)
{
    int appender, other;
    make_file("log", "one,");
    OPEN(appender, open("log", O_RDWR | O_APPEND));
    TRY(lseek(appender, 0, SEEK_CUR));
    READ(read(appender, buffer, 2));
    TRY(write(appender, "two,", 4));
    TRY(lseek(appender, 0, SEEK_CUR));
    OPEN(other, open("log", O_WRONLY));
    TRY(pwrite(other, "other,", 6, 8));
    TRY(write(appender, "three,", 6));
    TRY(lseek(appender, 0, SEEK_SET));
    TRY(write(appender, "four,", 5));
    TRY(pwrite(appender, "five,", 5, 0));
    TRY(ftruncate(appender, 3));
    TRY(write(appender, "!", 1));
    READ(pread(appender, buffer, 40, 0));
    close(appender);
    close(other);
    HOLDS("log");
}

static void length(void)
{
    struct stat status;
    int fd;
    make_file("length", "0123456789");
    OPEN(fd, open("length", O_RDWR));
    TRY(lseek(fd, 8, SEEK_SET));
    TRY(ftruncate(fd, 4));
    TRY(lseek(fd, 0, SEEK_CUR));
    READ(read(fd, buffer, 4));
    TRY(write(fd, "X", 1));
    HOLDS("length");
    TRY(ftruncate(fd, 12));
    HOLDS("length");
    TRY(ftruncate(fd, -1));
    TRY(ftruncate(fd, LLONG_MAX));
    TRY(ftruncate(fd, 1LL << 40));
    SEE("length");
    TRY(ftruncate(fd, 0));
    TRY_POSIX(posix_fallocate(fd, 0, 100));
    SEE("length");
    TRY_POSIX(posix_fallocate(fd, 50, 10));
    TRY_POSIX(posix_fallocate(fd, 150, 50));
    SEE("length");
    TRY_POSIX(posix_fallocate(fd, 0, 0));
    TRY_POSIX(posix_fallocate(fd, -1, 10));
    TRY_POSIX(posix_fallocate(fd, 0, -10));
    TRY_POSIX(posix_fallocate(fd, LLONG_MAX, 1));
    TRY_POSIX(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
    TRY_POSIX(posix_fadvise(fd, 0, 100, POSIX_FADV_DONTNEED));
    TRY_POSIX(posix_fadvise(fd, 0, 100, POSIX_FADV_WILLNEED));
    TRY_POSIX(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM));
    TRY_POSIX(posix_fadvise(fd, 0, 0, POSIX_FADV_NOREUSE));
    TRY_POSIX(posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL));
    TRY_POSIX(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL));
    TRY_POSIX(posix_fadvise(fd, 0, 0, 77));
    TRY(fsync(fd));
    TRY(fdatasync(fd));
    tell_status("fstat", fstat(fd, &status), &status);
    close(fd);
    TRY_POSIX(posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL));
    TRY_POSIX(posix_fallocate(fd, 0, 10));
    TRY(fsync(fd));
    TRY(fdatasync(fd));
    TRY(ftruncate(fd, 0));
    make_file("length", "0123456789");
    TRY(truncate("length", 3));
    HOLDS("length");
    TRY(truncate("length", 5));
    HOLDS("length");
    TRY(truncate("missing", 0));
    TRY(truncate(".", 0));
    TRY(truncate("length", -1));
    TRY(truncate("length/", 0));
}

static void vectors(void)
{
    char many[IOV_MAX + 1];
    struct iovec parts[IOV_MAX + 1];
    struct iovec three[] = {{"ab", 2}, {"", 0}, {"cde", 3}};
    struct iovec into[] = {{buffer, 1}, {buffer + 1, 0}, {buffer + 1, 40}};
    int fd;
    OPEN(fd, open("vectors", O_RDWR | O_CREAT, 0666));
    TRY(writev(fd, three, 3));
    TRY(writev(fd, three, 0));
    TRY(pwritev(fd, three, 3, 10));
    TRY(pwritev(fd, three, 3, -1));
    TRY(lseek(fd, 0, SEEK_SET));
    READ(readv(fd, into, 3));
    READ(readv(fd, into, 3));
    READ(preadv(fd, into, 3, 1));
    READ(preadv(fd, into, 2, 11));
    READ(preadv(fd, into, 0, 0));
    READ(preadv(fd, into, 3, -1));
    for (int i = 0; i <= IOV_MAX; i++)
        parts[i] = (struct iovec){memset(many + i, 'm', 1), 1};
    TRY(writev(fd, parts, IOV_MAX));
    TRY(writev(fd, parts, IOV_MAX + 1));
    SEE("vectors");
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(readv(fd, parts, IOV_MAX));
    close(fd);
}

/* More at once than a host takes in one piece. */
static void large_pieces(void)
{
    size_t size = 9 << 20;
    char *piece = malloc(size);
    int fd;
    need(piece != NULL, "memory");
    for (size_t i = 0; i < size; i++)
        piece[i] = (char)(i * 2654435761U >> 24);
    OPEN(fd, open("large", O_RDWR | O_CREAT, 0666));
    TRY(write(fd, piece, size));
    SEE("large");
    TRY(lseek(fd, 0, SEEK_SET));
    char *again = calloc(size + 100, 1);
    need(again != NULL, "memory");
    TRY(read(fd, again, size + 100));
    TRY(memcmp(piece, again, size));
    TRY(pwrite(fd, piece, size, 1));
    TRY(pread(fd, again, size, 1));
    TRY(memcmp(piece, again, size));
    close(fd);
    free(piece);
    free(again);
}

/* A file lives as long as somebody has it open. */
static void without_a_name(void)
{
    struct stat status;
    int fd, second;
    make_file("gone", "0123456789");
    OPEN(fd, open("gone", O_RDWR));
    OPEN(second, open("gone", O_RDONLY));
    TRY(unlink("gone"));
    SEE("gone");
    tell_status("fstat of what has no name", fstat(fd, &status), &status);
    READ(read(fd, buffer, 4));
    TRY(write(fd, "more", 4));
    READ(read(second, buffer, 40));
    TRY(ftruncate(fd, 2));
    READ(pread(second, buffer, 40, 0));
    make_file("gone", "new");
    READ(pread(fd, buffer, 40, 0));
    TRY(close(fd));
    HOLDS("gone");
    READ(pread(second, buffer, 40, 0));
    TRY(rename("gone", "moved"));
    make_file("over", "over");
    OPEN(fd, open("over", O_RDWR));
    TRY(rename("moved", "over"));
    READ(pread(fd, buffer, 40, 0));
    tell_status("fstat of what was renamed over", fstat(fd, &status), &status);
    HOLDS("over");
    close(fd);
    close(second);
}

int main(void)
{
    reading_and_writing();
    positions();
    appending();
    length();
    vectors();
    large_pieces();
    without_a_name();
    return 0;
}
