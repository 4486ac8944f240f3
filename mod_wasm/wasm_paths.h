/*
 * From paths of the machine to paths inside the program, through the mounts.
 */
#ifndef WASM_PATHS_H
#define WASM_PATHS_H

#include "wasm_config.h"

/* The path at which the program finds this absolute path of the machine, or NULL when it finds it nowhere: it lies in no mounted directory,
 * or another mount covers the place. The mount with the longest matching directory counts. */
const char *wasm_guest_path(apr_pool_t *pool, const wasm_dir_conf *conf, const char *path);

#endif
