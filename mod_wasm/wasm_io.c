#include "wasm_io.h"

#include <poll.h>

#include "apr_network_io.h"
#include "apr_portable.h"
#include "http_connection.h"

void wasm_io_init(wasm_io *io, request_rec *r)
{
    memset(io, 0, sizeof *io);
    io->r = r;
    io->socket = r->connection->master ? NULL : ap_get_conn_socket(r->connection);
}

int wasm_io_fail(wasm_io *io, const char *code, int level, int status, const char *text)
{
    io->failure = (wasm_failure){ code, level, status, text };
    return WRT_IO_FAILED;
}

/* ---- the client ---- */

#define CLOSED (POLLERR | POLLHUP | POLLNVAL)

/* What the system knows of the client at this moment: POLLRDHUP when it sends nothing more, whatever of it waits to be read; CLOSED when
 * it is gone. */
static int client_events(const wasm_io *io)
{
    struct pollfd client = { .events = POLLRDHUP };

    if (!io->socket || apr_os_sock_get(&client.fd, io->socket) != APR_SUCCESS || poll(&client, 1, 0) < 0) {
        return 0;
    }
    return client.revents;
}

int wasm_io_connected(const wasm_io *io)
{
    int events;

    if (io->r->connection->aborted) {
        return 0;
    }
    events = client_events(io);
    if (events & CLOSED) {
        return 0;
    }
    /* The end of a body that was not read yet looks the same. */
    return !(events & POLLRDHUP) || !io->body_read || io->reads_on;
}

void wasm_io_note_flush(wasm_io *io)
{
    /* Of these httpd sends nothing before the end. */
    int silent = io->r->header_only || AP_STATUS_IS_HEADER_ONLY(io->r->status);

    if (!io->reads_on && !silent) {
        io->reads_on = client_events(io) == POLLRDHUP;
    }
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
