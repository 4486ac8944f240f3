/*
 * What httpd was started for.
 */
#ifndef WASM_COMMAND_H
#define WASM_COMMAND_H

#include "mod_wasm.h"

/*
 * httpd reads the whole configuration for "-k stop" as well: a module file that has gone must not make the server unstoppable, nor a
 * new one delay the stop. httpd has taken -k out of process_rec by now, so the system is asked; where it does not tell, checks are run.
 */
int wasm_command_is_stop(apr_pool_t *ptemp);

#endif
