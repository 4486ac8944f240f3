/*
 * WasmScriptArg: the script of a request as the program's last argument.
 *
 * An interpreter that gets no script reads its program from standard input, and there is the body of a visitor's request. With On it
 * is therefore never run without one.
 */
#ifndef WASM_SCRIPT_H
#define WASM_SCRIPT_H

#include "wasm_config.h"

/* For a request that wasm_cgi_resolve has let through: the guest path of its script, or NULL where the program gets none as an
 * argument. Returns OK, or the status of a refused request (logged). Says once for each program when nobody has made the choice. */
int wasm_script_argument(request_rec *r, const wasm_dir_conf *conf, const char **argument);

#endif
