/*
 * WasmPreinit: a program that is started once, when the server starts, and each run of which begins from a snapshot of that.
 */
#ifndef WASM_PREINIT_H
#define WASM_PREINIT_H

#include "wasm_config.h"

/* How the program of a section is initialised for a snapshot. NULL: it is not to be. */
const wrt_preinit *wasm_preinit_of(apr_pool_t *pool, const wasm_server_conf *server, const wasm_dir_conf *conf);

/* Finds the snapshot of a section that names a module, or notes that one is to be taken. Returns NULL, or the line that says what is
 * wrong. */
const char *wasm_preinit_examine(apr_pool_t *pconf, const wasm_server_conf *server, wasm_dir_conf *section);

/* What a request runs. Says once for each program that a snapshot is left aside because sections were merged. */
const wasm_code *wasm_preinit_code(request_rec *r, const wasm_dir_conf *conf);

#endif
