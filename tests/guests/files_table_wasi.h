/*
 * Calls that the older of the C libraries for WASI get wrong, made directly: what is looked at is the host's part. Debian 12's
 * sets no time to "now", leaves none as it is, and knows no NULL for both.
 */
#ifndef FILES_TABLE_WASI_H
#define FILES_TABLE_WASI_H

#include <wasi/api.h>

/* The bits for one of the two times; -1 for one that WASI cannot express. */
static inline int time_flags(const struct timespec *time, int set, int now, __wasi_timestamp_t *nanoseconds)
{
    if (!time || time->tv_nsec == UTIME_NOW)
        return now;
    if (time->tv_nsec == UTIME_OMIT)
        return 0;
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= 1000000000)
        return -1;
    *nanoseconds = (__wasi_timestamp_t)time->tv_sec * 1000000000 + (__wasi_timestamp_t)time->tv_nsec;
    return set;
}

/* Sets the times of what lies at a path, or of an open file where there is no path. */
static inline int set_times(int fd, const char *path, const struct timespec *times, int flag)
{
    static int working_directory = -1;
    __wasi_timestamp_t first = 0, second = 0;
    int access = time_flags(times, __WASI_FSTFLAGS_ATIM, __WASI_FSTFLAGS_ATIM_NOW, &first);
    int modification =
        time_flags(times ? times + 1 : NULL, __WASI_FSTFLAGS_MTIM, __WASI_FSTFLAGS_MTIM_NOW, &second);
    if (access < 0 || modification < 0) {
        errno = EINVAL;
        return -1;
    }
    if (working_directory < 0)
        working_directory = open(".", O_RDONLY | O_DIRECTORY);
    __wasi_lookupflags_t lookup = flag & AT_SYMLINK_NOFOLLOW ? 0 : __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW;
    __wasi_fstflags_t which = (__wasi_fstflags_t)(access | modification);
    __wasi_errno_t error =
        path ? __wasi_path_filestat_set_times(fd == AT_FDCWD ? working_directory : fd, lookup, path, first, second, which)
             : __wasi_fd_filestat_set_times(fd, first, second, which);
    errno = error;
    return error ? -1 : 0;
}

#define utimensat(fd, path, times, flag) set_times(fd, path, times, flag)
#define futimens(fd, times) set_times(fd, NULL, times, 0)

#endif
