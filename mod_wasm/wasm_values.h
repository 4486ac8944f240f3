/*
 * The values that directives take: durations, sizes, digests, paths. Each function returns NULL, or what is wrong with the text.
 */
#ifndef WASM_VALUES_H
#define WASM_VALUES_H

#include "mod_wasm.h"

/* Durations are in microseconds, memory in bytes, a flag is 0 or 1. */
typedef const char *wasm_parser(const char *text, apr_int64_t *out);

/* "On" or "Off". */
wasm_parser wasm_parse_flag;

/* "On", "Off" or "Auto". */
#define WASM_PREINIT_AUTO 2
wasm_parser wasm_parse_preinit;

/* "60", "0.5", "500ms", "2s", "1min", "1h"; seconds without a unit. */
wasm_parser wasm_parse_duration;

/* The same, but not 0. */
wasm_parser wasm_parse_time_limit;

/* "268435456", "64K", "256M", "4G", within what a linear memory can be: 64 KiB to 4 GiB. */
wasm_parser wasm_parse_memory;

/* A number of bytes, with an optional K, M or G, or "Off" for no limit, which is 0. */
wasm_parser wasm_parse_bytes_or_off;

/* Standard streams, a few mounts and a few files. */
#define WASM_FILE_LIMIT_MIN 16

/* How many files may be open: up to 4096. */
wasm_parser wasm_parse_file_limit;

/* A whole number of things: 1 to 100000. */
wasm_parser wasm_parse_count;

/* A number of bytes that files may take, with an optional K, M or G: 64K or more. */
wasm_parser wasm_parse_file_space;

/* What the parser understands as this value. */
const char *wasm_value_text(apr_pool_t *pool, wasm_parser *parser, apr_int64_t value);

/* "sha256:<64 hex digits>"; out gets the digits in lower case. */
const char *wasm_parse_digest(apr_pool_t *pool, const char *text, const char **out);

/* An absolute path inside the guest; out gets it without empty and "." parts and without a slash at the end. */
const char *wasm_parse_guest_path(apr_pool_t *pool, const char *text, const char **out);

/* A path on the host, relative to ServerRoot unless absolute; out gets it without a slash at the end. Whether something is there is not
 * looked at: httpd reads its configuration also in order to stop. */
const char *wasm_parse_host_path(apr_pool_t *pool, const char *text, const char **out);

#endif
