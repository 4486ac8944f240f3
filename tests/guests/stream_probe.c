/*
 * A CGI program that shows when bytes move. The query is the action, then "=" and a number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void nap(int milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

/* Three lines with a pause between them. */
static void drip(int milliseconds)
{
    for (int i = 1; i <= 3; i++) {
        printf("drop %d\n", i);
        fflush(stdout);
        nap(milliseconds);
    }
}

/* Says something before it reads its body, and answers to each piece of it. */
static void answer_then_read(void)
{
    char buffer[4096];
    ssize_t count;
    puts("ready");
    fflush(stdout);
    while ((count = read(0, buffer, sizeof buffer)) > 0) {
        printf("got %.*s\n", (int)count, buffer);
        fflush(stdout);
    }
    puts("end");
}

/* Writes, reads its body to the end, and goes on with pauses. */
static void sip(int milliseconds)
{
    char buffer[4096];
    puts("ready");
    fflush(stdout);
    while (read(0, buffer, sizeof buffer) > 0)
        ;
    drip(milliseconds);
}

/* Reads as many bytes as were announced, not the end behind them, and sleeps before it writes anything. */
static void read_exactly(int milliseconds)
{
    const char *announced = getenv("CONTENT_LENGTH");
    char buffer[4096];
    for (long left = atol(announced ? announced : "0"); left > 0;) {
        ssize_t count = read(0, buffer, left < (long)sizeof buffer ? (size_t)left : sizeof buffer);
        if (count <= 0)
            return;
        left -= count;
    }
    nap(milliseconds);
}

static void flood(long mib)
{
    static char block[65536];
    memset(block, 'f', sizeof block);
    for (long i = 0; i < mib * 16; i++)
        fwrite(block, 1, sizeof block, stdout);
}

static void sink(void)
{
    static char block[65536];
    unsigned long long total = 0;
    ssize_t count;
    while ((count = read(0, block, sizeof block)) > 0)
        total += (unsigned long long)count;
    printf("%s %llu\n", count < 0 ? "error after" : "sank", total);
}

/* Writes until someone stops it. */
static void endless(int milliseconds)
{
    for (int i = 0;; i++) {
        printf("%d\n", i);
        fflush(stdout);
        nap(milliseconds);
    }
}

int main(void)
{
    const char *query = getenv("QUERY_STRING");
    char action[32] = "";
    long number = 0;
    sscanf(query ? query : "", "%31[^=]=%ld", action, &number);
    if (!strcmp(action, "slow-header"))
        nap((int)number);
    if (!strcmp(action, "exact"))
        read_exactly((int)number);
    fputs("Content-Type: text/plain\n\n", stdout);
    if (!strcmp(action, "drip"))
        drip((int)number);
    else if (!strcmp(action, "sip"))
        sip((int)number);
    else if (!strcmp(action, "talk"))
        answer_then_read();
    else if (!strcmp(action, "flood"))
        flood(number);
    else if (!strcmp(action, "sink"))
        sink();
    else if (!strcmp(action, "endless"))
        endless((int)number);
    else
        puts("done");
    return 0;
}
