#include "wasm_trace.h"

#include "wasm_codes.h"

static const char *mounts_text(apr_pool_t *pool, const wasm_dir_conf *conf)
{
    const wasm_tmp_dir *tmp = wasm_tmp_dir_of(conf);
    const char *text = "";
    int i;

    for (i = 0; conf->mounts && i < conf->mounts->nelts; i++) {
        const wasm_mount *mount = &APR_ARRAY_IDX(conf->mounts, i, const wasm_mount);

        if (wasm_mount_is_seen(conf, mount)) {
            text = apr_pstrcat(pool, text, *text ? ", " : "", mount->guest, " is ", mount->host, mount->read_only ? " (ro)" : " (rw)", NULL);
        }
    }
    if (tmp) {
        text = apr_pstrcat(pool, text, *text ? ", " : "", tmp->guest, " is scratch", NULL);
    }
    return *text ? text : "none";
}

void wasm_trace_start(const wasm_exchange *exchange, const wasm_dir_conf *conf, const wrt_run_options *options)
{
    request_rec *r = exchange->io.r;

    if (!APLOG_R_IS_LEVEL(r, APLOG_DEBUG)) {
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, WASM_CODE_RUN_STARTS ": %s: %s %s is to call %s as a %s program; file %s (%s); %" APR_SIZE_T_FMT
                  " arguments, %" APR_SIZE_T_FMT " variables; mounts: %s; at most %" APR_UINT64_T_FMT " ms and %" APR_UINT64_T_FMT " bytes",
                  conf->program->path, r->method, r->uri, wasm_entry_point(conf), exchange->cgi ? "CGI" : "plain", r->filename,
                  r->finfo.filetype == APR_NOFILE ? "not there" : "there", (apr_size_t)options->args_len, (apr_size_t)options->env_len,
                  mounts_text(r->pool, conf), (apr_uint64_t)options->limits.time_ms, (apr_uint64_t)options->limits.memory);
}

void wasm_trace_end(const wasm_exchange *exchange, const wasm_dir_conf *conf, const wasm_failure *failure)
{
    request_rec *r = exchange->io.r;

    if (!APLOG_R_IS_LEVEL(r, APLOG_DEBUG)) {
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, WASM_CODE_RUN_ENDED ": %s: the run ended %s%s after %.1f ms, its wait for its turn included; "
                  "%" APR_OFF_T_FMT " bytes of the body were read, %" APR_OFF_T_FMT " bytes of a response passed on",
                  conf->program->path, failure->code ? "with " : "well", failure->code ? failure->code : "",
                  (double)(apr_time_now() - exchange->started) / 1000, exchange->body.bytes, exchange->response.bytes);
}
