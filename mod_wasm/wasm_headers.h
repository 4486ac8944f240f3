/*
 * The header block of a CGI response: collected as it comes, in any split, within bounds, then given to httpd's own scanner.
 *
 * The scanner works on strings: it ends a line at NUL, drops every CR, and a line that is too long for it looks like a missing end.
 * Blocks with any of these are refused here, with a reason. So is a status that is not one of a final response: after an interim one (1xx)
 * the client would take the body for another response. Lines about the connection and the framing of the message are left out.
 */
#ifndef WASM_HEADERS_H
#define WASM_HEADERS_H

#include "mod_wasm.h"

/* All header lines of a response together. */
#define WASM_HEADERS_MAX ((apr_size_t)64 * 1024)
/* One header line without its end: what fits into the scanner's buffer. */
#define WASM_HEADER_LINE_MAX ((apr_size_t)MAX_STRING_LEN - 3)

typedef enum wasm_headers_state {
    WASM_HEADERS_MORE,    /* the block is not complete */
    WASM_HEADERS_COMPLETE,
    WASM_HEADERS_REFUSED  /* problem says why */
} wasm_headers_state;

typedef struct wasm_headers {
    request_rec *r;
    char *block;
    apr_size_t len;
    apr_size_t capacity;
    apr_size_t line; /* where the current line begins */
    const char *problem;
} wasm_headers;

void wasm_headers_init(wasm_headers *headers, request_rec *r);

/* Takes bytes up to the end of the block; *used says how many. */
wasm_headers_state wasm_headers_push(wasm_headers *headers, const char *data, apr_size_t len, apr_size_t *used);

/* Gives a complete block to httpd's scanner, which writes it into the request. Returns OK, or a status that replaces the response: 304 and 412
 * for conditional requests. */
int wasm_headers_scan(const wasm_headers *headers);

#endif
