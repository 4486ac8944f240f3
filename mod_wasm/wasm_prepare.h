/*
 * A serving child before anything else of it runs: it has one thread yet, and the rights that httpd was started with.
 */
#ifndef WASM_PREPARE_H
#define WASM_PREPARE_H

#include "mod_wasm.h"

/* A hook of `drop_privileges`, before whoever drops them. mod_cgid's daemon runs it too. */
int wasm_prepare_child(apr_pool_t *pchild, server_rec *s);

#endif
