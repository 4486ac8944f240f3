/*
 * What every file of the module shares: httpd's headers, the library's header, and text conversion between the two.
 */
#ifndef MOD_WASM_H
#define MOD_WASM_H

#include <string.h>

#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "apr_buckets.h"
#include "apr_lib.h"
#include "apr_strings.h"
#include "apr_tables.h"

#include "wasm_runtime.h"

extern module AP_MODULE_DECLARE_DATA wasm_module __attribute__((visibility("default")));
APLOG_USE_MODULE(wasm);

#define WASM_HANDLER "wasm-handler"

/* Borrows a C string; NULL becomes the empty string. */
static inline wrt_str wasm_str(const char *text)
{
    return (wrt_str){ .data = text, .len = text ? strlen(text) : 0 };
}

static inline char *wasm_str_dup(apr_pool_t *pool, wrt_str text)
{
    return text.len ? apr_pstrmemdup(pool, text.data, text.len) : apr_pstrdup(pool, "");
}

#endif
