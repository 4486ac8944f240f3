#include "wasm_check.h"

#include "ap_mpm.h"
#include "mpm_common.h"

#include "wasm_artifacts.h"
#include "wasm_codes.h"
#include "wasm_config.h"
#include "wasm_stack.h"

static int refuse(const char *line)
{
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_ERR, 0, NULL, "%s", line);
    return HTTP_INTERNAL_SERVER_ERROR;
}

int wasm_check_version(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    wrt_str version = wrt_version();

    (void)plog;
    (void)ptemp;
    if (version.len == strlen(WRT_VERSION) && !memcmp(version.data, WRT_VERSION, version.len)) {
        return OK;
    }
    return refuse(apr_psprintf(pconf,
                               WASM_CODE_VERSION ": mod_wasm.so is version " WRT_VERSION " but found libwasm_runtime.so of version "
                               "%s: install both from one build, then stop and start httpd",
                               wasm_str_dup(pconf, version)));
}

/*
 * httpd reads the whole configuration for "-k stop" as well: a module file that has gone must not make the server unstoppable, nor a
 * new one delay the stop. httpd has taken -k out of process_rec by now, so the system is asked; where it does not tell, checks are run.
 */
static int only_stopping(apr_pool_t *ptemp)
{
    char line[4096], *arg, *end;
    apr_size_t len = sizeof line - 1;
    apr_file_t *file;
    int after_k = 0;

    if (apr_file_open(&file, "/proc/self/cmdline", APR_READ, APR_OS_DEFAULT, ptemp) != APR_SUCCESS) {
        return 0;
    }
    if (apr_file_read(file, line, &len) != APR_SUCCESS) {
        len = 0;
    }
    apr_file_close(file);
    line[len] = '\0';
    for (arg = line, end = line + len; arg < end; arg += strlen(arg) + 1) {
        const char *command = after_k ? arg : strncmp(arg, "-k", 2) ? "" : arg + 2;

        if (!strcmp(command, "stop") || !strcmp(command, "graceful-stop")) {
            return 1;
        }
        after_k = !strcmp(arg, "-k");
    }
    return 0;
}

/* WasmModuleDigest guards the module that its own section names; alone it would silently guard nothing. */
static const char *note_digest(apr_pool_t *pool, const wasm_dir_conf *section)
{
    if (!section->digest) {
        return NULL;
    }
    if (!section->program) {
        return apr_psprintf(pool, WASM_CODE_DIGEST_ALONE ": WasmModuleDigest (%s:%d): there is no WasmModule in this section",
                            section->digest_source.file, section->digest_source.line);
    }
    if (!section->program->digest) {
        section->program->digest = section->digest;
        section->program->digest_source = section->digest_source;
    }
    if (strcmp(section->program->digest, section->digest)) {
        return apr_psprintf(pool, WASM_CODE_DIGEST ": WasmModuleDigest (%s:%d): another section expects sha256:%s of %s",
                            section->digest_source.file, section->digest_source.line, section->program->digest,
                            section->program->path);
    }
    return NULL;
}

/* Settings merge: an entry point that stands without a module may meet any module. */
static int entry_points_may_move(const wasm_server_conf *server)
{
    int i;

    for (i = 0; i < server->sections->nelts; i++) {
        const wasm_dir_conf *section = APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *);

        if (section->entry_point && !section->program) {
            return 1;
        }
    }
    return 0;
}

static const char *check_entry_point(apr_pool_t *pool, const wasm_dir_conf *section)
{
    const char *name = wasm_entry_point(section);
    wrt_error *error = wrt_artifact_check_entry_point(section->program->artifact, wasm_str(name));

    if (!error) {
        return NULL;
    }
    if (section->entry_point) {
        return wasm_artifacts_problem(pool, apr_psprintf(pool, "WasmEntryPoint %s of WasmModule %s", name, section->program->path),
                                      section->entry_point_source, error);
    }
    return wasm_artifacts_problem(pool, apr_pstrcat(pool, "WasmModule ", section->program->path, NULL), section->program_source,
                                  error);
}

/* A limit that the module cannot start under, where both stand in one section. Merged from two, it is found at the request. */
static const char *check_memory_limit(apr_pool_t *pool, const wasm_dir_conf *section)
{
    uint64_t minimum = wrt_artifact_minimum_memory(section->program->artifact);

    if (section->memory_limit == WASM_UNSET || minimum <= (uint64_t)section->memory_limit) {
        return NULL;
    }
    return apr_psprintf(pool, WASM_CODE_MEMORY ": WasmMemoryLimit (%s:%d): WasmModule %s needs %" APR_UINT64_T_FMT " bytes to start",
                        section->memory_limit_source.file, section->memory_limit_source.line, section->program->path, minimum);
}

static const ap_directive_t *find_top_level(const char *name)
{
    const ap_directive_t *directive;

    for (directive = ap_conftree; directive; directive = directive->next) {
        if (!strcasecmp(directive->directive, name)) {
            return directive;
        }
    }
    return NULL;
}

static const char *check_stack(apr_pool_t *pool)
{
    apr_size_t size = wasm_stack_size();
    const ap_directive_t *directive = find_top_level("ThreadStackSize");
    const char *place = "the system's stack limit (ulimit -s)";

    if (size == 0 || size >= WASM_STACK_NEED) {
        return NULL;
    }
    if (ap_thread_stacksize) {
        place = directive ? apr_psprintf(pool, "ThreadStackSize (%s:%d)", directive->filename, directive->line_num)
                          : "ThreadStackSize";
    }
    return apr_psprintf(pool, WASM_CODE_STACK ": %s: %" APR_SIZE_T_FMT " bytes of stack are too few to run WebAssembly, at least "
                        "%" APR_SIZE_T_FMT " are needed", place, size, WASM_STACK_NEED);
}

static const char *check_sections(apr_pool_t *pconf, const wasm_server_conf *server)
{
    int check_default = !entry_points_may_move(server);
    const char *wrong = NULL;
    int i;

    for (i = 0; !wrong && i < server->sections->nelts; i++) {
        wrong = note_digest(pconf, APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *));
    }
    for (i = 0; !wrong && i < server->programs->nelts; i++) {
        wrong = wasm_artifacts_prepare(pconf, server, APR_ARRAY_IDX(server->programs, i, wasm_program *));
    }
    for (i = 0; !wrong && i < server->sections->nelts; i++) {
        const wasm_dir_conf *section = APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *);

        if (!section->program) {
            continue;
        }
        if (section->entry_point || check_default) {
            wrong = check_entry_point(pconf, section);
        }
        if (!wrong) {
            wrong = check_memory_limit(pconf, section);
        }
    }
    return wrong;
}

int wasm_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const wasm_server_conf *server = wasm_main_conf();
    const char *wrong;

    (void)plog;
    (void)s;
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_DUMP || only_stopping(ptemp)) {
        return OK;
    }
    wrong = check_sections(pconf, server);
    if (!wrong && server->programs->nelts) {
        wrong = check_stack(pconf);
    }
    if (wrong) {
        return refuse(wrong);
    }
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
        wasm_artifacts_announce(NULL);
    }
    return OK;
}

int wasm_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)pconf;
    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK; /* a trial run: the real one follows */
    }
    wasm_artifacts_announce(s);
    wasm_artifacts_trim();
    return OK;
}
