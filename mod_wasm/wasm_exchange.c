#include "wasm_exchange.h"

void wasm_exchange_init(wasm_exchange *exchange, request_rec *r, int cgi, const char *program)
{
    exchange->cgi = cgi;
    exchange->started = apr_time_now();
    wasm_io_init(&exchange->io, r);
    wasm_body_init(&exchange->body, &exchange->io);
    wasm_response_init(&exchange->response, &exchange->io, cgi);
    wasm_stderr_init(&exchange->err, r, program);
}

static int64_t read_body(void *context, uint8_t *buffer, size_t len, uint64_t timeout_ms)
{
    return wasm_body_read(&((wasm_exchange *)context)->body, buffer, len, timeout_ms);
}

static int64_t write_response(void *context, const uint8_t *data, size_t len, bool flush, uint64_t timeout_ms)
{
    return wasm_response_write(&((wasm_exchange *)context)->response, (const char *)data, len, flush, timeout_ms);
}

static void write_err(void *context, const uint8_t *data, size_t len)
{
    wasm_stderr_write(&((wasm_exchange *)context)->err, (const char *)data, len);
}

static bool connected(void *context)
{
    return wasm_io_connected(&((wasm_exchange *)context)->io);
}

wrt_callbacks wasm_exchange_callbacks(wasm_exchange *exchange)
{
    return (wrt_callbacks){
        .context = exchange,
        .read = exchange->cgi ? read_body : NULL,
        .write = write_response,
        .write_err = write_err,
        .connected = exchange->io.ignore_client_abort ? NULL : connected,
    };
}
