/*
 * From stdout to the response: CGI header block first (in CGI mode), then the body, passed on as it comes.
 */
#ifndef WASM_RESPONSE_H
#define WASM_RESPONSE_H

#include "wasm_headers.h"
#include "wasm_io.h"

typedef enum wasm_response_state {
    WASM_RESPONSE_HEADERS, /* CGI: the header block is being collected */
    WASM_RESPONSE_BODY,
    WASM_RESPONSE_DROP     /* redirects, 304 and the like: the body is not wanted */
} wasm_response_state;

/* What a header block writes to, as it was before: a failed run must not leave its headers on the error page. */
typedef struct wasm_response_snapshot {
    apr_table_t *headers_out;
    apr_table_t *err_headers_out;
    const char *content_type;
    const char *status_line;
    int status;
    apr_time_t mtime;
} wasm_response_snapshot;

typedef struct wasm_response {
    wasm_io *io;
    apr_bucket_brigade *out;
    apr_off_t bytes; /* of the body, that were passed on */
    wasm_response_state state;
    wasm_headers headers;
    wasm_response_snapshot before;
    int scanned;          /* headers were written into the request */
    int final_status;     /* DROP: what the handler returns in the end */
    const char *redirect; /* DROP: local redirect */
} wasm_response;

void wasm_response_init(wasm_response *response, wasm_io *io, int cgi);

/* A piece of stdout. Returns 0 or WRT_IO_*. */
int64_t wasm_response_write(wasm_response *response, const char *data, apr_size_t len, int flush, apr_uint64_t left_ms);

/* The program has ended well: `tail` is the last piece. What goes wrong is in io->failure. */
void wasm_response_finish(wasm_response *response, const char *tail, apr_size_t len);

/* After wasm_response_finish, when the run has been released: redirects. Returns what the handler returns. */
int wasm_response_conclude(wasm_response *response);

/* The run failed: an error page while nothing was sent, else a response that is visibly cut off. Returns what the handler returns. */
int wasm_response_fail(wasm_response *response, int status);

#endif
