/*
 * CGI (RFC 3875): which file and which part of the URL a request means, and its environment.
 */
#ifndef WASM_CGI_H
#define WASM_CGI_H

#include "wasm_config.h"

/*
 * Settles what the request means before anything runs. Returns OK, or the status of a refused request (logged).
 *
 * A program that SetHandler binds to a <Location> needs no file: its script name is the location's path, the rest of the URL is
 * PATH_INFO. Everywhere else mod_cgid's rules hold: the file must exist, must not be a directory, and AcceptPathInfo decides on what
 * follows it. With WasmScriptArg On there always has to be a file.
 */
int wasm_cgi_resolve(request_rec *r, const wasm_dir_conf *conf);

/* The environment of a CGI run: httpd's variables, then those configured, which win. */
apr_array_header_t *wasm_cgi_environment(request_rec *r, const wasm_dir_conf *conf);

/* The environment of any other run: only what is configured. */
apr_array_header_t *wasm_plain_environment(request_rec *r, const wasm_dir_conf *conf);

#endif
