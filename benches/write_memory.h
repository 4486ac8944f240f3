/* Writes to memory as an interpreter does: touches each page of WRITTEN KiB, or of as many as its argument says, in PLACES places with
 * room between them, and greets. Each size is a program of its own, because what a slot of the pool keeps is that of its last runs. */
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 4096, ROOM = 64 << 20, STRIDE = ROOM / PLACES };

static volatile char room[ROOM];

int main(int count, char **arguments)
{
    long pages = (count > 1 ? atol(arguments[1]) : WRITTEN) * 1024 / PAGE, each = pages / PLACES;

    for (int place = 0; place < PLACES; place++) {
        for (long page = 0; page < each; page++) {
            room[(long)STRIDE * place + page * PAGE] = 1;
        }
    }
    puts("Hello");
    return 0;
}
