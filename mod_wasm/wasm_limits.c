#include "wasm_limits.h"

#include "http_main.h"

#include "wasm_codes.h"

typedef enum limit_unit {
    MILLISECONDS,
    BYTES,
    PIECES
} limit_unit;

typedef struct limit_row {
    const char *directive;
    limit_unit unit;
    wasm_failure ends;    /* code is NULL: it does not end a run */
    wasm_failure refuses; /* the same: it refuses nothing on the way */
} limit_row;

#define NO_FAILURE { NULL, 0, OK, NULL }

static const limit_row rows[] = {
    [WRT_LIMIT_TIME] = { WASM_NAME_TIMEOUT, MILLISECONDS,
                         { WASM_CODE_DEADLINE, APLOG_ERR, HTTP_GATEWAY_TIME_OUT, "the run took longer than" }, NO_FAILURE },
    [WRT_LIMIT_CPU] = { WASM_NAME_CPU_LIMIT, MILLISECONDS,
                        { WASM_CODE_CPU, APLOG_ERR, HTTP_GATEWAY_TIME_OUT, "the run used more processor time than" }, NO_FAILURE },
    [WRT_LIMIT_MEMORY] = { WASM_NAME_MEMORY_LIMIT, BYTES,
                           { WASM_CODE_MEMORY, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR, "the program needs more to start than" },
                           { WASM_CODE_GROW_REFUSED, APLOG_INFO, OK, "the program asked for more memory than" } },
    [WRT_LIMIT_OUTPUT] = { WASM_NAME_OUTPUT_LIMIT, BYTES,
                           { WASM_CODE_OUTPUT_LIMIT, APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR, "the program wrote more output than" },
                           NO_FAILURE },
    [WRT_LIMIT_ERROR_OUTPUT] = { WASM_NAME_ERROR_LIMIT, BYTES, NO_FAILURE,
                                 { WASM_CODE_ERROR_LIMIT, APLOG_WARNING, OK, "the rest of standard error was dropped, it was more than" } },
    [WRT_LIMIT_WRITTEN] = { WASM_NAME_WRITE_LIMIT, BYTES, NO_FAILURE,
                            { WASM_CODE_WRITE_REFUSED, APLOG_WARNING, OK, "the program was kept from writing more into its directories than" } },
    [WRT_LIMIT_SCRATCH] = { WASM_NAME_TMP_DIR, BYTES, NO_FAILURE,
                            { WASM_CODE_SCRATCH_REFUSED, APLOG_WARNING, OK, "the program was kept from writing more into its scratch directory than" } },
    [WRT_LIMIT_SCRATCH_DIRECTORIES] = { WASM_NAME_SCRATCH_DIR, PIECES, NO_FAILURE,
                                        { WASM_CODE_SCRATCH_TAKEN, APLOG_WARNING, OK, "the program had no scratch directory, runs want more at a time than" } },
    [WRT_LIMIT_DESCRIPTORS] = { WASM_NAME_FILE_LIMIT, PIECES, NO_FAILURE,
                                { WASM_CODE_FILES_REFUSED, APLOG_INFO, OK, "the program was kept from opening more files than" } },
};

/* The library lowers the limit where the process itself may not open as many. */
static uint64_t file_limit(const wasm_dir_conf *conf)
{
    apr_int64_t wanted = wasm_setting_of(conf, WASM_SETTING_FILE_LIMIT), most = wasm_main_conf()->file_limit;

    return (uint64_t)(wanted < most ? wanted : most);
}

static uint64_t milliseconds(const wasm_dir_conf *conf, wasm_setting setting)
{
    return (uint64_t)apr_time_as_msec(wasm_setting_of(conf, setting));
}

wrt_limits wasm_limits_of(const wasm_dir_conf *conf)
{
    return (wrt_limits){
        .time_ms = milliseconds(conf, WASM_SETTING_TIMEOUT),
        .cpu_ms = milliseconds(conf, WASM_SETTING_CPU_LIMIT),
        .memory = (uint64_t)wasm_setting_of(conf, WASM_SETTING_MEMORY_LIMIT),
        .output = (uint64_t)wasm_setting_of(conf, WASM_SETTING_OUTPUT_LIMIT),
        .error_output = (uint64_t)wasm_setting_of(conf, WASM_SETTING_ERROR_LIMIT),
        .written = (uint64_t)wasm_setting_of(conf, WASM_SETTING_WRITE_LIMIT),
        .scratch = (uint64_t)(wasm_tmp_dir_of(conf) ? conf->tmp_dir->size : 0),
        .descriptors = file_limit(conf),
    };
}

static const char *amount(apr_pool_t *pool, limit_unit unit, uint64_t value)
{
    switch (unit) {
    case MILLISECONDS:
        return apr_psprintf(pool, "%" APR_UINT64_T_FMT ".%03d s", value / 1000, (int)(value % 1000));
    case BYTES:
        return apr_psprintf(pool, "%" APR_UINT64_T_FMT " bytes", value);
    default:
        return apr_psprintf(pool, "%" APR_UINT64_T_FMT, value);
    }
}

/* "the run took longer than WasmTimeout (1.000 s): 1.004 s" */
static const char *describe(apr_pool_t *pool, const char *text, const wrt_exceeded *exceeded)
{
    const limit_row *row = &rows[exceeded->limit];

    return apr_psprintf(pool, "%s %s (%s): %s", text, row->directive, amount(pool, row->unit, exceeded->allowed),
                        amount(pool, row->unit, exceeded->measured));
}

/* What the limit refused on the way; NULL where it ended the run, or time did. */
static const wasm_failure *refusal(const wrt_outcome *outcome, const wrt_exceeded *exceeded)
{
    const wasm_failure *refuses = &rows[exceeded->limit].refuses;

    if (outcome->kind == WRT_OUTCOME_LIMIT && outcome->limit == exceeded->limit) {
        return NULL;
    }
    return refuses->code ? refuses : NULL;
}

wasm_failure wasm_limits_failure(apr_pool_t *pool, const wrt_outcome *outcome)
{
    wasm_failure failure = rows[outcome->limit].ends;
    size_t i;

    for (i = 0; i < outcome->exceeded_len; i++) {
        if (outcome->exceeded[i].limit == outcome->limit) {
            failure.text = apr_psprintf(pool, "%s; %s", describe(pool, failure.text, &outcome->exceeded[i]), wasm_str_dup(pool, outcome->message));
        }
    }
    return failure;
}

const char *wasm_limits_also(apr_pool_t *pool, const wrt_outcome *outcome)
{
    const char *text = "";
    size_t i;

    for (i = 0; i < outcome->exceeded_len; i++) {
        const wasm_failure *refused = refusal(outcome, &outcome->exceeded[i]);

        if (refused) {
            text = apr_pstrcat(pool, text, "; before, ", describe(pool, refused->text, &outcome->exceeded[i]), NULL);
        }
    }
    return text;
}

void wasm_limits_log(request_rec *r, const wasm_program *program, const wrt_outcome *outcome)
{
    size_t i;

    for (i = 0; i < outcome->exceeded_len; i++) {
        const wasm_failure *refused = refusal(outcome, &outcome->exceeded[i]);

        if (refused) {
            ap_log_rerror(APLOG_MARK, refused->level, 0, r, "%s: %s: %s", refused->code, program->path,
                          describe(r->pool, refused->text, &outcome->exceeded[i]));
        }
    }
}
