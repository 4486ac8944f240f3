/* A program of the benchmark: looks at each file of the folder /files, and reads it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its size, or -1 where what was read is not as much. */
static long read_file(const char *path)
{
    char buffer[8192];
    struct stat status;
    long left;
    ssize_t count;
    int fd;

    if (stat(path, &status) < 0 || (fd = open(path, O_RDONLY)) < 0)
        return -1;
    left = (long)status.st_size;
    while ((count = read(fd, buffer, sizeof buffer)) > 0)
        left -= count;
    close(fd);
    return left == 0 && count == 0 ? (long)status.st_size : -1;
}

int main(void)
{
    DIR *folder = opendir("/files");
    struct dirent *entry;
    char path[300];
    long files = 0, bytes = 0;

    while (folder && (entry = readdir(folder))) {
        long size;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/files/%s", entry->d_name);
        size = read_file(path);
        if (size < 0)
            break;
        files++;
        bytes += size;
    }
    printf("Content-Type: text/plain\n\n%ld files, %ld bytes\n", files, bytes);
    return 0;
}
