/*
 * Uses a directory for temporary files: the first argument is its path, the second says how the run ends, the third is an operand.
 * It tells what it found there, what it leaves there, and what TMPDIR is.
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

/* Entries of a directory, but . and .. */
static int entries(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int count = 0;
    if (!dir)
        return -1;
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Makes a file, a folder with a file, and two links. */
static void leave(const char *path)
{
    char name[256], other[256];
    snprintf(name, sizeof name, "%s/file", path);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    write(fd, "content", 7);
    snprintf(other, sizeof other, "%s/second name", path);
    link(name, other);
    snprintf(name, sizeof name, "%s/folder", path);
    mkdir(name, 0700);
    snprintf(name, sizeof name, "%s/folder/inner", path);
    close(open(name, O_WRONLY | O_CREAT, 0600));
    snprintf(name, sizeof name, "%s/link", path);
    symlink("folder", name);
}

/* Folders in one another, and as many files. */
static int nest(const char *path, int depth)
{
    char name[32];
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < depth; i++) {
        int inner;
        snprintf(name, sizeof name, "file%d", i);
        close(openat(fd, name, O_WRONLY | O_CREAT, 0600));
        if (mkdirat(fd, "deeper", 0700) || (inner = openat(fd, "deeper", O_RDONLY | O_DIRECTORY)) < 0)
            return i;
        close(fd);
        fd = inner;
    }
    return depth;
}

/* Writes a file and removes it, again and again. */
static int reuse(const char *path, int rounds)
{
    char name[256];
    snprintf(name, sizeof name, "%s/again", path);
    for (int i = 0; i < rounds; i++) {
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        ssize_t written = write(fd, block, sizeof block);
        if (close(fd) || unlink(name) || written != (ssize_t)sizeof block)
            return i;
    }
    return rounds;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "";
    const char *end = argc > 2 ? argv[2] : "";
    int number = argc > 3 ? atoi(argv[3]) : 0;
    const char *tmpdir = getenv("TMPDIR");
    if (!strcmp(end, "environment"))
        return printf("%s\n", tmpdir ? tmpdir : "none") < 0;
    errno = 0;
    printf("found %d: %s\n", entries(path), strerror(errno));
    if (!strcmp(end, "nest"))
        return printf("nested %d\n", nest(path, number)) < 0;
    if (!strcmp(end, "reuse"))
        return printf("reused %d\n", reuse(path, number)) < 0;
    leave(path);
    printf("left %d\n", entries(path));
    fflush(stdout);
    if (!strcmp(end, "trap"))
        __builtin_trap();
    if (!strcmp(end, "sleep"))
        sleep((unsigned)number);
    while (!strcmp(end, "loop"))
        continue;
    return 0;
}
