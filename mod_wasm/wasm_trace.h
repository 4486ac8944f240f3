/*
 * What LogLevel wasm:debug tells of a run as a whole. Single steps are told where they happen, at trace1 and trace2.
 *
 * While the level is off a line costs a comparison. No line, at trace levels neither, holds a query, an argument other than the script's path,
 * or the value of a variable other than the mapped paths: these may be secrets.
 */
#ifndef WASM_TRACE_H
#define WASM_TRACE_H

#include "wasm_config.h"
#include "wasm_exchange.h"

/* A run is about to wait for its turn: what is run, with what. */
void wasm_trace_start(const wasm_exchange *exchange, const wasm_dir_conf *conf, const wrt_run_options *options);

/* It has ended, well or not: how long it took, its wait included, and what went through it. */
void wasm_trace_end(const wasm_exchange *exchange, const wasm_dir_conf *conf, const wasm_failure *failure);

#endif
