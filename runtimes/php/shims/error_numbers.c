/* Numbers of errors as people look them up: those of Linux. WASI has others, and messages of PHP show them. */
#include <errno.h>
#include <stddef.h>

static const struct {
    int here, linux;
} numbers[] = {
    {EPERM, 1},     {ENOENT, 2},     {EIO, 5},      {EBADF, 9},      {EAGAIN, 11},   {ENOMEM, 12},        {EACCES, 13},
    {EBUSY, 16},    {EEXIST, 17},    {EXDEV, 18},   {ENOTDIR, 20},   {EISDIR, 21},   {EINVAL, 22},        {ENFILE, 23},
    {EMFILE, 24},   {EFBIG, 27},     {ENOSPC, 28},  {ESPIPE, 29},    {EROFS, 30},    {EMLINK, 31},        {EPIPE, 32},
    {ERANGE, 34},   {ENAMETOOLONG, 36}, {ENOSYS, 38}, {ENOTEMPTY, 39}, {ELOOP, 40},  {EOVERFLOW, 75},     {ENOTSOCK, 88},
    {ENOTSUP, 95},  {EDQUOT, 122},
};

int shown_error(int number)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].here == number)
            return numbers[i].linux;
    }
    return number;
}
