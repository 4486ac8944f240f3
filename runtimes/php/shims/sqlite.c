/*
 * What SQLite's "unix" VFS takes from the host.
 *
 * Random numbers: it reads /dev/urandom, and takes the time where there is none, so that all requests of a second would draw the same.
 *
 * Locks, by mod_wasm. It calls fcntl for ranges of bytes, and expects the locks to belong to the process: two connections of
 * one process to one database share them, and either may give them back. Those of mod_wasm belong to the open file. So all connections to a
 * file lock through the descriptor of the one that came first, the file's holder; SQLite closes no descriptor while its file is locked.
 */
#include "sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <mod_wasm.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_FILES 64 /* that are locked at a time, by one request */

static struct {
    bool used;
    int fd;
    dev_t device;
    ino_t inode;
} holders[MOST_FILES];

/* The descriptor through which to lock the file behind `fd`; `fd` itself from now on, where there is none. */
static int holder_of(int fd)
{
    struct stat file;
    int place = -1;

    if (fstat(fd, &file))
        return fd;
    for (int i = 0; i < MOST_FILES; i++) {
        if (holders[i].used && holders[i].device == file.st_dev && holders[i].inode == file.st_ino)
            return holders[i].fd;
        if (!holders[i].used && place < 0)
            place = i;
    }
    if (place < 0)
        return fd;
    holders[place].used = true;
    holders[place].fd = fd;
    holders[place].device = file.st_dev;
    holders[place].inode = file.st_ino;
    return fd;
}

static int close_holder(int fd)
{
    for (int i = 0; i < MOST_FILES; i++) {
        if (holders[i].fd == fd)
            holders[i].used = false;
    }
    return close(fd);
}

static int set_lock(int fd, const struct flock *lock)
{
    uint32_t kind = lock->l_type == F_UNLCK   ? MOD_WASM_RANGE_UNLOCK
                    : lock->l_type == F_RDLCK ? MOD_WASM_RANGE_SHARED
                                              : MOD_WASM_RANGE_EXCLUSIVE;
    int error = mod_wasm_fd_lock(holder_of(fd), kind, lock->l_start, lock->l_len, MOD_WASM_TRY);

    if (!error)
        return 0;
    errno = error;
    return -1;
}

static int fcntl_with_locks(int fd, int command, ...)
{
    va_list arguments;
    int result = 0;

    va_start(arguments, command);
    switch (command) {
    case F_SETLK:
        result = set_lock(fd, va_arg(arguments, struct flock *));
        break;
    case F_GETLK:
        /*
         * SQLite asks whether somebody writes, to tell that one's journal from one that a dead writer left. "Nobody" is always safe: it then
         * locks exclusively before it touches the journal, which a living writer prevents.
         */
        va_arg(arguments, struct flock *)->l_type = F_UNLCK;
        break;
    default:
        result = fcntl(fd, command, va_arg(arguments, int));
    }
    va_end(arguments);
    return result;
}

static int random_bytes(sqlite3_vfs *vfs, int size, char *bytes)
{
    arc4random_buf(bytes, size);
    return size;
}

void give_sqlite_the_host(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

    vfs->xRandomness = random_bytes;
    vfs->xSetSystemCall(vfs, "fcntl", (sqlite3_syscall_ptr)fcntl_with_locks);
    vfs->xSetSystemCall(vfs, "close", (sqlite3_syscall_ptr)close_holder);
}
