/*
 * The parent's compiled modules. httpd reads its configuration twice at start and again at each restart, and unloads and reloads this
 * module in between: the library's artifact store outlives all of that, so that a module is compiled once.
 *
 * What was compiled is worth a line in the error log, but the log is not open yet when modules are prepared in the first pass. Such
 * lines are kept and written when it is.
 */
#ifndef WASM_ARTIFACTS_H
#define WASM_ARTIFACTS_H

#include "wasm_config.h"

/* Finds the compiled code of a program, or of its snapshot (preinit is NULL: none is wanted), or makes sure that it can be made; the handle
 * is released with pconf. Returns NULL, or the line that says what is wrong. */
const char *wasm_artifacts_examine(apr_pool_t *pconf, const wasm_server_conf *server, wasm_code *code, const wrt_preinit *preinit);

/* Makes what is missing of all codes of the server, side by side. There is at least one, and all were examined. Returns as above. */
const char *wasm_artifacts_compile(apr_pool_t *pconf, const wasm_server_conf *server);

/* The handles of all codes: const wrt_artifact *. */
apr_array_header_t *wasm_artifacts_of(apr_pool_t *pool, const wasm_server_conf *server);

/* The line for an error of the library about one directive; frees the error. */
const char *wasm_artifacts_problem(apr_pool_t *pool, const char *directive, wasm_source source, wrt_error *error);

/* Writes the kept lines: to the terminal (s is NULL), or to the error log. */
void wasm_artifacts_announce(server_rec *s);

/* Forgets modules that the configuration, which is complete now, does not name any more, and what the cache has long kept in vain. */
void wasm_artifacts_trim(void);

#endif
