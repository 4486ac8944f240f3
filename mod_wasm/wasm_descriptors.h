/*
 * The descriptors of a child: programs may use what httpd itself can spare, so that it can always accept the next connection.
 */
#ifndef WASM_DESCRIPTORS_H
#define WASM_DESCRIPTORS_H

#include "wasm_config.h"

/* How many files each of so many runs at a time may have open at the most, in a child of so many threads; raises the process's own limit
 * as far as that is allowed. Logs one line when some section allows more. */
apr_int64_t wasm_descriptors_for_each(server_rec *s, const wasm_server_conf *server, uint32_t threads, uint32_t runs);

#endif
