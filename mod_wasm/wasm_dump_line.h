/*
 * A line of the dump: words, quoted where they have to be.
 */
#ifndef WASM_DUMP_LINE_H
#define WASM_DUMP_LINE_H

#include "mod_wasm.h"

typedef struct wasm_dump_out {
    apr_pool_t *pool;
    apr_file_t *file;
} wasm_dump_out;

/* Begins a block. */
void wasm_dump_block(wasm_dump_out *out, const char *kind, const char *name);

/* A line of the block: a name and words, up to a NULL. is_set is 0 for what was not said in this place. */
void wasm_dump_line(wasm_dump_out *out, int is_set, const char *name, ...) __attribute__((sentinel));

#endif
