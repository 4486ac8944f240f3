/*
 * What the request body and the response of a run have in common: the connection, the time that blocking calls may take, and why the
 * run cannot go on.
 */
#ifndef WASM_IO_H
#define WASM_IO_H

#include "mod_wasm.h"

#include "wasm_failure.h"

typedef struct wasm_io {
    request_rec *r;
    apr_socket_t *socket; /* of a connection of our own; NULL inside HTTP/2, where streams share one */
    int ignore_client_abort; /* a client that goes away does not end the run */
    int body_read; /* the end of the request body was seen, or there is none */
    int response_started; /* output filters have got something */
    int reads_on; /* the client closed its half of the connection, and has been sent something since */
    wasm_failure failure; /* why a callback ended the run */
} wasm_io;

void wasm_io_init(wasm_io *io, request_rec *r);

/* Notes why the run cannot go on. Returns WRT_IO_FAILED. */
int wasm_io_fail(wasm_io *io, const char *code, int level, int status, const char *text);

/* Whether there is a reason to go on for this client. */
int wasm_io_connected(const wasm_io *io);

/* A part of the response is about to be sent. From then on a client that has closed only its own half can be told from one that has left:
 * the latter's system answers with a reset. */
void wasm_io_note_flush(wasm_io *io);

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
