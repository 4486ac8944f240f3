/*
 * Mounts as the library sees them: those of a run, all of a configuration, and which contradict each other.
 */
#ifndef WASM_MOUNTS_H
#define WASM_MOUNTS_H

#include "wasm_config.h"

/* Mounts of sections, merged or not: wrt_mount. */
apr_array_header_t *wasm_mounts_of(apr_pool_t *pool, const wasm_dir_conf *conf);

/* Makes the table of all mounts of the registered sections. */
wrt_error *wasm_mounts_table(apr_pool_t *pconf, wasm_server_conf *server);

/* NULL, or why the mounts of this one section cannot be used, as a line for the log. */
const char *wasm_mounts_problem(apr_pool_t *pool, const wrt_mount_table *table, const wasm_dir_conf *section);

/* OK, or the status of a request whose mounts, brought together by merging, contradict each other; then that was logged. */
int wasm_mounts_resolve(request_rec *r, const wasm_dir_conf *conf);

#endif
