/*
 * Lets SQLite's "unix" VFS lock by mod_wasm: a fcntl that knows the commands for locks, which wasi-libc's does not. Included behind
 * sqlite3.c, which has the numbers of these commands.
 *
 * Locks of mod_wasm belong to the open file, those that SQLite expects to the process. The difference shows in a program that
 * opens one database twice: this one must not.
 */
#include <stdarg.h>

#include <mod_wasm.h>

static int set_lock(int fd, const struct flock *lock)
{
    uint32_t kind = lock->l_type == F_UNLCK   ? MOD_WASM_RANGE_UNLOCK
                    : lock->l_type == F_RDLCK ? MOD_WASM_RANGE_SHARED
                                              : MOD_WASM_RANGE_EXCLUSIVE;
    int error = mod_wasm_fd_lock(fd, kind, lock->l_start, lock->l_len, MOD_WASM_TRY);
    if (!error)
        return 0;
    errno = error;
    return -1;
}

static int fcntl_with_locks(int fd, int command, ...)
{
    va_list arguments;
    struct flock *lock;
    int result;
    va_start(arguments, command);
    switch (command) {
    case F_SETLK:
        result = set_lock(fd, va_arg(arguments, struct flock *));
        break;
    case F_GETLK:
        /*
         * SQLite asks whether somebody writes, to tell that one's journal from one that a dead writer left. "Nobody" is always safe:
         * SQLite then tries to lock exclusively before it touches the journal, which a living writer prevents. Trying the lock in
         * question would not be: others who ask at the same moment would take the attempt for a writer, and read what the dead one left.
         */
        lock = va_arg(arguments, struct flock *);
        lock->l_type = F_UNLCK;
        result = 0;
        break;
    default:
        result = fcntl(fd, command, va_arg(arguments, int));
    }
    va_end(arguments);
    return result;
}

/* To be called before the first database is opened. */
static void use_host_locks(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    vfs->xSetSystemCall(vfs, "fcntl", (sqlite3_syscall_ptr)fcntl_with_locks);
}
