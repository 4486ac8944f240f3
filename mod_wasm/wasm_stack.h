/*
 * The stack that programs run on is the stack of httpd's own thread.
 */
#ifndef WASM_STACK_H
#define WASM_STACK_H

#include "mod_wasm.h"

/* What a run needs: the library gives programs 1 MiB, the rest is for host calls and for httpd's filters around them. */
#define WASM_STACK_NEED ((apr_size_t)1536 * 1024)

/* Bytes of stack of a thread that serves requests in the configured MPM; 0: no limit. */
apr_size_t wasm_stack_size(void);

#endif
