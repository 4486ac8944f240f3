/* Writes to memory as an interpreter does: `write_memory KIB REGIONS` touches each page of so many KiB, which lie in so many places with
 * room between them, and greets. */
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 4096, ROOM = 64 << 20 };

static volatile char room[ROOM];

int main(int count, char **arguments)
{
    size_t pages = count > 1 ? strtoul(arguments[1], NULL, 10) * 1024 / PAGE : 0;
    size_t regions = count > 2 ? strtoul(arguments[2], NULL, 10) : 1;

    if (!regions || pages % regions || pages / regions >= ROOM / PAGE / regions) {
        fputs("no such regions\n", stderr);
        return 1;
    }
    for (size_t page = 0; page < pages; page++) {
        size_t region = page * regions / pages;

        room[ROOM / PAGE / regions * region * PAGE + (page - pages / regions * region) * PAGE] = 1;
    }
    puts("Hello");
    return 0;
}
