/*
 * stderr of a program: whole lines, in the error log of the request's virtual host, attributed to the request.
 *
 * No line can be forged: the log escapes control characters, and a line end always begins a new entry with its own prefix.
 */
#ifndef WASM_STDERR_H
#define WASM_STDERR_H

#include "mod_wasm.h"

/* An entry of the error log holds 8 KiB, prefix and escapes included. A longer line becomes several entries. */
#define WASM_STDERR_ENTRY_MAX 7168

typedef struct wasm_stderr {
    request_rec *r;
    const char *program; /* name in the log */
    char *line;          /* allocated with the first byte */
    apr_size_t len;
    apr_size_t width;    /* of the line once the log has escaped it */
} wasm_stderr;

void wasm_stderr_init(wasm_stderr *err, request_rec *r, const char *program);
void wasm_stderr_write(wasm_stderr *err, const char *data, apr_size_t len);

/* Writes what is left of a line without an end. */
void wasm_stderr_end(wasm_stderr *err);

#endif
