#include "wasm_response.h"

#include <sys/socket.h>

#include "apr_portable.h"

#include "wasm_codes.h"

void wasm_response_init(wasm_response *response, wasm_io *io, int cgi)
{
    memset(response, 0, sizeof *response);
    response->io = io;
    response->out = apr_brigade_create(io->r->pool, io->r->connection->bucket_alloc);
    response->state = cgi ? WASM_RESPONSE_HEADERS : WASM_RESPONSE_BODY;
    wasm_headers_init(&response->headers, io->r);
}

/* ---- headers ---- */

static void take_snapshot(wasm_response *response)
{
    const request_rec *r = response->io->r;

    response->before = (wasm_response_snapshot){
        .headers_out = apr_table_copy(r->pool, r->headers_out),
        .err_headers_out = apr_table_copy(r->pool, r->err_headers_out),
        .content_type = r->content_type,
        .status_line = r->status_line,
        .status = r->status,
        .mtime = r->mtime,
    };
    response->scanned = 1;
}

static void restore_snapshot(wasm_response *response)
{
    request_rec *r = response->io->r;

    if (!response->scanned) {
        return;
    }
    r->headers_out = response->before.headers_out;
    r->err_headers_out = response->before.err_headers_out;
    ap_set_content_type(r, response->before.content_type);
    r->status_line = response->before.status_line;
    r->status = response->before.status;
    r->mtime = response->before.mtime;
    response->scanned = 0;
}

static void drop_body(wasm_response *response, int final_status)
{
    response->state = WASM_RESPONSE_DROP;
    response->final_status = final_status;
}

static void trace_headers(const wasm_response *response)
{
    const request_rec *r = response->io->r;

    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, WASM_CODE_HEADERS ": the response headers are complete: status %d, type %.100s%s",
                  response->state == WASM_RESPONSE_DROP && response->final_status != OK ? response->final_status : r->status,
                  r->content_type ? r->content_type : "unknown",
                  response->redirect ? ", an internal redirect" : response->state == WASM_RESPONSE_DROP ? ", the body is not wanted" : "");
}

/* The same rules as mod_cgid's: see cgi_handle_response() in httpd's cgi_common.h. */
static void apply_headers(wasm_response *response)
{
    request_rec *r = response->io->r;
    const char *location;
    int status;

    take_snapshot(response);
    status = wasm_headers_scan(&response->headers);
    if (status == HTTP_NOT_MODIFIED) {
        /* OK instead of the status: the error path would disturb mod_cache, which may have set the condition itself. */
        r->status = HTTP_NOT_MODIFIED;
        drop_body(response, OK);
        return;
    }
    if (status != OK) {
        drop_body(response, status);
        return;
    }
    location = apr_table_get(r->headers_out, "Location");
    if (!location || r->status != HTTP_OK) {
        response->state = WASM_RESPONSE_BODY;
        return;
    }
    drop_body(response, HTTP_MOVED_TEMPORARILY);
    if (*location == '/') {
        response->redirect = location;
    }
}

/* Takes the header part off a piece of stdout. */
static int64_t take_headers(wasm_response *response, const char **data, apr_size_t *len)
{
    wasm_headers_state state;
    apr_size_t used;

    if (response->state != WASM_RESPONSE_HEADERS) {
        return 0;
    }
    state = wasm_headers_push(&response->headers, *data, *len, &used);
    *data += used;
    *len -= used;
    if (state == WASM_HEADERS_REFUSED) {
        return wasm_io_fail(response->io, WASM_CODE_BAD_HEADERS, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR,
                            apr_pstrcat(response->io->r->pool, "the response headers were refused: ", response->headers.problem, NULL));
    }
    if (state == WASM_HEADERS_COMPLETE) {
        apply_headers(response);
        trace_headers(response);
    }
    return 0;
}

/* ---- body ---- */

static int64_t explain_write_error(wasm_response *response, apr_status_t rv, int deadline_reached)
{
    if (APR_STATUS_IS_TIMEUP(rv) && deadline_reached) {
        return WRT_IO_TIMEOUT;
    }
    if (rv == AP_FILTER_ERROR) {
        return wasm_io_fail(response->io, WASM_CODE_OUTPUT, APLOG_INFO, AP_FILTER_ERROR, "httpd answered in place of the program");
    }
    if (response->io->r->connection->aborted || APR_STATUS_IS_EPIPE(rv) || APR_STATUS_IS_ECONNRESET(rv) || APR_STATUS_IS_ECONNABORTED(rv)) {
        if (response->io->ignore_client_abort) {
            drop_body(response, OK);
            return 0;
        }
        wasm_io_fail(response->io, WASM_CODE_CLIENT_GONE, APLOG_INFO, HTTP_BAD_REQUEST, "the client went away");
        return WRT_IO_GONE;
    }
    return wasm_io_fail(response->io, WASM_CODE_OUTPUT, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR,
                        apr_psprintf(response->io->r->pool, "the response could not be passed on: %pm", &rv));
}

/* httpd cuts ranges out of responses that it sees whole. Whether it sees one whole depends on how a program happens to write, so
 * programs always answer with the whole, as under mod_cgid (or with their own Content-Range). */
static void start_response(wasm_response *response)
{
    if (response->io->response_started) {
        return;
    }
    response->io->response_started = 1;
    ap_log_rerror(APLOG_MARK, APLOG_TRACE1, 0, response->io->r, "the response begins");
    if (!response->io->r->main) {
        ap_remove_output_filter_byhandle(response->io->r->output_filters, "BYTERANGE");
    }
}

static int64_t pass(wasm_response *response, apr_uint64_t left_ms)
{
    wasm_blocking blocking = wasm_io_begin_blocking(response->io, left_ms);
    apr_status_t rv;
    int deadline_reached;

    start_response(response);
    rv = ap_pass_brigade(response->io->r->output_filters, response->out);
    apr_brigade_cleanup(response->out);
    deadline_reached = wasm_io_end_blocking(response->io, &blocking);
    if (rv == APR_SUCCESS && response->io->r->connection->aborted) {
        rv = APR_ECONNABORTED;
    }
    return rv == APR_SUCCESS ? 0 : explain_write_error(response, rv, deadline_reached);
}

static void append_data(wasm_response *response, const char *data, apr_size_t len)
{
    response->bytes += (apr_off_t)len;
    if (len) {
        APR_BRIGADE_INSERT_TAIL(response->out, apr_bucket_transient_create(data, len, response->out->bucket_alloc));
    }
}

int64_t wasm_response_write(wasm_response *response, const char *data, apr_size_t len, int flush, apr_uint64_t left_ms)
{
    int64_t result = response->io->failure.code ? WRT_IO_FAILED : take_headers(response, &data, &len);

    if (result < 0 || response->state != WASM_RESPONSE_BODY || (!len && !flush)) {
        return result;
    }
    ap_log_rerror(APLOG_MARK, APLOG_TRACE2, 0, response->io->r, "%" APR_SIZE_T_FMT " bytes of output%s", len, flush ? ", flushed" : "");
    append_data(response, data, len);
    if (flush) {
        wasm_io_note_flush(response->io);
        APR_BRIGADE_INSERT_TAIL(response->out, apr_bucket_flush_create(response->out->bucket_alloc));
    }
    return pass(response, left_ms);
}

/* The tail and the end go together: httpd computes the Content-Length of a response that it sees whole. */
void wasm_response_finish(wasm_response *response, const char *tail, apr_size_t len)
{
    if (take_headers(response, &tail, &len) < 0) {
        return;
    }
    if (response->state == WASM_RESPONSE_HEADERS) {
        wasm_io_fail(response->io, WASM_CODE_NO_HEADERS, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR,
                     response->headers.len ? "the program ended before the end of its response headers"
                                     : "the program ended without a response");
        return;
    }
    if (response->state == WASM_RESPONSE_DROP) {
        return;
    }
    append_data(response, tail, len);
    APR_BRIGADE_INSERT_TAIL(response->out, apr_bucket_eos_create(response->out->bucket_alloc));
    pass(response, APR_UINT64_MAX);
}

int wasm_response_conclude(wasm_response *response)
{
    request_rec *r = response->io->r;

    if (response->state != WASM_RESPONSE_DROP) {
        return OK;
    }
    if (!response->redirect) {
        return response->final_status;
    }
    /* What the program left of the body would be taken for the client's next request. Nobody asks for a body in order to discard it. */
    if (r->expecting_100) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    if (!response->io->body_read) {
        int status = ap_discard_request_body(r);

        if (status != OK) {
            return status;
        }
    }
    /* The new request is a GET without a body, whatever this one was. */
    r->method = "GET";
    r->method_number = M_GET;
    apr_table_unset(r->headers_in, "Content-Length");
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    ap_internal_redirect_handler(response->redirect, r);
    return OK;
}

/* ---- failure ---- */

/* Neither chunks nor a length tell the client where the response should have ended: only a reset shows that it did not. */
static void reset_connection(wasm_response *response)
{
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    apr_os_sock_t fd;

    if (response->io->socket && apr_os_sock_get(&fd, response->io->socket) == APR_SUCCESS) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    response->io->r->connection->aborted = 1;
}

static void cut_off(wasm_response *response)
{
    request_rec *r = response->io->r;
    apr_bucket_alloc_t *alloc = response->out->bucket_alloc;

    r->connection->keepalive = AP_CONN_CLOSE;
    r->no_cache = 1;
    if (r->main) {
        r->main->no_cache = 1;
    }
    /* With this status, and no other, the chunk filter leaves out the last chunk; where a filter still holds the headers back, an error
     * page is sent instead. */
    APR_BRIGADE_INSERT_TAIL(response->out, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(response->out, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, response->out);
    apr_brigade_cleanup(response->out);
    if (!r->main && !r->header_only && !r->chunked && !apr_table_get(r->headers_out, "Content-Length")) {
        reset_connection(response);
    }
}

int wasm_response_fail(wasm_response *response, int status)
{
    request_rec *r = response->io->r;

    if (status == AP_FILTER_ERROR) {
        return status;
    }
    if (response->io->response_started) {
        cut_off(response);
        return OK;
    }
    restore_snapshot(response);
    if (!response->io->body_read) {
        /* Nobody wants the rest of the body; waiting for it would hold this thread. */
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    return status;
}
