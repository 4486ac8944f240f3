/*
 * Why a request failed: what goes to the log and what goes to the client.
 */
#ifndef WASM_FAILURE_H
#define WASM_FAILURE_H

typedef struct wasm_failure {
    const char *code; /* of wasm_codes.h; NULL: nothing failed */
    int level;        /* APLOG_… */
    int status;       /* HTTP status while nothing was sent yet, or AP_FILTER_ERROR: httpd has answered already */
    const char *text; /* what happened, for the log */
} wasm_failure;

#endif
