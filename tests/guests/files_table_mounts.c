/*
 * Other file systems in the working directory: "small" has 64 KiB, "few" room for few files, "fixed" is read-only. The test
 * has put a file and a folder into the last.
 */
#include "files_table.h"

#include <dirent.h>

static char block[4096];

static void full_disk(void)
{
    int fd, blocks = 0;
    ssize_t last;
    memset(block, 'b', sizeof block);
    OPEN(fd, open("small/file", O_RDWR | O_CREAT, 0666));
    while ((last = write(fd, block, sizeof block)) == sizeof block)
        blocks++;
    TRY(last);
    printf("blocks until the disk is full -> %d\n", blocks);
    TRY(write(fd, block, 1));
    TRY(pwrite(fd, block, 1, 1 << 20));
    TRY(pwrite(fd, "x", 1, 0));
    SEE("small/file");
    OPENS(open("small/empty", O_WRONLY | O_CREAT, 0666));
    TRY(mkdir("small/folder", 0777));
    TRY_POSIX(posix_fallocate(fd, 0, 1 << 20));
    TRY(ftruncate(fd, 1 << 20));
    SEE("small/file");
    TRY(lseek(fd, 0, SEEK_END));
    TRY(write(fd, block, 1));
    TRY(ftruncate(fd, sizeof block));
    TRY(lseek(fd, 0, SEEK_END));
    TRY(write(fd, block, 1));
    TRY(fsync(fd));
    /* A write that fits in part tells how much. */
    TRY(ftruncate(fd, 14 * sizeof block));
    TRY(pwrite(fd, block, 100, 14 * sizeof block));
    char *much = calloc(64, sizeof block);
    need(much != NULL, "memory");
    TRY(pwrite(fd, much, 64 * sizeof block, 0));
    TRY(pwrite(fd, much, 64 * sizeof block, 0));
    free(much);
    SEE("small/file");
    TRY(unlink("small/file"));
    TRY(pwrite(fd, "x", 1, 0));
    close(fd);
    OPEN(fd, open("small/file", O_WRONLY | O_CREAT, 0666));
    TRY(write(fd, block, sizeof block));
    close(fd);
}

static void no_more_files(void)
{
    char path[32];
    int count = 0, fd;
    for (;; count++) {
        snprintf(path, sizeof path, "few/%d", count);
        fd = open(path, O_WRONLY | O_CREAT, 0666);
        if (fd < 0)
            break;
        close(fd);
    }
    tell_opened("one file too many", fd);
    printf("files until there is no room -> %d\n", count);
    TRY(mkdir("few/folder", 0777));
    TRY(link("few/0", "few/linked"));
    TRY(rename("few/0", "few/renamed"));
    TRY(unlink("few/renamed"));
    TRY(mkdir("few/folder", 0777));
}

static void read_only(void)
{
    HOLDS("fixed/file");
    SEE("fixed/folder");
    OPENS(open("fixed/file", O_WRONLY));
    OPENS(open("fixed/file", O_RDWR));
    OPENS(open("fixed/file", O_RDONLY | O_TRUNC));
    OPENS(open("fixed/file", O_RDONLY | O_CREAT, 0666));
    OPENS(open("fixed/file", O_WRONLY | O_CREAT | O_EXCL, 0666));
    OPENS(open("fixed/missing", O_RDONLY));
    OPENS(open("fixed/missing", O_WRONLY));
    OPENS(open("fixed/new", O_WRONLY | O_CREAT, 0666));
    OPENS(open("fixed/folder", O_WRONLY));
    OPENS(open("fixed/folder", O_RDONLY));
    TRY(mkdir("fixed/new", 0777));
    TRY(mkdir("fixed/folder", 0777));
    TRY(mkdir("fixed/folder/", 0777));
    TRY(rmdir("fixed/folder"));
    TRY(rmdir("fixed/file"));
    TRY(rmdir("fixed/missing"));
    TRY(unlink("fixed/file"));
    TRY(unlink("fixed/folder"));
    TRY(unlink("fixed/missing"));
    TRY(rename("fixed/file", "fixed/other"));
    TRY(rename("fixed/missing", "fixed/other"));
    TRY(link("fixed/file", "fixed/other"));
    TRY(symlink("file", "fixed/link"));
    TRY(truncate("fixed/file", 0));
    TRY(utimensat(AT_FDCWD, "fixed/file", NULL, 0));
    TRY(access("fixed/file", R_OK));
    int fd;
    OPEN(fd, open("fixed/file", O_RDONLY));
    TRY(futimens(fd, NULL));
    TRY(fsync(fd));
    close(fd);
}

static void across(void)
{
    make_file("file", "text");
    make_folder("folder");
    TRY(rename("file", "small/moved"));
    TRY(rename("small/file", "moved"));
    TRY(rename("folder", "small/moved"));
    TRY(link("file", "small/linked"));
    TRY(link("small/file", "linked"));
    TRY(rename("file", "fixed/moved"));
    TRY(rename("fixed/file", "moved"));
    TRY(link("fixed/file", "linked"));
    /* A folder with a file system in it is neither removed nor renamed. */
    TRY(rmdir("small"));
    TRY(rename("small", "moved"));
    TRY(rename("folder", "small"));
    TRY(unlink("small"));
    OPENS(open("small/../file", O_RDONLY));
    OPENS(open("small/..", O_RDONLY));
    SEE("small");
    TRY(rename("small/file", "small/same"));
    TRY(rename("small/same", "small/../small/file"));
    HOLDS("file");
}

static void devices(void)
{
    SEE("devices/null");
    OPENS(open("devices/null", O_RDONLY));
    OPENS(open("devices/null", O_WRONLY));
    OPENS(open("devices/null", O_RDWR | O_CREAT | O_TRUNC, 0666));
    TRY(truncate("devices/null", 0));
    TRY(rename("devices/null", "devices/other"));
    TRY(link("devices/other", "devices/linked"));
    TRY(unlink("devices/other"));
    DIR *folder = opendir("devices");
    TRY(folder != NULL);
    closedir(folder);
}

int main(void)
{
    full_disk();
    no_more_files();
    read_only();
    across();
    devices();
    return 0;
}
