/*
 * The one place that turns what the library reports about a run into a log line and an HTTP status.
 */
#ifndef WASM_OUTCOME_H
#define WASM_OUTCOME_H

#include "wasm_config.h"
#include "wasm_exchange.h"

/* At which level the call stack of a trap is logged: the library is asked for it only then. */
#define WASM_BACKTRACE_LEVEL APLOG_INFO

/* What failed; code is NULL when the program ended well. Texts live as long as the request. */
wasm_failure wasm_outcome_failure(const wasm_exchange *exchange, const wrt_outcome *outcome);

/* The library itself failed; frees the error. */
wasm_failure wasm_outcome_error(const wasm_exchange *exchange, wrt_error *error);

/* Writes the line of a failed run, and what else there is to know about any run. outcome is NULL when there is none. */
void wasm_outcome_log(const wasm_exchange *exchange, const wasm_program *program, const wasm_failure *failure, const wrt_outcome *outcome);

#endif
