#include "wasm_headers.h"

#include "util_script.h"

#define FIRST_CAPACITY 2048

void wasm_headers_init(wasm_headers *headers, request_rec *r)
{
    memset(headers, 0, sizeof *headers);
    headers->r = r;
}

static void append(wasm_headers *headers, char byte)
{
    if (headers->len == headers->capacity) {
        apr_size_t capacity = headers->capacity ? headers->capacity * 2 : FIRST_CAPACITY;
        char *block = apr_palloc(headers->r->pool, capacity);

        if (headers->len) {
            memcpy(block, headers->block, headers->len);
        }
        headers->block = block;
        headers->capacity = capacity;
    }
    headers->block[headers->len++] = byte;
}

static wasm_headers_state refuse(wasm_headers *headers, const char *problem)
{
    headers->problem = problem;
    return WASM_HEADERS_REFUSED;
}

/* The current line without its LF; a CR at its end counts as part of the line end. */
static apr_size_t line_length(const wasm_headers *headers)
{
    apr_size_t len = headers->len - headers->line;

    return len && headers->block[headers->len - 1] == '\r' ? len - 1 : len;
}

static int trusts_length(const request_rec *r)
{
#ifdef AP_TRUST_CGILIKE_CL_ENVVAR
    return apr_table_get(r->subprocess_env, AP_TRUST_CGILIKE_CL_ENVVAR) != NULL;
#else
    (void)r;
    return 0;
#endif
}

static int is_named(const char *line, const char *colon, const char *name)
{
    apr_size_t len = strlen(name);

    return (apr_size_t)(colon - line) == len && !strncasecmp(line, name, len);
}

/* How the response is framed is for httpd to choose, which sees what is really sent; and so is everything about the connection, which
 * other requests use too. */
static int is_for_httpd(const request_rec *r, const char *line, const char *colon)
{
    static const char *const names[] = { "Connection", "Keep-Alive", "Proxy-Connection", "Trailer", "Transfer-Encoding", "Upgrade" };
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_named(line, colon, names[i])) {
            return 1;
        }
    }
    return is_named(line, colon, "Content-Length") && !trusts_length(r);
}

/* As the scanner reads it, but without its silent cut to 32 bits. */
static int is_final_status(const char *text)
{
    apr_int64_t status = apr_atoi64(text);

    return status >= 200 && status < 600;
}

static wasm_headers_state refuse_line(wasm_headers *headers, const char *problem, const char *text, apr_size_t len)
{
    return refuse(headers, apr_psprintf(headers->r->pool, "%s: \"%.*s\"", problem, (int)(len > 60 ? 60 : len), text));
}

static wasm_headers_state end_header(wasm_headers *headers, apr_size_t len)
{
    const char *line, *colon;

    append(headers, '\0');
    headers->len--;
    line = headers->block + headers->line;
    colon = strchr(line, ':');
    if (!colon) {
        return refuse_line(headers, "not a header line", line, len);
    }
    if (is_for_httpd(headers->r, line, colon)) {
        headers->len = headers->line;
        return WASM_HEADERS_MORE;
    }
    if (is_named(line, colon, "Status") && !is_final_status(colon + 1)) {
        return refuse_line(headers, "not a status from 200 to 599", line, len);
    }
    append(headers, '\n');
    headers->line = headers->len;
    return WASM_HEADERS_MORE;
}

static wasm_headers_state end_line(wasm_headers *headers)
{
    apr_size_t len = line_length(headers);

    if (len) {
        return end_header(headers, len);
    }
    append(headers, '\n');
    return WASM_HEADERS_COMPLETE;
}

static wasm_headers_state push_byte(wasm_headers *headers, char byte)
{
    if (byte == '\0') {
        return refuse(headers, "the header block contains a NUL byte");
    }
    if (headers->len == WASM_HEADERS_MAX) {
        return refuse(headers, "the header block is longer than 64 KiB");
    }
    if (byte == '\n') {
        return end_line(headers);
    }
    if (headers->len > headers->line && headers->block[headers->len - 1] == '\r') {
        return refuse(headers, "the header block contains a CR that ends no line");
    }
    if (byte != '\r' && headers->len - headers->line == WASM_HEADER_LINE_MAX) {
        return refuse(headers, apr_psprintf(headers->r->pool, "a header line is longer than %" APR_SIZE_T_FMT " bytes",
                                            WASM_HEADER_LINE_MAX));
    }
    append(headers, byte);
    return WASM_HEADERS_MORE;
}

wasm_headers_state wasm_headers_push(wasm_headers *headers, const char *data, apr_size_t len, apr_size_t *used)
{
    wasm_headers_state state = WASM_HEADERS_MORE;
    apr_size_t i;

    for (i = 0; i < len && state == WASM_HEADERS_MORE; i++) {
        state = push_byte(headers, data[i]);
    }
    *used = i;
    return state;
}

int wasm_headers_scan(const wasm_headers *headers)
{
    request_rec *r = headers->r;
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *block = apr_brigade_create(r->pool, alloc);
    char line[MAX_STRING_LEN];
    int status;

    APR_BRIGADE_INSERT_TAIL(block, apr_bucket_transient_create(headers->block, headers->len, alloc));
    status = ap_scan_script_header_err_brigade_ex(r, block, line, APLOG_MODULE_INDEX);
    apr_brigade_destroy(block);
    return status;
}
