/* strptime() of the C library leaves the day of the week and of the year alone, where others work them out from the date. */
#include <time.h>

char *__real_strptime(const char *text, const char *format, struct tm *time);

char *__wrap_strptime(const char *text, const char *format, struct tm *time)
{
    char *end = __real_strptime(text, format, time);

    if (end && time->tm_mday) {
        struct tm date = {.tm_year = time->tm_year, .tm_mon = time->tm_mon, .tm_mday = time->tm_mday};
        timegm(&date);
        time->tm_wday = date.tm_wday;
        time->tm_yday = date.tm_yday;
    }
    return end;
}
