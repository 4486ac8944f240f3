/*
 * A CGI program that looks at a folder, and again whenever a byte comes on standard input: others may have changed it
 * meanwhile. Prints a numbered line each time: whether "folder/new" is there, and whether a file could be made.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    struct stat status;
    char byte;
    int turn = 1;
    puts("Content-Type: text/plain\n");
    do {
        int found = stat("folder/new", &status);
        int made = open("folder/made", O_WRONLY | O_CREAT, 0666);
        printf("%d: %s, %s\n", turn++, found < 0 ? "missing" : "there", made < 0 ? strerror(errno) : "made");
        fflush(stdout);
        close(made);
    } while (read(0, &byte, 1) == 1);
    return 0;
}
