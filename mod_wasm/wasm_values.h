/*
 * The values that directives take: durations, sizes, digests, paths. Each function returns NULL, or what is wrong with the text.
 */
#ifndef WASM_VALUES_H
#define WASM_VALUES_H

#include "mod_wasm.h"

/* "60", "0.5", "500ms", "2s", "1min", "1h"; seconds without a unit. */
const char *wasm_parse_duration(const char *text, apr_interval_time_t *out);

/* "268435456", "64K", "256M", "4G", within what a linear memory can be: 64 KiB to 4 GiB. */
const char *wasm_parse_memory(const char *text, apr_int64_t *out);

/* "sha256:<64 hex digits>"; out gets the digits in lower case. */
const char *wasm_parse_digest(apr_pool_t *pool, const char *text, const char **out);

/* An absolute path inside the guest; out gets it without empty and "." parts and without a slash at the end. */
const char *wasm_parse_guest_path(apr_pool_t *pool, const char *text, const char **out);

/* A path on the host, relative to ServerRoot unless absolute; out gets it without a slash at the end. Whether something is there is not
 * looked at: httpd reads its configuration also in order to stop. */
const char *wasm_parse_host_path(apr_pool_t *pool, const char *text, const char **out);

#endif
