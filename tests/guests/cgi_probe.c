/*
 * A CGI program for the comparison with mod_cgid: built once natively and once as Wasm, from this one source. The
 * parameter "do" of the query chooses what it does; without one it tells the arguments and the environment it got.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query.h"

extern char **environ;

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void type(const char *name)
{
    printf("Content-Type: %s\n\n", name);
}

static void do_dump(int argc, char **argv)
{
    size_t count = 0;
    while (environ[count])
        count++;
    qsort(environ, count, sizeof *environ, compare);
    type("text/plain");
    for (int i = 1; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    for (size_t i = 0; i < count; i++)
        printf("%s\n", environ[i]);
}

static void copy_body(void)
{
    char buffer[8192];
    ssize_t count;
    while ((count = read(0, buffer, sizeof buffer)) > 0)
        fwrite(buffer, 1, (size_t)count, stdout);
}

static void do_echo(void)
{
    type("application/octet-stream");
    copy_body();
}

/* Begins a long answer before it reads its body. */
static void do_answer_first(void)
{
    type("text/plain");
    for (int i = 0; i < 100000; i++)
        putchar('-');
    fflush(stdout);
    copy_body();
}

/* Reads the first bytes of its body only. */
static void do_nibble(void)
{
    char buffer[4];
    type("text/plain");
    printf("nibbled %d\n", (int)read(0, buffer, sizeof buffer));
}

static void do_ignore(void)
{
    type("text/plain");
    puts("ignored");
}

static void do_status(void)
{
    printf("Status: %s\n", parameter("line"));
    type("text/plain");
    puts("with a body");
}

static void do_location(void)
{
    printf("Location: %s\n", parameter("to"));
    if (*parameter("status"))
        printf("Status: %s\n", parameter("status"));
    if (*parameter("body")) {
        type("text/plain");
        puts("moved");
        return;
    }
    puts("");
}

static void do_cookies(void)
{
    puts("Set-Cookie: a=1");
    puts("Set-Cookie: b=2; Path=/");
    puts("X-Twice: one");
    puts("X-Twice: two");
    type("text/plain");
}

static void do_crlf(void)
{
    fputs("Content-Type: text/plain\r\nX-Line: crlf\r\n\r\nbody\r\n", stdout);
}

static void do_no_type(void)
{
    fputs("X-Only: header\n\nbody\n", stdout);
}

/* One hundred bytes that carry what conditional and range requests need. */
static void do_validators(void)
{
    puts("ETag: \"probe\"");
    puts("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT");
    type("text/plain");
    for (int i = 0; i < 10; i++)
        fputs("0123456789", stdout);
}

static void do_length(void)
{
    printf("Content-Length: %s\n", parameter("say"));
    type("text/plain");
    fputs("0123456789", stdout);
}

static void do_coding(void)
{
    puts("Transfer-Encoding: chunked");
    type("text/plain");
    fputs("5\r\nhello\r\n0\r\n\r\n", stdout);
}

static void do_connection(void)
{
    puts("Connection: X-Other");
    puts("Keep-Alive: timeout=99");
    type("text/plain");
}

static void do_server(void)
{
    puts("Server: probe");
    puts("Date: Sun, 06 Nov 1994 08:49:37 GMT");
    type("text/plain");
}

static void do_long_header(void)
{
    fputs("X-Long: ", stdout);
    for (int i = atoi(parameter("size")); i > 0; i--)
        putchar('x');
    puts("");
    type("text/plain");
    puts("body");
}

static void do_many_headers(void)
{
    for (int i = atoi(parameter("count")); i > 0; i--)
        printf("X-Many-%d: %d\n", i, i);
    type("text/plain");
    puts("body");
}

/* The header block byte by byte, as an unbuffered program writes it. */
static void do_bytewise(void)
{
    const char *text = "Content-Type: text/plain\nX-Slow: yes\n\nbody\n";
    for (; *text; text++) {
        putchar(*text);
        fflush(stdout);
    }
}

static void do_stderr(void)
{
    fputs("probe says one\nprobe says two\n", stderr);
    type("text/plain");
    puts("said");
}

static void do_exit(void)
{
    type("text/plain");
    puts("leaving");
    fflush(stdout);
    exit(atoi(parameter("code")));
}

static void do_exit_silent(void)
{
    exit(atoi(parameter("code")));
}

/* Writes exactly the bytes of the parameter "hex". */
static void do_raw(void)
{
    const char *hex = parameter("hex");
    for (; hex[0] && hex[1]; hex += 2) {
        char digits[] = {hex[0], hex[1], 0};
        putchar((int)strtol(digits, NULL, 16));
    }
}

/* Its body is all of its output, headers too. */
static void do_print(void)
{
    copy_body();
}

/* A well-behaved program reads what it is sent, even when it has no use for it. */
static void swallow_body(void)
{
    char buffer[8192];
    while (read(0, buffer, sizeof buffer) > 0)
        ;
}

static const struct {
    const char *name;
    void (*run)(void);
    int reads_body;
} actions[] = {
    {"echo", do_echo, 1},
    {"answer-first", do_answer_first, 1},
    {"print", do_print, 1},
    {"nibble", do_nibble, 1},
    {"ignore", do_ignore, 1},
    {"status", do_status, 0},
    {"location", do_location, 0},
    {"location-at-once", do_location, 1},
    {"cookies", do_cookies, 0},
    {"crlf", do_crlf, 0},
    {"no-type", do_no_type, 0},
    {"validators", do_validators, 0},
    {"length", do_length, 0},
    {"coding", do_coding, 0},
    {"connection", do_connection, 0},
    {"server", do_server, 0},
    {"long-header", do_long_header, 0},
    {"many-headers", do_many_headers, 0},
    {"bytewise", do_bytewise, 0},
    {"stderr", do_stderr, 0},
    {"exit", do_exit, 0},
    {"exit-silent", do_exit_silent, 0},
    {"raw", do_raw, 0},
};

int main(int argc, char **argv)
{
    const char *wanted = parameter("do");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (!strcmp(wanted, actions[i].name)) {
            if (!actions[i].reads_body)
                swallow_body();
            actions[i].run();
            return 0;
        }
    }
    swallow_body();
    do_dump(argc, argv);
    return 0;
}
