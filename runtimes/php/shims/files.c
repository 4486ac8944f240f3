/*
 * WASI knows neither modes nor owners of files. chmod(), chown() and their kin fail, and PHP answers: a warning, "Not supported". New files have the
 * mode that the host gives them, so umask() keeps the value that a script sets, and nothing follows from it.
 */
#include <errno.h>
#include <sys/types.h>

static int unsupported(void)
{
    errno = ENOTSUP;
    return -1;
}

int chmod(const char *path, mode_t mode)
{
    return unsupported();
}

int fchmod(int fd, mode_t mode)
{
    return unsupported();
}

int chown(const char *path, uid_t user, gid_t group)
{
    return unsupported();
}

int lchown(const char *path, uid_t user, gid_t group)
{
    return unsupported();
}

mode_t umask(mode_t mask)
{
    static mode_t current = 022;
    mode_t before = current;

    current = mask & 0777;
    return before;
}
