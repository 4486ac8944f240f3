#include "wasm_io.h"

#include "apr_network_io.h"
#include "http_connection.h"

#include "wasm_body.h"
#include "wasm_response.h"

void wasm_io_init(wasm_io *io, request_rec *r, int cgi, const char *program)
{
    memset(io, 0, sizeof *io);
    io->r = r;
    io->cgi = cgi;
    io->socket = r->connection->master ? NULL : ap_get_conn_socket(r->connection);
    io->in = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    io->out = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    /* A subrequest has no body: what its filters would read belongs to the main request. */
    io->body_read = r->main != NULL || !wasm_body_expected(r);
    io->state = cgi ? WASM_RESPONSE_HEADERS : WASM_RESPONSE_BODY;
    wasm_headers_init(&io->headers, r->pool);
    wasm_stderr_init(&io->err, r, program);
}

int wasm_io_fail(wasm_io *io, const char *code, int level, int status, const char *text)
{
    io->failure = (wasm_failure){ code, level, status, text };
    return WRT_IO_FAILED;
}

/* ---- time ---- */

/* apr waits in whole milliseconds and may return that much early. */
#define EARLY apr_time_from_msec(2)

/* "No deadline" is a century. */
#define LEFT_MAX_MS (APR_UINT64_C(100) * 365 * 24 * 3600 * 1000)

apr_interval_time_t wasm_io_interval(apr_uint64_t left_ms)
{
    return apr_time_from_msec((apr_interval_time_t)(left_ms < LEFT_MAX_MS ? left_ms : LEFT_MAX_MS));
}

wasm_blocking wasm_io_begin_blocking(const wasm_io *io, apr_uint64_t left_ms)
{
    apr_interval_time_t left = wasm_io_interval(left_ms);
    wasm_blocking blocking = { .own = -1, .deadline = apr_time_now() + left };

    if (io->socket && apr_socket_timeout_get(io->socket, &blocking.own) == APR_SUCCESS
        && (blocking.own < 0 || left < blocking.own)) {
        apr_socket_timeout_set(io->socket, left);
    }
    return blocking;
}

int wasm_io_end_blocking(const wasm_io *io, const wasm_blocking *blocking)
{
    if (io->socket) {
        apr_socket_timeout_set(io->socket, blocking->own);
    }
    return apr_time_now() + EARLY >= blocking->deadline;
}

/* ---- callbacks ---- */

static int64_t write_response(void *context, const uint8_t *data, size_t len, bool flush, uint64_t timeout_ms)
{
    return wasm_response_write(context, (const char *)data, len, flush, timeout_ms);
}

static void write_err(void *context, const uint8_t *data, size_t len)
{
    wasm_stderr_write(&((wasm_io *)context)->err, (const char *)data, len);
}

/* The end of the connection can be seen only where it does not hide behind an unread body. */
static bool connected(void *context)
{
    wasm_io *io = context;
    int at_eof = 0;

    if (io->r->connection->aborted) {
        return false;
    }
    if (!io->socket || !io->body_read) {
        return true;
    }
    return apr_socket_atreadeof(io->socket, &at_eof) != APR_SUCCESS || !at_eof;
}

wrt_callbacks wasm_io_callbacks(wasm_io *io)
{
    return (wrt_callbacks){
        .context = io,
        .read = io->cgi ? wasm_body_read : NULL,
        .write = write_response,
        .write_err = write_err,
        .connected = io->ignore_client_abort ? NULL : connected,
    };
}
