/*
 * flock(), which PHP's function of that name and the files of sessions use: the lock of the host's file. It waits as long as the run may take; then
 * the run ends by its deadline. The locks of SQLite, which are on ranges of bytes: sqlite.c.
 */
#include <errno.h>
#include <mod_wasm.h>

static int kind_of(int operation)
{
    switch (operation & ~LOCK_NB) {
    case LOCK_SH:
        return MOD_WASM_FLOCK_SHARED;
    case LOCK_EX:
        return MOD_WASM_FLOCK_EXCLUSIVE;
    case LOCK_UN:
        return MOD_WASM_FLOCK_UNLOCK;
    default:
        return -1;
    }
}

int flock(int fd, int operation)
{
    int kind = kind_of(operation);

    if (kind < 0) {
        errno = EINVAL;
        return -1;
    }
    int error = mod_wasm_fd_lock(fd, kind, 0, 0, operation & LOCK_NB ? MOD_WASM_TRY : MOD_WASM_WAIT);
    if (!error)
        return 0;
    errno = error;
    return -1;
}
