/*
 * The stack that programs run on is the stack of httpd's own thread.
 */
#ifndef WASM_STACK_H
#define WASM_STACK_H

#include "mod_wasm.h"

/* What a run needs: the library's part, and 256 KiB for httpd's filters around it. */
#define WASM_STACK_NEED ((apr_size_t)WRT_STACK_NEEDED + 256 * 1024)

/* Bytes of stack of a thread that serves requests in the configured MPM; 0: no limit. */
apr_size_t wasm_stack_size(void);

/* NULL, or one line that says that these are too few. */
const char *wasm_stack_problem(apr_pool_t *pool);

#endif
