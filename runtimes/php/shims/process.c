/*
 * A sandbox is one process, and starts no other. PHP answers: exec(), shell_exec(), system(), passthru() "Unable to fork", popen() "Function not
 * implemented", proc_open() "Unable to create pipe", mail() "Could not execute mail delivery program".
 */
#include <errno.h>
#include <stdio.h>
#include <sys/types.h>

static int not_implemented(void)
{
    errno = ENOSYS;
    return -1;
}

pid_t fork(void)
{
    return not_implemented();
}

pid_t waitpid(pid_t process, int *status, int options)
{
    return not_implemented();
}

pid_t setsid(void)
{
    return not_implemented();
}

pid_t getppid(void)
{
    return 0;
}

int kill(pid_t process, int number)
{
    return not_implemented();
}

/* Nobody waits for it: time limits are those of sapi/deadline.c. */
unsigned alarm(unsigned seconds)
{
    return 0;
}

int pipe(int ends[2])
{
    return not_implemented();
}

FILE *popen(const char *command, const char *mode)
{
    not_implemented();
    return NULL;
}

int pclose(FILE *stream)
{
    return not_implemented();
}

int execv(const char *path, char *const *arguments)
{
    return not_implemented();
}

int execvp(const char *file, char *const *arguments)
{
    return not_implemented();
}

int execle(const char *path, const char *argument, ...)
{
    return not_implemented();
}
