/*
 * Uses up one thing, the first argument says which, and tells how far it came. The others are operands.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char block[64 << 10];

static int told(const char *what, long long amount)
{
    printf("%s %lld: %s\n", what, amount, strerror(errno));
    return 0;
}

static int compute(void)
{
    for (volatile unsigned long i = 0;; i++)
        continue;
}

/* Calls of the host that cost it something. */
static int look(const char *path)
{
    struct stat found;
    for (;;)
        stat(path, &found);
}

static int list(const char *path)
{
    for (;;) {
        DIR *dir = opendir(path);
        while (readdir(dir))
            continue;
        closedir(dir);
    }
}

/* Reads a large file by single calls into a large buffer. */
static int copy(const char *path)
{
    size_t size = 100 << 20;
    char *buffer = malloc(size);
    int fd = open(path, O_RDONLY);
    while (pread(fd, buffer, size, 0) > 0)
        continue;
    return told("copied", 0);
}

/* Writes the same file for ever. */
static int rewrite(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    while (pwrite(fd, block, sizeof block, 0) > 0)
        continue;
    return told("rewritten", 0);
}

static int output(long long bytes)
{
    memset(block, 'o', sizeof block);
    for (; bytes > 0; bytes -= (long long)sizeof block)
        if (write(1, block, bytes < (long long)sizeof block ? (size_t)bytes : sizeof block) < 0)
            return 1;
    return 0;
}

static int complain(long long bytes, char byte)
{
    memset(block, byte, sizeof block);
    for (long long left = bytes; left > 0; left -= (long long)sizeof block)
        write(2, block, left < (long long)sizeof block ? (size_t)left : sizeof block);
    return told("complained", bytes);
}

/* Writes a file until that is refused, or so many bytes are in it. */
static int fill(const char *path, long long bytes)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    long long done = 0;
    ssize_t count = 1;
    while (done < bytes && (count = write(fd, block, sizeof block)) > 0)
        done += count;
    return told("filled", done);
}

static int enlarge(const char *path, long long bytes)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    return told("enlarged", ftruncate(fd, bytes));
}

static int allocate(const char *path, long long bytes)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    errno = posix_fallocate(fd, 0, bytes);
    return told("allocated", errno ? -1 : 0);
}

/* Makes folders and files, in turn, until that is refused. */
static int litter(const char *path, long long most)
{
    char name[256];
    for (long long i = 0; i < most; i++) {
        snprintf(name, sizeof name, "%s/entry%lld", path, i);
        int result = i % 2 ? mkdir(name, 0755) : open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (result < 0)
            return told("littered", i);
        if (i % 2 == 0)
            close(result);
    }
    return told("littered", most);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *one = argc > 2 ? argv[2] : "";
    long long number = argc > 3 ? atoll(argv[3]) : atoll(one);
    if (!strcmp(what, "compute"))
        return compute();
    if (!strcmp(what, "look"))
        return look(one);
    if (!strcmp(what, "list"))
        return list(one);
    if (!strcmp(what, "copy"))
        return copy(one);
    if (!strcmp(what, "rewrite"))
        return rewrite(one);
    if (!strcmp(what, "output"))
        return output(number);
    if (!strcmp(what, "complain"))
        return complain(number, 'e');
    if (!strcmp(what, "newlines"))
        return complain(number, '\n');
    if (!strcmp(what, "fill"))
        return fill(one, number);
    if (!strcmp(what, "enlarge"))
        return enlarge(one, number);
    if (!strcmp(what, "allocate"))
        return allocate(one, number);
    if (!strcmp(what, "litter"))
        return litter(one, number);
    if (!strcmp(what, "full-and-sleep")) {
        rewrite(one);
        sleep(20);
    }
    if (!strcmp(what, "sleep"))
        sleep((unsigned)number);
    if (!strcmp(what, "read"))
        while (read(0, block, sizeof block) > 0)
            continue;
    return told(what, 0);
}
