/*
 * One request: from settings to a run, from its outcome to the response.
 */
#ifndef WASM_HANDLER_H
#define WASM_HANDLER_H

#include "mod_wasm.h"

int wasm_handler(request_rec *r);

#endif
