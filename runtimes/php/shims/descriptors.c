/* WASI cannot duplicate a descriptor. PHP answers: a warning, "Failed to dup file descriptor" (php://fd), or "Function not implemented". */
#include <errno.h>

int dup(int fd)
{
    errno = ENOSYS;
    return -1;
}

int dup2(int fd, int other)
{
    errno = ENOSYS;
    return -1;
}

/* The largest that php://fd/N accepts. How many there really are, the host says (WasmFileLimit). */
int getdtablesize(void)
{
    return 1 << 20;
}
