/*
 * What the programs files_table_*.c share. Each does things to files in the working directory and prints a line for each:
 * "what was done -> what came of it". They are built natively and as Wasm, and must print the same; so no line holds what
 * differs between two runs, such as numbers of descriptors and inodes, or the time of day.
 */
#ifndef FILES_TABLE_H
#define FILES_TABLE_H

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __wasi__
#include "files_table_wasi.h"
#endif

/* The same errors have other numbers in WASI. */
static inline const char *error_name(int number)
{
    static char unknown[32];
#define NAME(error) {error, #error}
    static const struct {
        int number;
        const char *name;
    } names[] = {
        NAME(EACCES), NAME(EAGAIN), NAME(EBADF), NAME(EBUSY), NAME(EDQUOT), NAME(EEXIST), NAME(EFAULT), NAME(EFBIG),
        NAME(EILSEQ), NAME(EINTR), NAME(EINVAL), NAME(EIO), NAME(EISDIR), NAME(ELOOP), NAME(EMFILE), NAME(EMLINK),
        NAME(ENAMETOOLONG), NAME(ENFILE), NAME(ENODEV), NAME(ENOENT), NAME(ENOMEM), NAME(ENOSPC), NAME(ENOSYS),
        NAME(ENOTDIR), NAME(ENOTEMPTY), NAME(ENOTSUP), NAME(ENOTTY), NAME(ENXIO), NAME(EOVERFLOW), NAME(EPERM),
        NAME(EPIPE), NAME(EROFS), NAME(ESPIPE), NAME(ETXTBSY), NAME(EXDEV),
#ifdef ENOTCAPABLE
        NAME(ENOTCAPABLE),
#endif
    };
#undef NAME
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    snprintf(unknown, sizeof unknown, "error %d", number);
    return unknown;
}

/* A call that returns a number, and -1 for an error. */
#define TRY(call) tell(#call, (long long)(call))

/* A call that returns a descriptor, which is kept in a variable. */
#define OPEN(fd, call) tell_opened(#call, (fd) = (call))

/* The same, closed again. */
#define OPENS(call) close(tell_opened(#call, (call)))

/* A call that returns the number of an error, and 0 for none. */
#define TRY_POSIX(call) tell_error(#call, (call))

/* What lies at a path, links not followed; and what a file holds. */
#define SEE(path) see("see " #path, (path))
#define HOLDS(path) holds("contents of " #path, (path))

static inline void tell(const char *call, long long result)
{
    if (result == -1)
        printf("%s -> %s\n", call, error_name(errno));
    else
        printf("%s -> %lld\n", call, result);
}

static inline int tell_opened(const char *call, int fd)
{
    printf("%s -> %s\n", call, fd < 0 ? error_name(errno) : "opened");
    return fd;
}

static inline void tell_error(const char *call, int number)
{
    printf("%s -> %s\n", call, number ? error_name(number) : "0");
}

static inline void tell_status(const char *what, int result, const struct stat *status)
{
    if (result < 0)
        printf("%s -> %s\n", what, error_name(errno));
    else if (S_ISDIR(status->st_mode))
        printf("%s -> folder, %lld links\n", what, (long long)status->st_nlink);
    else
        printf("%s -> %s, %lld bytes, %lld links\n", what,
               S_ISREG(status->st_mode)   ? "file"
               : S_ISLNK(status->st_mode) ? "link"
                                          : "special",
               (long long)status->st_size, (long long)status->st_nlink);
}

static inline void see(const char *what, const char *path)
{
    struct stat status;
    tell_status(what, lstat(path, &status), &status);
}

/* With what no terminal shows as \xNN. */
static inline void print_bytes(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] >= ' ' && bytes[i] < 127 && bytes[i] != '\\')
            putchar(bytes[i]);
        else
            printf("\\x%02x", (unsigned char)bytes[i]);
}

static inline void tell_bytes(const char *what, const char *bytes, ssize_t count)
{
    printf("%s -> ", what);
    if (count < 0) {
        puts(error_name(errno));
        return;
    }
    putchar('"');
    print_bytes(bytes, (size_t)count);
    puts("\"");
}

static inline void holds(const char *what, const char *path)
{
    char bytes[64];
    int fd = open(path, O_RDONLY);
    tell_bytes(what, bytes, fd < 0 ? -1 : read(fd, bytes, sizeof bytes));
    close(fd);
}

/* What the table needs before it looks at something. The test wants no such line of the native run. */
static inline int prepared(int ok, const char *what)
{
    if (!ok)
        printf("cannot prepare %s -> %s\n", what, error_name(errno));
    return ok;
}

/* What it cannot go on without. A line less is a difference, too. */
static inline void need(int ok, const char *what)
{
    if (!prepared(ok, what))
        exit(0);
}

static inline void make_file(const char *path, const char *contents)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (prepared(fd >= 0, path))
        prepared(write(fd, contents, strlen(contents)) == (ssize_t)strlen(contents), path);
    close(fd);
}

static inline void make_folder(const char *path)
{
    prepared(mkdir(path, 0777) == 0, path);
}

#endif
