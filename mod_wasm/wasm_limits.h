/*
 * The limits of a run: which directive sets each, and what the log says when a run comes up against it.
 */
#ifndef WASM_LIMITS_H
#define WASM_LIMITS_H

#include "wasm_config.h"
#include "wasm_failure.h"

/* The limits of the section, for the library. */
wrt_limits wasm_limits_of(const wasm_dir_conf *conf);

/* The outcome is WRT_OUTCOME_LIMIT: a limit ended the run. */
wasm_failure wasm_limits_failure(apr_pool_t *pool, const wrt_outcome *outcome);

/* What else the run came up against before it failed, for the end of its line. */
const char *wasm_limits_also(apr_pool_t *pool, const wrt_outcome *outcome);

/* Writes a line for each limit that refused the program something, and did not end it. */
void wasm_limits_log(request_rec *r, const wasm_program *program, const wrt_outcome *outcome);

#endif
