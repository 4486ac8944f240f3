/*
 * The request body as the program's stdin: read when the program asks for it, never buffered whole.
 */
#ifndef WASM_BODY_H
#define WASM_BODY_H

#include "wasm_io.h"

typedef struct wasm_body {
    wasm_io *io;
    apr_bucket_brigade *in;
    apr_off_t bytes; /* that the program has read */
} wasm_body;

void wasm_body_init(wasm_body *body, wasm_io *io);

/* Whether the client announced a body that is larger than LimitRequestBody: it is refused before anything runs, whether or not the
 * program would have read it. */
int wasm_body_is_too_large(request_rec *r);

/* Up to len bytes of the body. Returns their count, 0 at its end, or WRT_IO_*. With timeout_ms 0 it does not wait. */
int64_t wasm_body_read(wasm_body *body, uint8_t *buffer, size_t len, uint64_t timeout_ms);

#endif
