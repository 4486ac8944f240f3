/*
 * The working folder is a path that the C library keeps, and takes as it comes: after chdir("..") it would end in "/..", which getcwd() shows. Here it
 * is the path without "." and "..", as long as no link is passed, behind which ".." is another folder.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_chdir(const char *path);

static int is_link(const char *path)
{
    struct stat entry;

    return !lstat(path, &entry) && S_ISLNK(entry.st_mode);
}

/* Takes the last name off; false where that is a link. */
static int go_up(char *path)
{
    char *end = strrchr(path, '/');

    if (is_link(path))
        return 0;
    if (end)
        *end = '\0';
    return 1;
}

/* Writes `path`, which begins with a slash and is taken apart, into `plain`; false where a link is in the way. */
static int simplify(char *path, char *plain)
{
    char *rest = NULL;

    *plain = '\0';
    for (char *name = strtok_r(path, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
        if (!strcmp(name, "."))
            continue;
        if (strcmp(name, "..")) {
            strcat(strcat(plain, "/"), name);
        } else if (!go_up(plain)) {
            return 0;
        }
    }
    if (!*plain)
        strcpy(plain, "/");
    return 1;
}

int __wrap_chdir(const char *path)
{
    char folder[PATH_MAX] = "", whole[2 * PATH_MAX], plain[2 * PATH_MAX];

    if (!*path || strlen(path) >= PATH_MAX || (*path != '/' && !getcwd(folder, sizeof folder)))
        return __real_chdir(path);
    snprintf(whole, sizeof whole, "%s/%s", folder, path);
    /* What is not there is no folder, though ".." comes behind it. */
    if (access(path, F_OK) || !simplify(whole, plain))
        return __real_chdir(path);
    return __real_chdir(plain);
}
