/*
 * The request body as the program's stdin: read when the program asks for it, never buffered whole.
 */
#ifndef WASM_BODY_H
#define WASM_BODY_H

#include "mod_wasm.h"

#include "wasm_io.h"

/* Whether the client announced a body. */
int wasm_body_expected(request_rec *r);

/* The library's read callback: context is a wasm_io. */
int64_t wasm_body_read(void *context, uint8_t *buffer, size_t len, uint64_t timeout_ms);

#endif
