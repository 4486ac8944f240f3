/*
 * WASI cannot duplicate a descriptor. A copy is the same number here, and the descriptor is closed when its last copy is: that is what
 * compress.zlib://, php://stdin and php://fd do with theirs. What needs another number fails: "Function not implemented".
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <wasi/api.h>

/* Descriptors from here on have no copies. */
#define COUNTED 4096

static unsigned char copies[COUNTED];

int dup(int fd)
{
    if (fcntl(fd, F_GETFL) < 0)
        return -1;
    if (fd >= COUNTED || copies[fd] == (unsigned char)-1) {
        errno = EMFILE;
        return -1;
    }
    copies[fd]++;
    return fd;
}

int dup2(int fd, int other)
{
    errno = ENOSYS;
    return -1;
}

/* Over the C library's. */
int close(int fd)
{
    __wasi_errno_t error;

    if (fd >= 0 && fd < COUNTED && copies[fd]) {
        copies[fd]--;
        return 0;
    }
    error = __wasi_fd_close(fd);
    if (!error)
        return 0;
    errno = error;
    return -1;
}

/* The largest that php://fd/N accepts. How many there really are, the host says (WasmFileLimit). */
int getdtablesize(void)
{
    return 1 << 20;
}
