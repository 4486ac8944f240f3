/*
 * Random numbers straight from the host. The C library's arc4random keeps a state of its own, which a snapshot would freeze: libsodium, which draws
 * from it, would give all requests the same keys.
 */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_AT_A_TIME ((size_t)256) /* of getentropy */

void arc4random_buf(void *buffer, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t part = size - done < MOST_AT_A_TIME ? size - done : MOST_AT_A_TIME;
        if (getentropy((char *)buffer + done, part))
            abort();
        done += part;
    }
}

uint32_t arc4random(void)
{
    uint32_t number;

    arc4random_buf(&number, sizeof number);
    return number;
}

uint32_t arc4random_uniform(uint32_t bound)
{
    uint32_t surplus = bound < 2 ? 0 : -bound % bound, number; /* of numbers below it there is one more than of others */

    if (bound < 2)
        return 0;
    do
        number = arc4random();
    while (number < surplus);
    return number % bound;
}
