/*
 * Checks at start. A wrong configuration must never reach a request: whatever can be known when the configuration is read stops
 * configtest, start and restart with one line that names the directive, its place and the cause.
 */
#ifndef WASM_CHECK_H
#define WASM_CHECK_H

#include "mod_wasm.h"

/* The library that was found at run time is the one this module was built for. */
int wasm_check_version(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);

/* Runs in every pass, for configtest too (which never gets to post_config). */
int wasm_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/* The error log is open: write what there is to tell. */
int wasm_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
