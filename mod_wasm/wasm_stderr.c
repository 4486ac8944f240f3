#include "wasm_stderr.h"

#include "wasm_codes.h"

void wasm_stderr_init(wasm_stderr *err, request_rec *r, const char *program)
{
    memset(err, 0, sizeof *err);
    err->r = r;
    err->program = program;
}

static void log_line(wasm_stderr *err)
{
    apr_size_t len = err->len;

    if (len && err->line[len - 1] == '\r') {
        len--;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, err->r, WASM_CODE_STDERR ": stderr from %s: %.*s", err->program, (int)len, err->line);
    err->len = 0;
    err->width = 0;
}

static void append(wasm_stderr *err, char byte)
{
    apr_size_t width = apr_isprint(byte) && byte != '\\' && byte != '"' ? 1 : 4;

    if (err->width + width > WASM_STDERR_ENTRY_MAX) {
        log_line(err);
    }
    /* A NUL would end the entry. */
    err->line[err->len++] = byte ? byte : '?';
    err->width += width;
}

void wasm_stderr_write(wasm_stderr *err, const char *data, apr_size_t len)
{
    apr_size_t i;

    if (!err->line) {
        err->line = apr_palloc(err->r->pool, WASM_STDERR_ENTRY_MAX);
    }
    for (i = 0; i < len; i++) {
        if (data[i] == '\n') {
            log_line(err);
        }
        else {
            append(err, data[i]);
        }
    }
}

void wasm_stderr_end(wasm_stderr *err)
{
    if (err->len) {
        log_line(err);
    }
}
