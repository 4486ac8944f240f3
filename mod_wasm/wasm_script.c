#include "wasm_script.h"

#include "wasm_codes.h"
#include "wasm_notices.h"
#include "wasm_paths.h"

static void note_unsaid(request_rec *r, const wasm_program *program)
{
    if (!wasm_notice_is_due(program, WASM_NOTICE_SCRIPT_ARG)) {
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
