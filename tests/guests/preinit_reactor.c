/* A library that can be started once: its constructors run before, and not again in a run. */
#include <stdio.h>

/* volatile: the compiler would run the constructor itself. */
static volatile int constructors;
static int initialised;

__attribute__((constructor)) static void construct(void)
{
    constructors++;
}

__attribute__((export_name("wizer-initialize"))) void initialize(void)
{
    initialised = constructors;
}

__attribute__((export_name("hello"))) void hello(void)
{
    printf("constructors %d, of which before it was initialised %d\n", constructors, initialised);
    fflush(stdout);
}
