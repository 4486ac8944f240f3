/*
 * A hostile program: puts a link in the place of a folder. Its arguments are the folder and where the link leads; with a
 * third one it does so only once. Otherwise it puts the folder back and begins again, until there is a file of the
 * folder's name with ".stop" at the end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int failed(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return 0;
}

int main(int argc, char **argv)
{
    const char *folder = argv[1], *target = argv[2];
    char away[256], stop[256];
    int rounds = 0;
    snprintf(away, sizeof away, "%s.away", folder);
    snprintf(stop, sizeof stop, "%s.stop", folder);
    do {
        if (rename(folder, away))
            return failed("rename");
        if (symlink(target, folder))
            return failed("symlink");
        if (argc > 3) {
            puts("exchanged");
            return 0;
        }
        if (unlink(folder))
            return failed("unlink");
        if (rename(away, folder))
            return failed("rename back");
        rounds++;
    } while (access(stop, F_OK));
    printf("%d rounds\n", rounds);
    return 0;
}
