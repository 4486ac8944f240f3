/*
 * Can be started once. What it does then is said by the variable INIT, words that are separated by commas; what a run does, by its
 * arguments. Each run tells what was frozen and what is fresh.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <wasi/api.h>
#include <wasi/libc-environ.h>

extern char **environ;

/* volatile: the compiler would run the constructor itself. */
static volatile int constructors;
static int initialised, runs;
static char frozen[256] = "nothing", frozen_token[17];
static struct timespec frozen_clock;

__attribute__((constructor)) static void construct(void)
{
    constructors++;
}

static void token(char *text)
{
    unsigned char bytes[8];

    getentropy(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static void cat(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY);
    ssize_t count = fd < 0 ? -1 : read(fd, text, room - 1);

    if (count < 0)
        snprintf(text, room, "%s", strerror(errno));
    else
        text[count] = '\0';
    if (fd >= 0)
        close(fd);
}

static void count_entries(const char *path, char *text, size_t room)
{
    DIR *dir = opendir(path);
    int count = 0;

    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    snprintf(text, room, "%d entries", count - 2);
}

static void open_many(const char *path, char *text, size_t room)
{
    int opened[4096], count = 0;

    while (count < 4096 && (opened[count] = open(path, O_RDONLY)) >= 0)
        count++;
    snprintf(text, room, "%d open", count);
    while (count)
        close(opened[--count]);
}

static void grow(int mib)
{
    for (int i = 0; i < mib; i++) {
        char *volatile piece = malloc(1 << 20);
        if (!piece)
            abort();
        memset(piece, 1, 1 << 20);
    }
}

static void prepare(const char *what, const char *operand)
{
    struct stat found;

    if (!strcmp(what, "read"))
        cat(operand, frozen, sizeof frozen);
    else if (!strcmp(what, "list"))
        count_entries(operand, frozen, sizeof frozen);
    else if (!strcmp(what, "look"))
        snprintf(frozen, sizeof frozen, "%s", stat(operand, &found) ? strerror(errno) : "there");
    else if (!strcmp(what, "make"))
        snprintf(frozen, sizeof frozen, "%s", mkdir(operand, 0755) ? strerror(errno) : "made");
    else if (!strcmp(what, "variable"))
        snprintf(frozen, sizeof frozen, "%s", getenv(operand) ? getenv(operand) : "unset");
    else if (!strcmp(what, "input"))
        snprintf(frozen, sizeof frozen, "input %zd", read(0, frozen, 1));
    else if (!strcmp(what, "leave"))
        open(operand, O_RDONLY);
    else if (!strcmp(what, "open-many"))
        open_many(operand, frozen, sizeof frozen);
    else if (!strcmp(what, "grow"))
        grow(atoi(operand));
    else if (!strcmp(what, "say"))
        fprintf(stderr, "%s\nand more\n", operand);
    else if (!strcmp(what, "exit"))
        _Exit(atoi(operand));
    else if (!strcmp(what, "trap"))
        __builtin_trap();
    else if (!strcmp(what, "loop"))
        for (;;)
            time(NULL);
}

static void prepare_all(void)
{
    const char *all = getenv("INIT");
    char word[256];

    while (all && *all) {
        size_t length = strcspn(all, ",");
        snprintf(word, sizeof word, "%.*s", (int)length, all);
        char *operand = strchr(word, ':');
        if (operand)
            *operand++ = '\0';
        prepare(word, operand ? operand : "");
        all += length + (all[length] == ',');
    }
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    int failed = !file || fputs(text, file) < 0 || fclose(file);

    printf("put: %s\n", failed ? strerror(errno) : "written");
}

static int run(int argc, char **argv)
{
    char text[256], byte;
    struct timespec now;

    runs++;
    if (getenv("GATEWAY_INTERFACE"))
        printf("Content-Type: text/plain\n\n");
    printf("runs %d constructors %d initialised %d\n", runs, constructors, initialised);
    printf("frozen %s\n", frozen);
    printf("frozen-token %s\n", frozen_token);
    token(text);
    printf("token %s\n", text);
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("clock %s\n", now.tv_sec > frozen_clock.tv_sec || (now.tv_sec == frozen_clock.tv_sec && now.tv_nsec >= frozen_clock.tv_nsec)
                             ? "goes on" : "went back");
    printf("seconds %ld\n", (long)time(NULL));
    for (int i = 0; i < argc; i++)
        printf("argv[%d]=%s\n", i, argv[i]);
    for (char **variable = environ; variable && *variable; variable++)
        printf("env %s\n", *variable);
    printf("stdin %d\n", (int)read(0, &byte, 1));
    if (argc > 2 && !strcmp(argv[1], "cat")) {
        cat(argv[2], text, sizeof text);
        printf("cat: %s\n", text);
    }
    if (argc > 3 && !strcmp(argv[1], "put"))
        put(argv[2], argv[3]);
    return 0;
}

/* The arguments of this run: the C library has kept none. */
static int run_with_arguments(void)
{
    size_t argc, size;
    char **argv, *bytes;

    if (__wasi_args_sizes_get(&argc, &size))
        return 1;
    argv = calloc(argc + 1, sizeof *argv);
    bytes = malloc(size);
    if (__wasi_args_get((uint8_t **)argv, (uint8_t *)bytes))
        return 1;
    return run((int)argc, argv);
}

void __wasm_call_ctors(void);

static void construct_once(void)
{
    if (!constructors)
        __wasm_call_ctors();
}

__attribute__((export_name("wizer-initialize"))) void initialize(void)
{
    construct_once();
    initialised++;
    token(frozen_token);
    clock_gettime(CLOCK_MONOTONIC, &frozen_clock);
    prepare_all();
}

__attribute__((export_name("wizer-resume"))) void resume(void)
{
    __wasilibc_deinitialize_environ();
    __wasilibc_maybe_reinitialize_environ_eagerly();
    exit(run_with_arguments());
}

/* Not _start, and not what a snapshot begins with. */
__attribute__((export_name("other"))) void other(void)
{
    printf("other, initialised %d\n", initialised);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    construct_once();
    exit(run(argc, argv));
}
