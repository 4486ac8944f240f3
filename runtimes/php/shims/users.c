/*
 * A sandbox has no users. Its program is user and group 0 of nobody else, as files say it that WASI shows (their owner is 0 too). Changing that
 * fails, and PHP answers with a warning. Names are not known: get_current_user() is "".
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/types.h>

uid_t getuid(void)
{
    return 0;
}

uid_t geteuid(void)
{
    return 0;
}

gid_t getgid(void)
{
    return 0;
}

gid_t getegid(void)
{
    return 0;
}

int getgroups(int size, gid_t *groups)
{
    return 0;
}

static int not_permitted(void)
{
    errno = EPERM;
    return -1;
}

int setuid(uid_t user)
{
    return not_permitted();
}

int setgid(gid_t group)
{
    return not_permitted();
}

int initgroups(const char *user, gid_t group)
{
    return not_permitted();
}

struct passwd *getpwnam(const char *name)
{
    return NULL;
}

struct passwd *getpwuid(uid_t user)
{
    return NULL;
}

struct group *getgrnam(const char *name)
{
    return NULL;
}
