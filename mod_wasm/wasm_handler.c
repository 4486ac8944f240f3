#include "wasm_handler.h"

#include "http_main.h"

#include "wasm_cgi.h"
#include "wasm_codes.h"
#include "wasm_config.h"
#include "wasm_exchange.h"
#include "wasm_limits.h"
#include "wasm_mounts.h"
#include "wasm_outcome.h"
#include "wasm_preinit.h"
#include "wasm_script.h"
#include "wasm_trace.h"

static apr_array_header_t *arguments(request_rec *r, const wasm_dir_conf *conf, const char *script)
{
    apr_array_header_t *args = apr_array_make(r->pool, 4, sizeof(wrt_str));
    int i;

    APR_ARRAY_PUSH(args, wrt_str) = wasm_str(conf->program->name);
    for (i = 0; conf->args && i < conf->args->nelts; i++) {
        APR_ARRAY_PUSH(args, wrt_str) = wasm_str(APR_ARRAY_IDX(conf->args, i, const char *));
    }
    if (script) {
        APR_ARRAY_PUSH(args, wrt_str) = wasm_str(script);
    }
    return args;
}

static wrt_error *new_run(wasm_exchange *exchange, const wasm_dir_conf *conf, const wrt_module *module, const char *script, wrt_run **run)
{
    request_rec *r = exchange->io.r;
    apr_array_header_t *args = arguments(r, conf, script);
    apr_array_header_t *env = exchange->cgi ? wasm_cgi_environment(r, conf) : wasm_plain_environment(r, conf);
    apr_array_header_t *mounts = wasm_mounts_of(r->pool, conf);
    wrt_run_options options = {
        .struct_size = sizeof options,
        .args = (const wrt_str *)args->elts,
        .args_len = (size_t)args->nelts,
        .env = (const wrt_variable *)env->elts,
        .env_len = (size_t)env->nelts,
        .mounts = (const wrt_mount *)mounts->elts,
        .mounts_len = (size_t)mounts->nelts,
        .scratch = wasm_str(wasm_tmp_dir_guest(conf)),
        .entry_point = wasm_str(conf->entry_point),
        .queue_timeout_ms = (uint64_t)apr_time_as_msec(wasm_settings_get(&wasm_main_conf()->settings, WASM_SETTING_QUEUE_TIMEOUT)),
        .limits = wasm_limits_of(conf),
        .allow_symlinks = wasm_setting_of(conf, WASM_SETTING_ALLOW_SYMLINKS) != 0,
        .backtrace = APLOG_R_IS_LEVEL(r, WASM_BACKTRACE_LEVEL),
        .callbacks = wasm_exchange_callbacks(exchange),
    };

    wasm_trace_start(exchange, conf, &options);
    return wrt_run_new(module, &options, run);
}

static wasm_failure library_failed(const wasm_exchange *exchange, const wasm_dir_conf *conf, wrt_error *error)
{
    wasm_failure failure = wasm_outcome_error(exchange, error);

    wasm_outcome_log(exchange, conf->program, &failure, NULL);
    return failure;
}

/* Returns what failed, if anything. */
static wasm_failure execute(wasm_exchange *exchange, const wasm_dir_conf *conf, wrt_run *run)
{
    wrt_outcome outcome = { .struct_size = sizeof outcome };
    wasm_failure failure;
    wrt_error *error = wrt_run_execute(run, &outcome);

    wasm_stderr_end(&exchange->err);
    if (error) {
        return library_failed(exchange, conf, error);
    }
    failure = wasm_outcome_failure(exchange, &outcome);
    if (!failure.code) {
        wasm_response_finish(&exchange->response, outcome.tail.data, outcome.tail.len);
        failure = exchange->io.failure;
    }
    wasm_outcome_log(exchange, conf->program, &failure, &outcome);
    return failure;
}

/* The run is released before this returns: an internal redirect may need the instance for itself. Returns what failed, if anything. */
static wasm_failure run_program(wasm_exchange *exchange, const wasm_dir_conf *conf, const wrt_module *module, const char *script)
{
    wasm_failure failure;
    wrt_run *run = NULL;
    wrt_error *error = new_run(exchange, conf, module, script, &run);

    if (error) {
        return library_failed(exchange, conf, error);
    }
    failure = execute(exchange, conf, run);
    wrt_run_free(run);
    wasm_trace_end(exchange, conf, &failure);
    return failure;
}

static int serve(request_rec *r, const wasm_dir_conf *conf, const wrt_module *module, const char *script)
{
    wasm_exchange exchange;
    wasm_failure failure;

    wasm_exchange_init(&exchange, r, wasm_setting_of(conf, WASM_SETTING_CGI) != 0, conf->program->name);
    exchange.io.ignore_client_abort = wasm_setting_of(conf, WASM_SETTING_IGNORE_CLIENT_ABORT) != 0;
    if (exchange.cgi && wasm_body_is_too_large(r)) {
        const wrt_outcome outcome = { .struct_size = sizeof outcome, .kind = WRT_OUTCOME_BODY_TOO_LARGE };

        failure = wasm_outcome_failure(&exchange, &outcome);
        wasm_outcome_log(&exchange, conf->program, &failure, &outcome);
        return wasm_response_fail(&exchange.response, failure.status);
    }
    failure = run_program(&exchange, conf, module, script);
    return failure.code ? wasm_response_fail(&exchange.response, failure.status) : wasm_response_conclude(&exchange.response);
}

static int refuse(request_rec *r, const char *code, const char *reason)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s: %s: %s", code, r->uri, reason);
    return HTTP_INTERNAL_SERVER_ERROR;
}

int wasm_handler(request_rec *r)
{
    const wasm_dir_conf *conf;
    const wrt_module *module;
    const char *script;
    int status;

    if (!r->handler || strcmp(r->handler, WASM_HANDLER)) {
        return DECLINED;
    }
    conf = ap_get_module_config(r->per_dir_config, &wasm_module);
    if (!conf->program) {
        return refuse(r, WASM_CODE_NO_MODULE, "the handler is " WASM_HANDLER " but no " WASM_NAME_MODULE " is configured here");
    }
    module = wasm_preinit_code(r, conf)->module;
    if (!module) {
        return refuse(r, WASM_CODE_NOT_LOADED, "the module is not loaded in this child, see its start in the error log");
    }
    status = wasm_cgi_resolve(r, conf);
    if (status == OK) {
        status = wasm_script_argument(r, conf, &script);
    }
    if (status == OK) {
        status = wasm_mounts_resolve(r, conf);
    }
    return status == OK ? serve(r, conf, module, script) : status;
}
