/*
 * A program without CGI: its first argument chooses what it does, the others are operands. Without any it tells
 * its arguments and its environment.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int tell(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        printf("argv[%d]=%s\n", i, argv[i]);
    for (char **variable = environ; *variable; variable++)
        printf("env %s\n", *variable);
    char byte;
    printf("stdin %d\n", (int)read(0, &byte, 1));
    return 0;
}

static int failed(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return 0;
}

static int cat(const char *path)
{
    char buffer[8192];
    FILE *file = fopen(path, "r");
    size_t count;
    if (!file)
        return failed("cannot open");
    while ((count = fread(buffer, 1, sizeof buffer, file)) > 0)
        fwrite(buffer, 1, count, stdout);
    fclose(file);
    return 0;
}

static int list(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    if (!dir)
        return failed("cannot list");
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            printf("entry %s\n", entry->d_name);
    closedir(dir);
    return 0;
}

static int put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return failed("cannot create");
    fputs(text, file);
    if (fclose(file))
        return failed("cannot write");
    puts("written");
    return 0;
}

static int change(const char *what, int result)
{
    if (result)
        return failed(what);
    printf("%s: done\n", what);
    return 0;
}

/* Everything that a read-only mount has to refuse. */
static int spoil(const char *dir)
{
    char path[256], other[256];
    struct timespec times[2] = {{0, 0}, {0, 0}};
    snprintf(path, sizeof path, "%s/file.txt", dir);
    snprintf(other, sizeof other, "%s/other.txt", dir);
    int fd = open(path, O_WRONLY);
    change("open for writing", fd < 0);
    fd = open(path, O_RDONLY | O_TRUNC);
    change("truncate", fd < 0);
    change("unlink", unlink(path));
    change("rename", rename(path, other));
    change("link", link(path, other));
    change("symlink", symlink("file.txt", other));
    change("mkdir", mkdir(other, 0755));
    change("utimens", utimensat(AT_FDCWD, path, times, 0));
    return put(other, "x");
}

/* Opens the file until that is refused. */
static int hoard(const char *path)
{
    int count = 0;
    while (open(path, O_RDONLY) >= 0)
        count++;
    printf("hoarded %d\n", count);
    return 0;
}

static int keep(const char *path)
{
    hoard(path);
    sleep(5);
    return 0;
}

/* Allocates and touches so many MiB. */
static int grow(int mib)
{
    for (int i = 0; i < mib; i++) {
        char *volatile piece = malloc(1 << 20); /* volatile: nobody reads it, and yet it has to be allocated */
        if (!piece) {
            printf("no memory after %d MiB\n", i);
            return 0;
        }
        memset(piece, i + 1, 1 << 20);
    }
    printf("grew by %d MiB\n", mib);
    return 0;
}

static int complain(int lines)
{
    for (int i = 1; i <= lines; i++)
        fprintf(stderr, "complaint %d\n", i);
    puts("complained");
    return 0;
}

/* Lines that try to look like another's, or to disturb whoever reads the log. */
static int forge(void)
{
    static const char text[] = "innocent\n[Sun Nov 22 00:00:00.000000 2026] [core:emerg] [pid 1] [id -] [client -] forged\r\n"
                               "escape \033[2J bell \007 return \r nul \0 end\n\n\xff\xfe bytes\n";
    fwrite(text, 1, sizeof text - 1, stderr);
    fputs("no end of line", stderr);
    return 0;
}

/* One line of so many bytes. */
static int drone(int bytes)
{
    while (bytes-- > 0)
        fputc('z', stderr);
    fputs("\nshort\n", stderr);
    return 0;
}

/* Writes first, so that the outcome comes after the answer's head. */
static int leave(int code, const char *text)
{
    fputs(text, stdout);
    fflush(stdout);
    exit(code);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *one = argc > 2 ? argv[2] : "";
    const char *two = argc > 3 ? argv[3] : "";
    if (!strcmp(what, "cat"))
        return cat(one);
    if (!strcmp(what, "list"))
        return list(one);
    if (!strcmp(what, "put"))
        return put(one, two);
    if (!strcmp(what, "spoil"))
        return spoil(one);
    if (!strcmp(what, "hoard"))
        return hoard(one);
    if (!strcmp(what, "keep"))
        return keep(argv[2]);
    if (!strcmp(what, "grow"))
        return grow(atoi(one));
    if (!strcmp(what, "complain"))
        return complain(atoi(one));
    if (!strcmp(what, "forge"))
        return forge();
    if (!strcmp(what, "drone"))
        return drone(atoi(one));
    if (!strcmp(what, "leave"))
        return leave(atoi(one), two);
    if (!strcmp(what, "sleep")) {
        sleep((unsigned)atoi(one));
        puts("slept");
        return 0;
    }
    return tell(argc, argv);
}
