/*
 * The serving child: its engine and its modules, made once before the first request and never freed.
 */
#ifndef WASM_CHILD_H
#define WASM_CHILD_H

#include "mod_wasm.h"

void wasm_child_init(apr_pool_t *pchild, server_rec *s);
void wasm_child_stopping(apr_pool_t *pchild, int graceful);

#endif
