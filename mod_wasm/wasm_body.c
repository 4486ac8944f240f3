#include "wasm_body.h"

#include <poll.h>

#include "apr_network_io.h"
#include "apr_portable.h"
#include "http_connection.h"

#include "wasm_codes.h"

/* The most that is asked from the input filters at once. */
#define READ_MAX ((apr_size_t)64 * 1024)

/* Not only ap_request_has_body(): a HEAD request may have one too. */
static int body_expected(request_rec *r)
{
    return apr_table_get(r->headers_in, "Content-Length") || apr_table_get(r->headers_in, "Transfer-Encoding")
           || ap_request_has_body(r);
}

void wasm_body_init(wasm_body *body, wasm_io *io)
{
    request_rec *r = io->r;

    body->io = io;
    body->bytes = 0;
    body->in = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    /* A subrequest has no body: what its filters would read belongs to the main request. Nor has an error document when the client still
     * waits to be asked for its body: it was refused together with the request. */
    io->body_read = r->main || !body_expected(r) || (r->expecting_100 && !ap_is_HTTP_SUCCESS(r->status));
}

int wasm_body_is_too_large(request_rec *r)
{
    const char *text = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t limit = ap_get_limit_req_body(r), length;

    return limit > 0 && text && !r->main && ap_parse_strict_length(&length, text) && length > limit;
}

/* How long to wait at a time inside HTTP/2, where there is no socket to wait for. */
#define STREAM_PAUSE apr_time_from_msec(10)

static int64_t explain_read_error(wasm_io *io, apr_status_t rv)
{
    if (APR_STATUS_IS_ENOSPC(rv)) {
        return WRT_IO_TOO_LARGE;
    }
    if (io->r->connection->aborted) {
        return WRT_IO_GONE;
    }
    if (rv == AP_FILTER_ERROR) {
        return wasm_io_fail(io, WASM_CODE_BODY_UNREADABLE, APLOG_INFO, AP_FILTER_ERROR,
                            "httpd refused the request body and has answered itself");
    }
    return wasm_io_fail(io, WASM_CODE_BODY_UNREADABLE, APLOG_INFO, ap_map_http_request_error(rv, HTTP_BAD_REQUEST),
                        apr_psprintf(io->r->pool, "the request body could not be read: %pm", &rv));
}

static apr_status_t get_brigade(wasm_body *body, apr_size_t len, apr_read_type_e how)
{
    return ap_get_brigade(body->io->r->input_filters, body->in, AP_MODE_READBYTES, how, (apr_off_t)(len < READ_MAX ? len : READ_MAX));
}

/* httpd says "100 Continue" in reads that may wait, and here it is never left to wait. Once the response has begun it is too late: the
 * client sends its body without being asked, or not at all. */
static void ask_for_body(const wasm_io *io)
{
    request_rec *r = io->r;
    const char *status_line = r->status_line;
    int status = r->status;

    if (!r->expecting_100 || io->response_started) {
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_TRACE1, 0, r, "asks the client for the body");
    r->status = HTTP_CONTINUE;
    r->status_line = NULL;
    ap_send_interim_response(r, 0);
    r->status = status;
    r->status_line = status_line;
}

/* Returns when the client has sent something or gone, or after `most`. */
static void await_input(const wasm_io *io, apr_interval_time_t most)
{
    struct pollfd input = { .events = POLLIN };

    if (io->socket && apr_os_sock_get(&input.fd, io->socket) == APR_SUCCESS) {
        poll(&input, 1, (int)apr_time_as_msec(most) + 1);
        return;
    }
    apr_sleep(most < STREAM_PAUSE ? most : STREAM_PAUSE);
}

/* A read that may wait tells the end of a connection from a pause; it does not wait at the end. */
static apr_read_type_e way_to_read(const wasm_io *io)
{
    int at_eof = 0;

    if (io->socket && apr_socket_atreadeof(io->socket, &at_eof) == APR_SUCCESS && at_eof) {
        return APR_BLOCK_READ;
    }
    return APR_NONBLOCK_READ;
}

/* A client that sends before it is asked need not be asked any more. */
static void note_arrival(const wasm_body *body)
{
    if (!APR_BUCKET_IS_METADATA(APR_BRIGADE_FIRST(body->in))) {
        body->io->r->expecting_100 = 0;
    }
}

/*
 * Fills the brigade, waiting if need be. The waiting is done here and not inside httpd's filters: these would begin anew with each byte that a
 * client lets fall, and inside HTTP/2 know nothing of the run's deadline.
 */
static int64_t fetch(wasm_body *body, apr_size_t len, apr_uint64_t left_ms)
{
    wasm_io *io = body->io;
    apr_time_t now = apr_time_now();
    const apr_time_t deadline = now + wasm_io_interval(left_ms), patience = now + io->r->server->timeout;
    apr_read_type_e how = APR_NONBLOCK_READ;

    for (;;) {
        apr_status_t rv = get_brigade(body, len, how);

        if (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(body->in)) {
            note_arrival(body);
            return 0;
        }
        if (rv != APR_SUCCESS && !APR_STATUS_IS_EAGAIN(rv)) {
            return explain_read_error(io, rv);
        }
        ask_for_body(io);
        now = apr_time_now();
        if (now >= deadline) {
            return WRT_IO_TIMEOUT;
        }
        if (now >= patience || io->r->connection->aborted) {
            return explain_read_error(io, APR_TIMEUP);
        }
        await_input(io, (deadline < patience ? deadline : patience) - now);
        how = way_to_read(io);
    }
}

/* A program that knows the length of its body does not ask for what is behind it. */
static void note_end(wasm_body *body)
{
    if (!APR_BRIGADE_EMPTY(body->in) && APR_BUCKET_IS_EOS(APR_BRIGADE_FIRST(body->in))) {
        body->io->body_read = 1;
    }
}

/* Takes bytes out of the brigade's first bucket; 0: it had none and is gone. */
static int64_t take(wasm_body *body, uint8_t *buffer, apr_size_t len)
{
    apr_bucket *bucket = APR_BRIGADE_FIRST(body->in);
    const char *data;
    apr_size_t available;
    apr_status_t rv;

    note_end(body);
    if (APR_BUCKET_IS_METADATA(bucket)) {
        apr_bucket_delete(bucket);
        return 0;
    }
    rv = apr_bucket_read(bucket, &data, &available, APR_BLOCK_READ);
    if (rv != APR_SUCCESS) {
        return explain_read_error(body->io, rv);
    }
    if (available > len) {
        apr_bucket_split(bucket, len);
        available = len;
    }
    memcpy(buffer, data, available);
    apr_bucket_delete(bucket);
    note_end(body);
    return (int64_t)available;
}

int64_t wasm_body_read(wasm_body *body, uint8_t *buffer, size_t len, uint64_t timeout_ms)
{
    int64_t count = 0;

    if (body->io->failure.code) {
        return WRT_IO_FAILED;
    }
    while (count == 0 && !body->io->body_read && len) {
        if (APR_BRIGADE_EMPTY(body->in)) {
            count = fetch(body, len, timeout_ms);
        }
        if (count == 0) {
            count = take(body, buffer, len);
        }
    }
    if (count > 0) {
        body->bytes += count;
        ap_log_rerror(APLOG_MARK, APLOG_TRACE2, 0, body->io->r, "%" APR_INT64_T_FMT " bytes of the body", count);
    }
    return count;
}
