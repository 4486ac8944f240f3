#include "wasm_script.h"

#include "apr_atomic.h"
#include "apr_shm.h"

#include "wasm_codes.h"
#include "wasm_paths.h"

int wasm_script_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    apr_array_header_t *programs = wasm_main_conf()->programs;
    apr_size_t size = (apr_size_t)programs->nelts * sizeof(apr_uint32_t);
    apr_uint32_t *unsaid;
    apr_shm_t *shared;
    int i;

    (void)plog, (void)ptemp, (void)s;
    if (!size) {
        return OK;
    }
    /* Without shared memory each child writes its own notice. */
    unsaid = apr_shm_create(&shared, size, NULL, pconf) == APR_SUCCESS ? apr_shm_baseaddr_get(shared) : apr_palloc(pconf, size);
    memset(unsaid, 0, size);
    for (i = 0; i < programs->nelts; i++) {
        APR_ARRAY_IDX(programs, i, wasm_program *)->script_unsaid = &unsaid[i];
    }
    return OK;
}

static void note_unsaid(request_rec *r, const wasm_program *program)
{
    if (apr_atomic_cas32(program->script_unsaid, 1, 0)) {
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, WASM_CODE_SCRIPT_UNSAID ": %s: this program runs scripts (this one: %s), and "
                  WASM_NAME_SCRIPT_ARG " is neither On nor Off: if it expects the script's path as an argument, as most interpreters do, it must "
                  "be On, or the bodies of requests run as programs; if the environment is enough, as for php-cgi, say Off",
                  program->path, r->filename);
}

int wasm_script_argument(request_rec *r, const wasm_dir_conf *conf, const char **argument)
{
    apr_int64_t setting = wasm_setting_of(conf, WASM_SETTING_SCRIPT_ARG);

    *argument = NULL;
    if (setting == WASM_UNSET && wasm_setting_of(conf, WASM_SETTING_CGI) && r->finfo.filetype == APR_REG) {
        note_unsaid(r, conf->program);
    }
    if (setting != 1) {
        return OK;
    }
    *argument = wasm_guest_path(r->pool, conf, r->filename);
    if (!*argument) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, WASM_CODE_SCRIPT_UNMAPPED ": %s: the program cannot be given this script: it lies in no "
                      "directory of " WASM_NAME_DIR " or " WASM_NAME_MAP_DIR, r->filename);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    ap_log_rerror(APLOG_MARK, APLOG_TRACE1, 0, r, "the last argument is the script: %s is %s inside", r->filename, *argument);
    return OK;
}
