/*
 * What httpd -t -D DUMP_WASM prints: the programs and what the cache has of them, the sections and what they set.
 *
 * It is meant for people and programs: a line for each thing, in the words of a configuration. A line that is not indented begins a block.
 * What is inherited or a default is commented out. A word is quoted where it has to be, with \" and \\, and \x41 for a byte that does not print.
 * docs/wasm-run.md describes it; wasm-run reads it.
 */
#ifndef WASM_DUMP_H
#define WASM_DUMP_H

#include "mod_wasm.h"

/* Whether the configuration is only to be shown: nothing is checked, compiled or made then. */
int wasm_dump_is_wanted(void);

/* The hook test_config. */
void wasm_dump(apr_pool_t *pconf, server_rec *s);

#endif
