/*
 * Tells which of its standard streams are terminals, then asks for lines and answers them until there are no more.
 */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    char line[256];
    for (int fd = 0; fd < 3; fd++)
        fprintf(stderr, "stream %d %s a terminal\n", fd, isatty(fd) ? "is" : "is not");
    for (;;) {
        fputs("name? ", stdout);
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin))
            break;
        printf("hello, %s", line);
    }
    puts("bye");
    return 3;
}
