/* A file system with a quota: in the folder "limited" of the working directory there is room for 1 MiB. */
#include "files_table.h"

static char block[4096];

/* Where it ends exactly is the file system's affair. */
static int fill(int fd)
{
    for (int blocks = 0; blocks < 1024; blocks++) {
        ssize_t written = write(fd, block, sizeof block);
        if (written < 0)
            return -1;
    }
    return 0;
}

int main(void)
{
    int fd;
    make_file("limited/small", "text");
    OPEN(fd, open("limited/file", O_RDWR | O_CREAT, 0666));
    TRY(fill(fd));
    TRY(write(fd, block, sizeof block));
    TRY(pwrite(fd, block, sizeof block, 8 << 20));
    TRY_POSIX(posix_fallocate(fd, 0, 8 << 20));
    TRY(fsync(fd));
    TRY(ftruncate(fd, 16 << 20));
    SEE("limited/file");
    HOLDS("limited/small");
    TRY(rename("limited/file", "outside"));
    TRY(unlink("limited/file"));
    close(fd);
    OPEN(fd, open("unlimited", O_RDWR | O_CREAT, 0666));
    TRY(fill(fd));
    SEE("unlimited");
    close(fd);
    return 0;
}
