/*
 * What a running program and httpd exchange: the request body (stdin), the response (stdout), stderr, and whether the client is still
 * there. The library calls back on the request's own thread; nothing is buffered whole in either direction.
 */
#ifndef WASM_IO_H
#define WASM_IO_H

#include "mod_wasm.h"

#include "wasm_failure.h"
#include "wasm_headers.h"
#include "wasm_stderr.h"

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

typedef struct wasm_io {
    request_rec *r;
    int cgi;
    int ignore_client_abort; /* a client that goes away does not end the run */
    apr_socket_t *socket; /* of a connection of our own; NULL inside HTTP/2, where streams share one */

    apr_bucket_brigade *in;
    int body_read; /* the end of the request body was seen, or there is none */

    apr_bucket_brigade *out;
    wasm_response_state state;
    wasm_headers headers;
    wasm_response_snapshot before;
    int scanned;          /* headers were written into r */
    int started;          /* output filters have got something */
    int final_status;     /* DROP: what the handler returns in the end */
    const char *redirect; /* DROP: local redirect */

    wasm_stderr err;
    wasm_failure failure; /* why a callback ended the run */
} wasm_io;

/* `program` is the name for log lines. */
void wasm_io_init(wasm_io *io, request_rec *r, int cgi, const char *program);

wrt_callbacks wasm_io_callbacks(wasm_io *io);

/* Notes why the run cannot go on. Returns WRT_IO_FAILED. */
int wasm_io_fail(wasm_io *io, const char *code, int level, int status, const char *text);

/* What the library says is left of a run's time, for httpd. */
apr_interval_time_t wasm_io_interval(apr_uint64_t left_ms);

/* A call that writes to the client's connection must not outlive the run: begin lowers the socket's timeout to what is left, end puts
 * its own back and tells whether the deadline was reached (rather than a time limit of httpd's). */
typedef struct wasm_blocking {
    apr_interval_time_t own;
    apr_time_t deadline;
} wasm_blocking;

wasm_blocking wasm_io_begin_blocking(const wasm_io *io, apr_uint64_t left_ms);
int wasm_io_end_blocking(const wasm_io *io, const wasm_blocking *blocking);

#endif
