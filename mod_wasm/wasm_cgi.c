#include "wasm_cgi.h"

#include "util_script.h"

#include "wasm_codes.h"
#include "wasm_paths.h"

/* ---- what the request means ---- */

static int refuse(request_rec *r, int status, const char *code, const char *reason)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s: %s: %s", code, r->filename, reason);
    return status;
}

/* AddHandler gives the handler to files with an extension, SetHandler to everything in a section. */
static int handler_was_set(const request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    return core->expr_handler || (core->handler && !strcasecmp(core->handler, WASM_HANDLER));
}

/* Moves the border between file name and path info to where the location ends, so that httpd's own code computes SCRIPT_NAME,
 * PATH_INFO and PATH_TRANSLATED from it. Without a file httpd put the border behind the first part that does not exist. */
static void bind_to_location(request_rec *r, const char *location)
{
    apr_size_t len = strlen(location);
    const char *rest = r->uri + len;
    const char *whole = apr_pstrcat(r->pool, r->filename, r->path_info, NULL);
    apr_size_t whole_len = strlen(whole), rest_len;

    if (strncmp(r->uri, location, len) || (*rest && *rest != '/')) {
        return;
    }
    rest_len = strlen(rest);
    if (whole_len < rest_len || strcmp(whole + whole_len - rest_len, rest)) {
        return;
    }
    r->filename = apr_pstrmemdup(r->pool, whole, whole_len - rest_len);
    r->path_info = apr_pstrdup(r->pool, rest);
    ap_log_rerror(APLOG_MARK, APLOG_TRACE1, 0, r, "the location %s is the script's name, the path behind it \"%s\"", location, rest);
}

static int check_file(request_rec *r, int script_arg)
{
    if (r->finfo.filetype == APR_NOFILE) {
        return refuse(r, HTTP_NOT_FOUND, WASM_CODE_NO_FILE,
                      script_arg ? "the requested file does not exist, and " WASM_NAME_SCRIPT_ARG " is On (programs that need no file want Off)"
                                 : "the requested file does not exist");
    }
    if (r->finfo.filetype == APR_DIR) {
        return refuse(r, HTTP_FORBIDDEN, WASM_CODE_DIRECTORY, "the requested file is a directory");
    }
    if (r->used_path_info == AP_REQ_REJECT_PATH_INFO && r->path_info && *r->path_info) {
        return refuse(r, HTTP_NOT_FOUND, WASM_CODE_PATH_INFO, "AcceptPathInfo Off does not allow a path behind the file name");
    }
    return OK;
}

int wasm_cgi_resolve(request_rec *r, const wasm_dir_conf *conf)
{
    int cgi = wasm_setting_of(conf, WASM_SETTING_CGI) != 0;
    int script_arg = wasm_setting_of(conf, WASM_SETTING_SCRIPT_ARG) == 1;

    if (handler_was_set(r) && !script_arg) {
        if (!cgi) {
            return OK;
        }
        if (conf->binding != WASM_BOUND_TO_FILES && r->finfo.filetype != APR_REG) {
            if (conf->binding == WASM_BOUND_TO_LOCATION) {
                bind_to_location(r, conf->location);
            }
            return OK;
        }
    }
    if (cgi && !strncmp(apr_filepath_name_get(r->filename), "nph-", 4)) {
        return refuse(r, HTTP_INTERNAL_SERVER_ERROR, WASM_CODE_NPH, "nph- scripts are not supported");
    }
    return check_file(r, script_arg);
}

/* ---- environment ---- */

static int is_path_variable(const char *name, apr_size_t len)
{
    static const char *const names[] = { "SCRIPT_FILENAME", "PATH_TRANSLATED", "DOCUMENT_ROOT", "CONTEXT_DOCUMENT_ROOT" };
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == len && !memcmp(names[i], name, len)) {
            return 1;
        }
    }
    return 0;
}

static const char *guest_value(request_rec *r, const wasm_dir_conf *conf, wrt_str name, const char *value)
{
    const char *mapped;

    if (!wasm_setting_of(conf, WASM_SETTING_MAP_FILE_NAMES) || !is_path_variable(name.data, name.len)) {
        return value;
    }
    mapped = wasm_guest_path(r->pool, conf, value);
    if (!mapped && !strncmp(name.data, "SCRIPT_FILENAME", name.len)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, WASM_CODE_UNMAPPED ": SCRIPT_FILENAME %s lies in no mounted directory: the "
                      "program gets the path of the host", value);
    }
    if (mapped) {
        ap_log_rerror(APLOG_MARK, APLOG_TRACE1, 0, r, "%.*s: %s is %s inside", (int)name.len, name.data, value, mapped);
    }
    return mapped ? mapped : value;
}

static int has_variable(const apr_array_header_t *variables, int count, wrt_str name)
{
    int i;

    for (i = 0; i < count; i++) {
        const wrt_variable *known = &APR_ARRAY_IDX(variables, i, const wrt_variable);

        if (known->name.len == name.len && !memcmp(known->name.data, name.data, name.len)) {
            return 1;
        }
    }
    return 0;
}

static void add_default(apr_array_header_t *variables, const char *name, const char *value)
{
    if (!has_variable(variables, variables->nelts, wasm_str(name))) {
        APR_ARRAY_PUSH(variables, wrt_variable) = (wrt_variable){ wasm_str(name), wasm_str(value) };
    }
}

/* Programs look here for the place for temporary files. */
static void add_tmp_dir(apr_array_header_t *variables, const wasm_dir_conf *conf)
{
    if (wasm_tmp_dir_of(conf)) {
        add_default(variables, "TMPDIR", conf->tmp_dir->guest);
    }
}

static apr_array_header_t *configured_environment(request_rec *r, const wasm_dir_conf *conf)
{
    apr_array_header_t *variables = apr_array_make(r->pool, 48, sizeof(wrt_variable));
    int i;

    for (i = 0; conf->env && i < conf->env->nelts; i++) {
        const wasm_env *entry = &APR_ARRAY_IDX(conf->env, i, const wasm_env);

        APR_ARRAY_PUSH(variables, wrt_variable) = (wrt_variable){ wasm_str(entry->name), wasm_str(entry->value) };
    }
    return variables;
}

apr_array_header_t *wasm_plain_environment(request_rec *r, const wasm_dir_conf *conf)
{
    apr_array_header_t *variables = configured_environment(r, conf);

    add_tmp_dir(variables, conf);
    return variables;
}

/* The configured variables come first: what is there already is not added again. They stay out of r->subprocess_env, which error
 * documents, logs and other modules see. */
apr_array_header_t *wasm_cgi_environment(request_rec *r, const wasm_dir_conf *conf)
{
    apr_array_header_t *variables = configured_environment(r, conf);
    int configured = variables->nelts;
    char **entry;

    ap_add_common_vars(r);
    ap_add_cgi_vars(r);
    for (entry = ap_create_environment(r->pool, r->subprocess_env); *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        wrt_str name = { *entry, (size_t)(equals - *entry) };

        if (!has_variable(variables, configured, name)) {
            APR_ARRAY_PUSH(variables, wrt_variable) =
                (wrt_variable){ name, wasm_str(guest_value(r, conf, name, equals + 1)) };
        }
    }
    /* php-cgi runs only with this proof that a server called it. */
    add_default(variables, "REDIRECT_STATUS", "200");
    add_tmp_dir(variables, conf);
    return variables;
}
