/*
 * Notices that are written once for each program after a start, by whichever child comes first.
 */
#ifndef WASM_NOTICES_H
#define WASM_NOTICES_H

#include "wasm_config.h"

/* post_config: the memory that the children share. */
int wasm_notices_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/* Whether this one is to be written now. */
int wasm_notice_is_due(const wasm_program *program, wasm_notice notice);

#endif
