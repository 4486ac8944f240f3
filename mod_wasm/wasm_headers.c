#include "wasm_headers.h"

#include "util_script.h"

#define FIRST_CAPACITY 2048

void wasm_headers_init(wasm_headers *headers, apr_pool_t *pool)
{
    memset(headers, 0, sizeof *headers);
    headers->pool = pool;
}

static void append(wasm_headers *headers, char byte)
{
    if (headers->len == headers->capacity) {
        apr_size_t capacity = headers->capacity ? headers->capacity * 2 : FIRST_CAPACITY;
        char *block = apr_palloc(headers->pool, capacity);

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

static wasm_headers_state end_line(wasm_headers *headers)
{
    apr_size_t len = line_length(headers);

    if (len && !headers->has_colon) {
        return refuse(headers, apr_psprintf(headers->pool, "not a header line: \"%.*s\"", (int)(len > 60 ? 60 : len),
                                            headers->block + headers->line));
    }
    append(headers, '\n');
    headers->line = headers->len;
    headers->has_colon = 0;
    return len ? WASM_HEADERS_MORE : WASM_HEADERS_COMPLETE;
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
        return refuse(headers, apr_psprintf(headers->pool, "a header line is longer than %" APR_SIZE_T_FMT " bytes",
                                            WASM_HEADER_LINE_MAX));
    }
    headers->has_colon |= byte == ':';
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

int wasm_headers_scan(const wasm_headers *headers, request_rec *r)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *block = apr_brigade_create(r->pool, alloc);
    char line[MAX_STRING_LEN];
    int status;

    APR_BRIGADE_INSERT_TAIL(block, apr_bucket_transient_create(headers->block, headers->len, alloc));
    status = ap_scan_script_header_err_brigade_ex(r, block, line, APLOG_MODULE_INDEX);
    apr_brigade_destroy(block);
    return status;
}
