/* No command but a library: what its constructor and the C library prepared has to be there when a function is called. */
#include <stdio.h>
#include <stdlib.h>

static char *prepared;

__attribute__((constructor)) static void prepare(void)
{
    prepared = malloc(8);
}

__attribute__((export_name("hello"))) void hello(void)
{
    FILE *note = fopen("/data/note", "r");

    printf("constructor: %s, mount: %s\n", prepared ? "ran" : "did not run", note ? "found" : "not found");
    fflush(stdout);
}
