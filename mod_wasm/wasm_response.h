/*
 * From stdout to the response: CGI header block first (in CGI mode), then the body, passed on as it comes.
 */
#ifndef WASM_RESPONSE_H
#define WASM_RESPONSE_H

#include "wasm_io.h"

/* A piece of stdout. Returns 0 or WRT_IO_*. */
int64_t wasm_response_write(wasm_io *io, const char *data, apr_size_t len, int flush, apr_uint64_t left_ms);

/* The program has ended well: `tail` is the last piece. What goes wrong is in io->failure. */
void wasm_response_finish(wasm_io *io, const char *tail, apr_size_t len);

/* After wasm_response_finish, when the run has been released: redirects. Returns what the handler returns. */
int wasm_response_conclude(wasm_io *io);

/* The run failed: an error page while nothing was sent, else a response that is visibly cut off. Returns what the handler returns. */
int wasm_response_fail(wasm_io *io, int status);

#endif
