/*
 * The C library's iconv knows no endings of names, as in "ISO-8859-1//TRANSLIT". It transliterates always: what the target has not becomes "*", where
 * others would fail. So the ending goes. What is invalid in the source fails, and PHP's own code leaves it out for "//IGNORE".
 */
#include <errno.h>
#include <iconv.h>
#include <string.h>

#define LONGEST_NAME 64

iconv_t __real_iconv_open(const char *to, const char *from); /* the linker's --wrap */

iconv_t __wrap_iconv_open(const char *to, const char *from)
{
    char name[LONGEST_NAME];
    const char *ending = strstr(to, "//");
    size_t length = ending ? (size_t)(ending - to) : strlen(to);

    if (length >= sizeof name) {
        errno = EINVAL;
        return (iconv_t)-1;
    }
    memcpy(name, to, length);
    name[length] = '\0';
    return __real_iconv_open(name, from);
}
