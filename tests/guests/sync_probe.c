/* Writes /data/sync and /data/datasync, and calls the function of that name for each. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int made(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0644);
    return write(fd, "content", 7) == 7 ? fd : -1;
}

int main(void)
{
    printf("sync %d\n", fsync(made("/data/sync")));
    printf("datasync %d\n", fdatasync(made("/data/datasync")));
    return 0;
}
