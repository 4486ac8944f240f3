/* There is no system log. Messages go where errors of a sandbox go: standard error, which is the server's log. */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

void openlog(const char *name, int options, int facility)
{
}

void closelog(void)
{
}

void syslog(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
