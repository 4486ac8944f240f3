/* Temporary files under random names, made only where nothing has that name: visitors who upload at the same moment never share one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANDOM_LETTERS 6 /* X at the end of a template */
#define ATTEMPTS 100

static int fill(char *template)
{
    static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char random[RANDOM_LETTERS];
    size_t length = strlen(template);

    if (length < RANDOM_LETTERS || strcmp(template + length - RANDOM_LETTERS, "XXXXXX")) {
        errno = EINVAL;
        return -1;
    }
    if (getentropy(random, sizeof random))
        return -1;
    for (size_t i = 0; i < RANDOM_LETTERS; i++)
        template[length - RANDOM_LETTERS + i] = letters[random[i] % sizeof letters];
    return 0;
}

int mkstemp(char *template)
{
    char *end = template + strlen(template);

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (fill(template))
            return -1;
        int fd = open(template, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
        memset(end - RANDOM_LETTERS, 'X', RANDOM_LETTERS);
    }
    return -1;
}

char *mktemp(char *template)
{
    if (fill(template))
        *template = '\0';
    return template;
}

FILE *tmpfile(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];

    snprintf(path, sizeof path, "%s/php-XXXXXX", folder && *folder ? folder : "/tmp");
    int fd = mkstemp(path);
    if (fd < 0)
        return NULL;
    unlink(path);
    return fdopen(fd, "w+");
}
