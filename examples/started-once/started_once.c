/*
 * A CGI program that is started once. What it prepares takes a while; a snapshot is taken behind it, and each request begins there.
 * Without a snapshot (WasmPreinit Off) each request prepares everything again, and answers the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <wasi/libc-environ.h>

#define LIMIT 3000000

static unsigned char composite[LIMIT];
static unsigned primes;
static time_t prepared_at;
static double began;

static double milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void prepare(void)
{
    for (unsigned i = 2; i < LIMIT; i++) {
        if (composite[i])
            continue;
        primes++;
        for (unsigned long long j = (unsigned long long)i * i; j < LIMIT; j += i)
            composite[j] = 1;
    }
    prepared_at = time(NULL);
}

static int answer(void)
{
    const char *query = getenv("QUERY_STRING");
    unsigned number = query ? (unsigned)strtoul(query, NULL, 10) : 0;
    unsigned char token[8];

    getentropy(token, sizeof token);
    printf("Content-Type: text/plain\n\n");
    printf("There are %u primes below %d.\n", primes, LIMIT);
    if (number >= 2 && number < LIMIT)
        printf("%u is %s.\n", number, composite[number] ? "not prime" : "prime");
    printf("Prepared %ld seconds ago. A token: ", (long)(time(NULL) - prepared_at));
    for (size_t i = 0; i < sizeof token; i++)
        printf("%02x", token[i]);
    printf("\nThis run has taken %.1f ms.\n", milliseconds() - began);
    return 0;
}

void __wasm_call_ctors(void);

static volatile int constructed;

__attribute__((constructor)) static void note_construction(void)
{
    constructed = 1;
}

/*
 * Constructors, the C library's among them, run once, wherever the program begins. A linker that sees them called here leaves it to the
 * program, in both functions below and in main; some C libraries call them before main all the same.
 */
static void construct(void)
{
    if (!constructed)
        __wasm_call_ctors();
}

/* Runs once, when the server starts. */
__attribute__((export_name("wizer-initialize"))) void initialize(void)
{
    construct();
    prepare();
}

/*
 * Runs for each request, in place of _start. The C library may have kept the environment that it saw while it was prepared. Nothing
 * flushes stdio when this function returns: exit does.
 */
__attribute__((export_name("wizer-resume"))) void resume(void)
{
    began = milliseconds();
    __wasilibc_deinitialize_environ();
    __wasilibc_maybe_reinitialize_environ_eagerly();
    exit(answer());
}

/* For a request without a snapshot. Here, too, it is exit that flushes: with constructors called by hand, nothing does when main returns. */
int main(void)
{
    construct();
    began = milliseconds();
    prepare();
    exit(answer());
}
