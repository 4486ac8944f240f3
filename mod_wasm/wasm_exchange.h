/*
 * What a running program and httpd exchange: the request body (stdin), the response (stdout), stderr, and whether the client is still
 * there. The library calls back on the request's own thread; nothing is buffered whole in either direction.
 */
#ifndef WASM_EXCHANGE_H
#define WASM_EXCHANGE_H

#include "wasm_body.h"
#include "wasm_io.h"
#include "wasm_response.h"
#include "wasm_stderr.h"

typedef struct wasm_exchange {
    int cgi;
    apr_time_t started;
    wasm_io io;
    wasm_body body;
    wasm_response response;
    wasm_stderr err;
} wasm_exchange;

/* `program` is the name for log lines. The exchange must stay where it is: its parts point to each other. */
void wasm_exchange_init(wasm_exchange *exchange, request_rec *r, int cgi, const char *program);

wrt_callbacks wasm_exchange_callbacks(wasm_exchange *exchange);

#endif
