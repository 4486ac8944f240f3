#include "wasm_artifacts.h"

#include "http_main.h"

#include "wasm_codes.h"

#define RETAINED_KEY "mod_wasm"

typedef struct news_line {
    int level;
    const char *text;
} news_line;

typedef struct wasm_retained {
    wrt_artifact_store *store;
    apr_pool_t *news_pool;
    apr_array_header_t *news; /* news_line */
} wasm_retained;

static wasm_retained *retained(void)
{
    wasm_retained *data = ap_retained_data_get(RETAINED_KEY);

    return data ? data : ap_retained_data_create(RETAINED_KEY, sizeof *data);
}

static void tell(int level, const char *text)
{
    wasm_retained *data = retained();

    if (!data->news_pool) {
        apr_pool_create(&data->news_pool, ap_pglobal);
        apr_pool_tag(data->news_pool, "wasm_news");
    }
    if (!data->news) {
        data->news = apr_array_make(data->news_pool, 4, sizeof(news_line));
    }
    APR_ARRAY_PUSH(data->news, news_line) = (news_line){ level, apr_pstrdup(data->news_pool, text) };
}

void wasm_artifacts_announce(server_rec *s)
{
    wasm_retained *data = retained();
    int i, startup = s ? 0 : APLOG_STARTUP;

    if (!data->news) {
        return;
    }
    for (i = 0; i < data->news->nelts; i++) {
        const news_line *line = &APR_ARRAY_IDX(data->news, i, news_line);

        ap_log_error(APLOG_MARK, line->level | startup, 0, s, "%s", line->text);
    }
    data->news = NULL;
    apr_pool_clear(data->news_pool);
}

void wasm_artifacts_trim(void)
{
    wasm_retained *data = retained();

    if (data->store) {
        wrt_artifact_store_trim(data->store);
    }
}

static const char *code_of(wrt_error_kind kind)
{
    switch (kind) {
    case WRT_ERROR_IO:
        return WASM_CODE_UNREADABLE;
    case WRT_ERROR_DIGEST:
        return WASM_CODE_DIGEST;
    case WRT_ERROR_MODULE:
        return WASM_CODE_INVALID;
    case WRT_ERROR_COMPILE:
        return WASM_CODE_COMPILE;
    case WRT_ERROR_ENTRY_POINT:
        return WASM_CODE_ENTRY_POINT;
    case WRT_ERROR_CACHE:
        return WASM_CODE_CACHE;
    case WRT_ERROR_PREINIT:
        return WASM_CODE_PREINIT;
    default:
        return WASM_CODE_PREPARE;
    }
}

const char *wasm_artifacts_problem(apr_pool_t *pool, const char *directive, wasm_source source, wrt_error *error)
{
    wrt_error_kind kind = wrt_error_get_kind(error);
    const char *place = source.line ? apr_psprintf(pool, "%s:%d", source.file, source.line) : source.file;
    const char *line = apr_psprintf(pool, "%s: %s (%s): %s", code_of(kind), directive, place,
                                    wasm_str_dup(pool, wrt_error_message(error)));

    wrt_error_free(error);
    return line;
}

static apr_status_t release_artifact(void *artifact)
{
    wrt_artifact_free(artifact);
    return APR_SUCCESS;
}

/* Each kind of error is the fault of another directive. */
static const char *explain(apr_pool_t *pool, const wasm_server_conf *server, const wasm_code *code, wrt_error *error)
{
    static const wasm_source built_in = { "default", 0 };
    const wasm_program *program = code->program;

    switch (wrt_error_get_kind(error)) {
    case WRT_ERROR_DIGEST:
        return wasm_artifacts_problem(pool, WASM_NAME_MODULE_DIGEST, program->digest_source, error);
    case WRT_ERROR_CACHE:
        return wasm_artifacts_problem(pool, WASM_NAME_CACHE_DIR, server->cache_dir ? server->cache_dir_source : built_in, error);
    case WRT_ERROR_PREINIT:
        return wasm_artifacts_problem(pool, apr_psprintf(pool, WASM_NAME_PREINIT " On of " WASM_NAME_MODULE " %s", program->path),
                                      wasm_setting_source(code->section, WASM_SETTING_PREINIT), error);
    default:
        return wasm_artifacts_problem(pool, apr_pstrcat(pool, WASM_NAME_MODULE " ", program->path, NULL), program->source, error);
    }
}

const char *wasm_artifacts_examine(apr_pool_t *pconf, const wasm_server_conf *server, wasm_code *code, const wrt_preinit *preinit)
{
    const wasm_program *program = code->program;
    wasm_retained *data = retained();
    wrt_examine_options options = {
        .struct_size = sizeof options,
        .module_path = wasm_str(program->path),
        .digest = wasm_str(program->digest),
        .cache_dir = wasm_str(wasm_cache_dir(server)),
        .preinit = preinit,
    };
    wrt_error *error = data->store ? NULL : wrt_artifact_store_new(&data->store);

    if (!error) {
        error = wrt_artifact_examine(data->store, &options, &code->artifact);
    }
    if (error) {
        return explain(pconf, server, code, error);
    }
    apr_pool_cleanup_register(pconf, code->artifact, release_artifact, apr_pool_cleanup_null);
    return NULL;
}

typedef struct progress {
    int is_restart;
    int lines;
} progress;

/* As httpd writes sizes: "13M". */
static const char *size_text(uint64_t size, char *text)
{
    apr_strfsize((apr_off_t)size, text);
    apr_collapse_spaces(text, text);
    return text;
}

/* Whoever starts httpd waits at a terminal and sees each module. A restart, during which nobody is answered, has one line in the log: the
 * standard error of a running httpd. */
static void tell_progress(void *context, wrt_stage stage, wrt_str path, uint64_t size, size_t done, size_t total)
{
    progress *shown = context;
    int level = shown->is_restart ? APLOG_NOTICE : APLOG_STARTUP | APLOG_NOTICE;
    char text[5];

    if (shown->is_restart && shown->lines++) {
        return;
    }
    ap_log_error(APLOG_MARK, level, 0, NULL, "%s %.*s (%s), %" APR_SIZE_T_FMT " of %" APR_SIZE_T_FMT " done",
                 stage == WRT_STAGE_SNAPSHOT ? WASM_CODE_SNAPSHOT ": taking a snapshot of" : WASM_CODE_COMPILING ": compiling",
                 (int)path.len, path.data, size_text(size, text), done, total);
}

/* A module that was kept from an earlier pass has been told about then. */
static void tell_origin(apr_pool_t *pool, const wasm_code *code)
{
    const wasm_program *program = code->program;
    const char *what = wrt_artifact_has_snapshot(code->artifact) ? "a snapshot of " : "";
    wrt_str warning = wrt_artifact_warning(code->artifact), said = wrt_artifact_snapshot_said(code->artifact);

    switch (wrt_artifact_get_origin(code->artifact)) {
    case WRT_ORIGIN_NONE:
    case WRT_ORIGIN_KEPT:
        return;
    case WRT_ORIGIN_CACHE:
        tell(APLOG_INFO, apr_psprintf(pool, WASM_CODE_FROM_CACHE ": took %s%s from the cache", what, program->path));
        break;
    case WRT_ORIGIN_COMPILED:
        tell(APLOG_NOTICE, apr_psprintf(pool, WASM_CODE_COMPILED ": compiled %s%s", what, program->path));
        break;
    case WRT_ORIGIN_COMPILED_AGAIN:
        tell(APLOG_WARNING, apr_psprintf(pool, WASM_CODE_COMPILED_AGAIN ": compiled %s%s again: a child could not load the code that was "
                                         "there", what, program->path));
        break;
    }
    if (said.len) {
        tell(APLOG_WARNING, apr_psprintf(pool, WASM_CODE_SNAPSHOT_SAID ": the initialiser of %s said: %s", program->path, wasm_str_dup(pool, said)));
    }
    if (warning.len) {
        tell(APLOG_WARNING,
             apr_psprintf(pool, WASM_CODE_CACHE_WARNING ": %s: %s", program->path, wasm_str_dup(pool, warning)));
    }
}

static void tell_missing_snapshot(apr_pool_t *pool, const wasm_code *code)
{
    wrt_str problem = wrt_artifact_snapshot_problem(code->artifact);

    if (problem.len) {
        tell(APLOG_WARNING, apr_psprintf(pool, WASM_CODE_NO_SNAPSHOT ": " WASM_NAME_MODULE " %s (%s:%d): it runs without a snapshot: %s",
                                         code->program->path, code->section->program_source.file, code->section->program_source.line,
                                         wasm_str_dup(pool, problem)));
    }
}

/* Children load code once that several sections have. */
static const wasm_code *find_same(const wasm_server_conf *server, const wasm_code *code)
{
    const wasm_code *known;
    int i;

    for (i = 0; (known = APR_ARRAY_IDX(server->codes, i, const wasm_code *)) != code; i++) {
        if (!known->same && wrt_artifact_shares_code(known->artifact, code->artifact)) {
            return known;
        }
    }
    return NULL;
}

apr_array_header_t *wasm_artifacts_of(apr_pool_t *pool, const wasm_server_conf *server)
{
    apr_array_header_t *artifacts = apr_array_make(pool, server->codes->nelts, sizeof(const wrt_artifact *));
    int i;

    for (i = 0; i < server->codes->nelts; i++) {
        APR_ARRAY_PUSH(artifacts, const wrt_artifact *) = APR_ARRAY_IDX(server->codes, i, wasm_code *)->artifact;
    }
    return artifacts;
}

const char *wasm_artifacts_compile(apr_pool_t *pconf, const wasm_server_conf *server)
{
    apr_array_header_t *artifacts = wasm_artifacts_of(pconf, server);
    progress shown = { .is_restart = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_CONFIG };
    wrt_compile_options options = {
        .struct_size = sizeof options,
        .another_pass_follows = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG,
        .context = &shown,
        .begun = tell_progress,
    };
    wrt_error *error;
    int i;

    options.artifacts = (const wrt_artifact *const *)artifacts->elts;
    options.artifacts_len = (size_t)artifacts->nelts;
    error = wrt_artifact_compile(retained()->store, &options);
    if (error) {
        return explain(pconf, server, APR_ARRAY_IDX(server->codes, wrt_error_get_index(error), wasm_code *), error);
    }
    for (i = 0; i < server->codes->nelts; i++) {
        wasm_code *code = APR_ARRAY_IDX(server->codes, i, wasm_code *);

        tell_origin(pconf, code);
        tell_missing_snapshot(pconf, code);
        code->same = find_same(server, code);
    }
    return NULL;
}
