/*
 * Where PHP begins: in a fresh instance (main), to be started once (wizer-initialize), or behind that start (wizer-resume). A request of
 * CGI has REQUEST_METHOD in its environment; everything else is a command line.
 */
#include "sapi.h"

#include <stdlib.h>
#include <wasi/libc-environ.h>


#define LARGEST_STATUS 125

void __wasm_call_ctors(void);
int __main_void(void); /* the C library's: calls main() with the arguments of this run */

static volatile int constructed;

__attribute__((constructor)) static void note_construction(void)
{
    constructed = 1;
}

/* Constructors run once, wherever the program begins. A linker that sees them called leaves it to the program, main included. */
static void construct(void)
{
    if (!constructed)
        __wasm_call_ctors();
}

int exit_status(int status)
{
    return status < 0 || status > LARGEST_STATUS ? LARGEST_STATUS : status;
}

static bool is_request(void)
{
    return getenv("REQUEST_METHOD") != NULL;
}

int main(int argument_count, char **arguments)
{
    construct();
    if (!is_request())
        exit(run_command(argument_count, arguments));
    name_sapi(false);
    exit(php_is_started() || start_php() ? answer_request() : LARGEST_STATUS);
}

__attribute__((export_name("wizer-initialize"))) void initialize(void)
{
    construct();
    name_sapi(false);
    if (!start_php())
        abort();
    warm_cache();
    boot_worker();
    note_start();
}

__attribute__((export_name("wizer-resume"))) void resume(void)
{
    refresh();
    exit(__main_void());
}
