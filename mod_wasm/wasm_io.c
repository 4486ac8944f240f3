#include "wasm_io.h"

#include "apr_network_io.h"
#include "http_connection.h"

#include "wasm_codes.h"
#include "wasm_response.h"

/* The most that is asked from the input filters at once. */
#define READ_MAX ((apr_size_t)64 * 1024)

/* Not only ap_request_has_body(): a HEAD request may have one too. */
static int has_body(request_rec *r)
{
    return apr_table_get(r->headers_in, "Content-Length") || apr_table_get(r->headers_in, "Transfer-Encoding")
           || ap_request_has_body(r);
}

void wasm_io_init(wasm_io *io, request_rec *r, int cgi, const char *program)
{
    memset(io, 0, sizeof *io);
    io->r = r;
    io->cgi = cgi;
    io->socket = r->connection->master ? NULL : ap_get_conn_socket(r->connection);
    io->in = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    io->out = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    /* A subrequest has no body: what its filters would read belongs to the main request. */
    io->body_read = r->main != NULL || !has_body(r);
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

wasm_blocking wasm_io_begin_blocking(const wasm_io *io, apr_uint64_t left_ms)
{
    apr_interval_time_t left = apr_time_from_msec((apr_interval_time_t)(left_ms < LEFT_MAX_MS ? left_ms : LEFT_MAX_MS));
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

/* ---- stdin ---- */

static int64_t explain_read_error(wasm_io *io, apr_status_t rv, int deadline_reached)
{
    if (APR_STATUS_IS_TIMEUP(rv) && deadline_reached) {
        return WRT_IO_TIMEOUT;
    }
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

static apr_status_t get_brigade(wasm_io *io, apr_size_t len, apr_read_type_e how)
{
    return ap_get_brigade(io->r->input_filters, io->in, AP_MODE_READBYTES, how, (apr_off_t)(len < READ_MAX ? len : READ_MAX));
}

/* httpd says "100 Continue" at the first read that waits, unless the response has begun by then. The program wants the body now, and
 * its response may begin before that read. */
static void ask_for_body(wasm_io *io)
{
    request_rec *r = io->r;
    const char *status_line = r->status_line;
    int status = r->status;

    if (!r->expecting_100 || io->started || !ap_is_HTTP_SUCCESS(status)) {
        return;
    }
    r->status = HTTP_CONTINUE;
    r->status_line = NULL;
    ap_send_interim_response(r, 0);
    r->status = status;
    r->status_line = status_line;
}

/* Fills io->in with what is there. */
static int64_t fetch_at_once(wasm_io *io, apr_size_t len)
{
    apr_status_t rv;

    ask_for_body(io);
    rv = get_brigade(io, len, APR_NONBLOCK_READ);
    if (APR_STATUS_IS_EAGAIN(rv) || (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(io->in))) {
        return WRT_IO_TIMEOUT;
    }
    return rv == APR_SUCCESS ? 0 : explain_read_error(io, rv, 0);
}

/* Fills io->in, waiting if need be. */
static int64_t fetch(wasm_io *io, apr_size_t len, apr_uint64_t left_ms)
{
    wasm_blocking blocking = wasm_io_begin_blocking(io, left_ms);
    apr_status_t rv = get_brigade(io, len, APR_BLOCK_READ);
    int deadline_reached = wasm_io_end_blocking(io, &blocking);

    if (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(io->in)) {
        rv = APR_INCOMPLETE;
    }
    return rv == APR_SUCCESS ? 0 : explain_read_error(io, rv, deadline_reached);
}

/* Takes bytes out of the brigade's first bucket; 0: it had none and is gone. */
static int64_t take(wasm_io *io, uint8_t *buffer, apr_size_t len)
{
    apr_bucket *bucket = APR_BRIGADE_FIRST(io->in);
    const char *data;
    apr_size_t available;
    apr_status_t rv;

    if (APR_BUCKET_IS_EOS(bucket)) {
        io->body_read = 1;
    }
    if (APR_BUCKET_IS_METADATA(bucket)) {
        apr_bucket_delete(bucket);
        return 0;
    }
    rv = apr_bucket_read(bucket, &data, &available, APR_BLOCK_READ);
    if (rv != APR_SUCCESS) {
        return explain_read_error(io, rv, 0);
    }
    if (available > len) {
        apr_bucket_split(bucket, len);
        available = len;
    }
    memcpy(buffer, data, available);
    apr_bucket_delete(bucket);
    return (int64_t)available;
}

static int64_t read_body(void *context, uint8_t *buffer, size_t len, uint64_t timeout_ms)
{
    wasm_io *io = context;
    int64_t count = 0;

    if (io->failure.code) {
        return WRT_IO_FAILED;
    }
    while (count == 0 && !io->body_read && len) {
        if (APR_BRIGADE_EMPTY(io->in)) {
            count = timeout_ms ? fetch(io, len, timeout_ms) : fetch_at_once(io, len);
        }
        if (count == 0) {
            count = take(io, buffer, len);
        }
    }
    return count;
}

/* ---- the rest ---- */

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
        .read = io->cgi ? read_body : NULL,
        .write = write_response,
        .write_err = write_err,
        .connected = connected,
    };
}
