#include "wasm_outcome.h"

#include "wasm_codes.h"
#include "wasm_limits.h"

/* Mistakes of the program or its configuration are errors; what a client does is information. Indexed by wrt_outcome_kind; what limits do
 * stands in wasm_limits.c. */
static const wasm_failure failures[] = {
    [WRT_OUTCOME_TRAPPED] = { WASM_CODE_TRAPPED, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR, "the program trapped" },
    [WRT_OUTCOME_QUEUE_TIMEOUT] = { WASM_CODE_QUEUE, APLOG_WARNING, HTTP_SERVICE_UNAVAILABLE,
                                    "no instance became free within " WASM_NAME_QUEUE_TIMEOUT },
    [WRT_OUTCOME_STOPPED] = { WASM_CODE_STOPPED, APLOG_WARNING, HTTP_SERVICE_UNAVAILABLE, "httpd is stopping" },
    [WRT_OUTCOME_CLIENT_GONE] = { WASM_CODE_CLIENT_GONE, APLOG_INFO, HTTP_BAD_REQUEST, "the client went away" },
    [WRT_OUTCOME_BODY_TOO_LARGE] = { WASM_CODE_BODY_TOO_LARGE, APLOG_INFO, HTTP_REQUEST_ENTITY_TOO_LARGE,
                                     "the request body is larger than LimitRequestBody" },
    [WRT_OUTCOME_IO_FAILED] = { WASM_CODE_LIBRARY, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR, "input or output failed" },
    [WRT_OUTCOME_MOUNT_FAILED] = { WASM_CODE_MOUNT, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR, "a directory cannot be mounted" },
    [WRT_OUTCOME_NO_ENTRY_POINT] = { WASM_CODE_RUN_ENTRY_POINT, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR,
                                     "the module has no such entry point" },
    [WRT_OUTCOME_START_FAILED] = { WASM_CODE_START, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR, "the program could not be started" },
};

static wasm_failure exit_failure(const wasm_exchange *exchange, int32_t exit_code)
{
    wasm_failure failure = { NULL, 0, OK, NULL };

    /* A CGI program has said all it has to say in its response. */
    if (!exchange->cgi && exit_code != 0) {
        failure = (wasm_failure){ WASM_CODE_EXIT, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR,
                                  apr_psprintf(exchange->io.r->pool, "the program ended with exit code %d", exit_code) };
    }
    return failure;
}

wasm_failure wasm_outcome_failure(const wasm_exchange *exchange, const wrt_outcome *outcome)
{
    wasm_failure failure;

    if (outcome->kind == WRT_OUTCOME_EXITED) {
        return exit_failure(exchange, outcome->exit_code);
    }
    if (exchange->io.failure.code) {
        return exchange->io.failure; /* a callback ended the run, and knows better why */
    }
    if (outcome->kind == WRT_OUTCOME_LIMIT) {
        return wasm_limits_failure(exchange->io.r->pool, outcome);
    }
    if ((size_t)outcome->kind >= sizeof failures / sizeof *failures) {
        return failures[WRT_OUTCOME_START_FAILED];
    }
    failure = failures[outcome->kind];
    if (outcome->message.len) {
        failure.text = apr_pstrcat(exchange->io.r->pool, failure.text, ": ", wasm_str_dup(exchange->io.r->pool, outcome->message), NULL);
    }
    return failure;
}

wasm_failure wasm_outcome_error(const wasm_exchange *exchange, wrt_error *error)
{
    wasm_failure failure = { WASM_CODE_LIBRARY, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR,
                             wasm_str_dup(exchange->io.r->pool, wrt_error_message(error)) };

    wrt_error_free(error);
    return failure;
}

static void log_backtrace(request_rec *r, wrt_str detail)
{
    char *rest, *line;

    for (line = apr_strtok(wasm_str_dup(r->pool, detail), "\n", &rest); line; line = apr_strtok(NULL, "\n", &rest)) {
        ap_log_rerror(APLOG_MARK, WASM_BACKTRACE_LEVEL, 0, r, WASM_CODE_BACKTRACE ": %s", line);
    }
}

static void log_success(const wasm_exchange *exchange, const wasm_program *program, const wrt_outcome *outcome)
{
    if (outcome->exit_code) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, exchange->io.r, WASM_CODE_EXIT_CODE ": %s: the program ended with exit code %d",
                      program->path, outcome->exit_code);
    }
    wasm_limits_log(exchange->io.r, program, outcome);
}

void wasm_outcome_log(const wasm_exchange *exchange, const wasm_program *program, const wasm_failure *failure, const wrt_outcome *outcome)
{
    const char *exit_code = "", *also = "", *cut_off = "";

    if (!failure->code) {
        log_success(exchange, program, outcome);
        return;
    }
    if (outcome && outcome->kind == WRT_OUTCOME_EXITED && exchange->cgi && outcome->exit_code) {
        exit_code = apr_psprintf(exchange->io.r->pool, " (exit code %d)", outcome->exit_code);
    }
    if (outcome) {
        also = wasm_limits_also(exchange->io.r->pool, outcome);
    }
    if (exchange->io.response_started && failure->status != AP_FILTER_ERROR) {
        cut_off = "; the response had begun and is cut off";
    }
    ap_log_rerror(APLOG_MARK, failure->level, 0, exchange->io.r, "%s: %s: %s%s%s%s", failure->code, program->path, failure->text, exit_code,
                  also, cut_off);
    if (outcome) {
        log_backtrace(exchange->io.r, outcome->detail);
    }
}
