/* Times of files: set to moments, to now, left alone, and moved on by what is done. */
#include "files_table.h"

#include <time.h>

static int top;

static void times_of(const char *what, const char *path)
{
    struct stat status;
    if (lstat(path, &status) < 0) {
        printf("%s -> %s\n", what, error_name(errno));
        return;
    }
    printf("%s -> %lld.%09ld %lld.%09ld\n", what, (long long)status.st_atim.tv_sec, (long)status.st_atim.tv_nsec,
           (long long)status.st_mtim.tv_sec, (long)status.st_mtim.tv_nsec);
}

#define TIMES(path) times_of("times of " path, path)

static struct timespec moment(long long seconds, long nanoseconds)
{
    return (struct timespec){(time_t)seconds, nanoseconds};
}

/* Sets both times to fixed moments, so that what follows is seen to move them. */
static void reset(const char *path)
{
    struct timespec times[] = {moment(1000000000, 111111111), moment(1100000000, 222222222)};
    prepared(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0, path);
}

static int is_recent(struct timespec time)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    /* The clock that stamps files ticks a few milliseconds behind. */
    return time.tv_sec >= now.tv_sec - 60 && time.tv_sec <= now.tv_sec + 1;
}

static void moved(const char *what, const char *path)
{
    struct stat status;
    int result = lstat(path, &status);
    if (result < 0)
        printf("%s -> %s\n", what, error_name(errno));
    else
        printf("%s -> access %s, modification %s\n", what, is_recent(status.st_atim) ? "now" : "as before",
               is_recent(status.st_mtim) ? "now" : "as before");
    if (result == 0)
        reset(path);
}

#define MOVED(path) moved("times moved of " path, path)

static void setting(void)
{
    struct timespec times[2];
    times[0] = moment(1234567890, 123456789);
    times[1] = moment(987654321, 987654321);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    TIMES("file");
    times[0] = moment(0, 0);
    times[1] = moment(0, 1);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    TIMES("file");
    times[0] = moment(4000000000, 999999999);
    times[1] = moment(1, UTIME_OMIT);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    TIMES("file");
    times[0] = moment(1, UTIME_OMIT);
    times[1] = moment(15000000000, 5);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    TIMES("file");
    times[0] = times[1] = moment(0, UTIME_OMIT);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    TIMES("file");
    reset("file");
    times[0] = moment(0, UTIME_NOW);
    times[1] = moment(0, UTIME_OMIT);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    MOVED("file");
    times[0] = moment(0, UTIME_OMIT);
    times[1] = moment(0, UTIME_NOW);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    MOVED("file");
    TRY(utimensat(AT_FDCWD, "file", NULL, 0));
    MOVED("file");
    times[0] = moment(1, 2);
    times[1] = moment(0, UTIME_NOW);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    MOVED("file");
}

static void wrong(void)
{
    struct timespec times[2];
    times[0] = moment(1, 1000000000);
    times[1] = moment(1, 0);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    times[0] = moment(1, 0);
    times[1] = moment(1, -5);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    TIMES("file");
    TRY(utimensat(AT_FDCWD, "missing", NULL, 0));
    TRY(utimensat(AT_FDCWD, "missing/file", NULL, 0));
    TRY(utimensat(AT_FDCWD, "file/", NULL, 0));
    TRY(utimensat(AT_FDCWD, "file/x", NULL, 0));
    TRY(utimensat(-1, "file", NULL, 0));
    TRY(futimens(-1, NULL));
    times[0] = times[1] = moment(-1000, 0);
    TRY(utimensat(AT_FDCWD, "file", times, 0));
    TIMES("file");
    reset("file");
}

static void folders_and_links(void)
{
    struct timespec times[] = {moment(5, 6), moment(7, 8)};
    TRY(utimensat(AT_FDCWD, "d", times, 0));
    TIMES("d");
    TRY(utimensat(AT_FDCWD, "d/", times, 0));
    TRY(utimensat(AT_FDCWD, "d/.", times, 0));
    TRY(utimensat(top, ".", times, 0));
    TIMES(".");
    reset("target/file");
    TRY(utimensat(AT_FDCWD, "links/to-file", times, AT_SYMLINK_NOFOLLOW));
    TIMES("links/to-file");
    TIMES("target/file");
    times[0] = moment(9, 10);
    TRY(utimensat(AT_FDCWD, "links/to-file", times, 0));
    MOVED("links/to-file");
    TIMES("target/file");
    TRY(utimensat(AT_FDCWD, "links/dangling", times, 0));
    TRY(utimensat(AT_FDCWD, "links/dangling", times, AT_SYMLINK_NOFOLLOW));
    TIMES("links/dangling");
    TRY(utimensat(AT_FDCWD, "links/loop", times, 0));
    TRY(utimensat(AT_FDCWD, "links/loop", times, AT_SYMLINK_NOFOLLOW));
    TRY(utimensat(AT_FDCWD, "links/to-folder/", times, AT_SYMLINK_NOFOLLOW));
    TIMES("target/folder");
}

static void by_descriptor(void)
{
    struct timespec times[] = {moment(77, 88), moment(99, 11)};
    int fd;
    OPEN(fd, open("file", O_RDONLY));
    TRY(futimens(fd, times));
    TIMES("file");
    times[0].tv_nsec = UTIME_OMIT;
    times[1] = moment(55, 66);
    TRY(futimens(fd, times));
    TIMES("file");
    TRY(futimens(fd, NULL));
    MOVED("file");
    close(fd);
    OPEN(fd, open("file", O_WRONLY));
    times[0] = moment(1, 1);
    TRY(futimens(fd, times));
    TIMES("file");
    close(fd);
    OPEN(fd, open("d", O_RDONLY));
    TRY(futimens(fd, times));
    TIMES("d");
    close(fd);
    TRY(futimens(fd, times));
    reset("file");
    reset("d");
}

/* What the host does to times when something is done to a file. */
static void moving(void)
{
    char byte[1];
    int fd;
    OPEN(fd, open("file", O_RDWR));
    MOVED("file");
    TRY(read(fd, byte, 1));
    MOVED("file");
    TRY(write(fd, "", 0));
    MOVED("file");
    TRY(write(fd, "x", 1));
    MOVED("file");
    TRY(pwrite(fd, "x", 1, 0));
    MOVED("file");
    TRY(ftruncate(fd, 100));
    MOVED("file");
    TRY(ftruncate(fd, 100));
    MOVED("file");
    TRY_POSIX(posix_fallocate(fd, 0, 200));
    MOVED("file");
    close(fd);
    OPENS(open("file", O_WRONLY | O_TRUNC));
    MOVED("file");
    TRY(rename("file", "renamed"));
    MOVED("renamed");
    TRY(rename("renamed", "file"));
    TRY(link("file", "linked"));
    MOVED("file");
    MOVED("d");
    make_file("d/x", "");
    MOVED("d");
    TRY(rename("d/x", "d/y"));
    MOVED("d");
    TRY(unlink("d/y"));
    MOVED("d");
    TRY(rmdir("d/missing"));
    MOVED("d");
    OPENS(open("d/x", O_RDONLY));
    MOVED("d");
}

int main(void)
{
    top = open(".", O_RDONLY | O_DIRECTORY);
    make_file("file", "text");
    make_folder("d");
    setting();
    wrong();
    folders_and_links();
    by_descriptor();
    moving();
    return 0;
}
