/*
 * A CGI program that locks the file /data/file with mod_wasm_fd_lock and tells the result. Parameters of the query: "open", "kind",
 * "start", "len", "wait" (milliseconds), and "then", which is what it does with the lock.
 */
#include <fcntl.h>
#include <unistd.h>

#include <mod_wasm.h>

#include "query.h"

static long long number(const char *name)
{
    return atoll(parameter(name));
}

/* Until the body goes on or ends. */
static void wait_for_client(void)
{
    char byte;
    fflush(stdout);
    if (read(0, &byte, 1) < 0)
        abort();
}

static void loop(void)
{
    for (volatile int i = 0;; i++)
        ;
}

int main(void)
{
    const char *then = parameter("then");
    int fd = open("/data/file", strcmp(parameter("open"), "read") ? O_RDWR : O_RDONLY);
    int kind = (int)number("kind");
    int unlock = kind < MOD_WASM_FLOCK_UNLOCK ? MOD_WASM_RANGE_UNLOCK : MOD_WASM_FLOCK_UNLOCK;
    printf("Content-Type: text/plain\n\n");
    printf("result %d\n", mod_wasm_fd_lock(fd, (uint32_t)kind, number("start"), number("len"), number("wait")));
    if (!strcmp(then, "hold"))
        wait_for_client();
    if (!strcmp(then, "unlock")) {
        printf("unlocked %d\n", mod_wasm_fd_lock(fd, (uint32_t)unlock, 0, 0, MOD_WASM_TRY));
        wait_for_client();
    }
    if (!strcmp(then, "close")) {
        printf("closed %d\n", close(fd));
        wait_for_client();
    }
    if (!strcmp(then, "loop"))
        loop();
    if (!strcmp(then, "trap"))
        __builtin_trap();
    if (!strcmp(then, "exit"))
        exit(7);
    return 0;
}
