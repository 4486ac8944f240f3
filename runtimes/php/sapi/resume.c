/*
 * What a snapshot froze, and each request has to have anew: the environment, the C library's view of its mounts, and the seeds of random numbers.
 * PHP seeds its own generators in each request, when
 * a script asks; libsodium keeps none (shims/random.c).
 */
#include "sapi.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wasi/libc-environ.h>

void __wasilibc_reset_preopens(void);
unsigned *xmlGetLocalRngState(void); /* libxml2's own, two numbers: seeds of its tables of names */

/* Variables by which PHP finds php.ini. It has read it when the snapshot was taken. */
static const char *const ini_variables[] = {"PHPRC", "PHP_INI_SCAN_DIR"};
#define INI_VARIABLES (sizeof ini_variables / sizeof *ini_variables)

static char *ini_values[INI_VARIABLES];

void note_start(void)
{
    for (size_t i = 0; i < INI_VARIABLES; i++) {
        const char *value = getenv(ini_variables[i]);
        ini_values[i] = value ? strdup(value) : NULL;
    }
}

static bool differ(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) != 0 : one != other;
}

static void compare_ini_variables(void)
{
    for (size_t i = 0; i < INI_VARIABLES; i++) {
        if (differ(ini_values[i], getenv(ini_variables[i])))
            fprintf(stderr, "PHP Warning: %s says where php.ini is, and PHP was started without it. Set it with WasmPreinitEnv too.\n", ini_variables[i]);
    }
}

void refresh(void)
{
    __wasilibc_deinitialize_environ();
    __wasilibc_maybe_reinitialize_environ_eagerly();
    __wasilibc_reset_preopens();
    sqlite3_randomness(0, NULL);
    if (getentropy(xmlGetLocalRngState(), 2 * sizeof(unsigned)))
        abort();
    compare_ini_variables();
}
