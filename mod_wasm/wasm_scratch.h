/*
 * Scratch directories of runs: whether they can be as configured, and the directory of the machine in which they lie.
 *
 * Nothing is made or looked for where no section has WasmTmpDir.
 */
#ifndef WASM_SCRATCH_H
#define WASM_SCRATCH_H

#include "wasm_config.h"

/* NULL, or the line that stops the start; mounts are those of all sections. A directory that is missing is made later. */
const char *wasm_scratch_problem(apr_pool_t *pool, const wasm_server_conf *server, const wrt_mount_table *mounts);

/* Hook: makes the directory, for the user of the children. */
int wasm_scratch_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/* Where scratch directories lie, how much may be in all of them, and how many there can be at a time; 0: no section wants one. */
const char *wasm_scratch_dir(const wasm_server_conf *server);
apr_int64_t wasm_scratch_total(const wasm_server_conf *server);
uint32_t wasm_scratch_count(const wasm_server_conf *server);

#endif
