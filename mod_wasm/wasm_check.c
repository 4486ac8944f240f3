#include "wasm_check.h"

#include "ap_mpm.h"
#include "mpm_common.h"

#include "wasm_artifacts.h"
#include "wasm_codes.h"
#include "wasm_command.h"
#include "wasm_config.h"
#include "wasm_dump.h"
#include "wasm_mounts.h"
#include "wasm_preinit.h"
#include "wasm_scratch.h"
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

/* WasmModuleDigest guards the module that its own section names; alone it would silently guard nothing. */
static const char *note_digest(apr_pool_t *pool, const wasm_dir_conf *section)
{
    if (!section->digest) {
        return NULL;
    }
    if (!section->program) {
        return apr_psprintf(pool, WASM_CODE_DIGEST_ALONE ": " WASM_NAME_MODULE_DIGEST " (%s:%d): there is no " WASM_NAME_MODULE " in this section",
                            section->digest_source.file, section->digest_source.line);
    }
    if (!section->program->digest) {
        section->program->digest = section->digest;
        section->program->digest_source = section->digest_source;
    }
    if (strcmp(section->program->digest, section->digest)) {
        return apr_psprintf(pool, WASM_CODE_DIGEST ": " WASM_NAME_MODULE_DIGEST " (%s:%d): another section expects sha256:%s of %s",
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
    wrt_error *error = wrt_artifact_check_entry_point(section->program->code.artifact, wasm_str(name));

    if (!error) {
        return NULL;
    }
    if (section->entry_point) {
        return wasm_artifacts_problem(pool, apr_psprintf(pool, WASM_NAME_ENTRY_POINT " %s of " WASM_NAME_MODULE " %s", name, section->program->path),
                                      section->entry_point_source, error);
    }
    return wasm_artifacts_problem(pool, apr_pstrcat(pool, WASM_NAME_MODULE " ", section->program->path, NULL), section->program_source,
                                  error);
}

static int is_set_somewhere(const wasm_server_conf *server, wasm_setting setting)
{
    int i;

    for (i = 0; i < server->sections->nelts; i++) {
        if (APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *)->settings.values[setting] != WASM_UNSET) {
            return 1;
        }
    }
    return 0;
}

/* A limit that the module cannot start under. Where it may come from another section, it is found at the request. */
static const char *check_memory_limit(apr_pool_t *pool, const wasm_server_conf *server, const wasm_dir_conf *section)
{
    uint64_t minimum = wrt_artifact_minimum_memory(section->program->code.artifact);
    const wasm_source *source = &section->setting_sources[WASM_SETTING_MEMORY_LIMIT];

    if (minimum <= (uint64_t)wasm_setting_of(section, WASM_SETTING_MEMORY_LIMIT)) {
        return NULL;
    }
    if (source->file) {
        return apr_psprintf(pool, WASM_CODE_MEMORY ": " WASM_NAME_MEMORY_LIMIT " (%s:%d): " WASM_NAME_MODULE " %s needs "
                            "%" APR_UINT64_T_FMT " bytes to start", source->file, source->line, section->program->path, minimum);
    }
    if (is_set_somewhere(server, WASM_SETTING_MEMORY_LIMIT)) {
        return NULL;
    }
    return apr_psprintf(pool, WASM_CODE_MEMORY ": " WASM_NAME_MODULE " %s (%s:%d): needs %" APR_UINT64_T_FMT " bytes to start, and "
                        WASM_NAME_MEMORY_LIMIT " is %s unless you raise it", section->program->path, section->program_source.file,
                        section->program_source.line, minimum, wasm_setting_rows[WASM_SETTING_MEMORY_LIMIT].default_text);
}

/* NULL, or why the directory cannot be used. A missing one is fine where it will be made. */
static const char *directory_problem(apr_pool_t *pool, const char *path, int may_be_missing)
{
    char reason[120];
    apr_finfo_t info;
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_TYPE, pool);

    if (rv == APR_SUCCESS) {
        return info.filetype == APR_DIR ? NULL : "it is not a directory";
    }
    if (may_be_missing && APR_STATUS_IS_ENOENT(rv)) {
        return NULL;
    }
    return apr_pstrdup(pool, apr_strerror(rv, reason, sizeof reason));
}

static const char *check_mounts(apr_pool_t *pool, const wrt_mount_table *table, const wasm_dir_conf *section)
{
    int i;

    for (i = 0; section->mounts && i < section->mounts->nelts; i++) {
        const wasm_mount *mount = &APR_ARRAY_IDX(section->mounts, i, wasm_mount);
        const char *problem = directory_problem(pool, mount->host, 0);

        if (problem) {
            return apr_psprintf(pool, WASM_CODE_MOUNT ": %s (%s:%d): directory %s cannot be mounted: %s", mount->directive,
                                mount->source.file, mount->source.line, mount->host, problem);
        }
    }
    return wasm_mounts_problem(pool, table, section);
}

/* The standard streams, the mounts, and a file: with less no program can read anything. */
static const char *check_file_limit(apr_pool_t *pool, const wasm_dir_conf *section)
{
    apr_int64_t least = 3 + (section->mounts ? section->mounts->nelts : 0) + (wasm_tmp_dir_of(section) != NULL) + 1;
    const wasm_source *source = &section->setting_sources[WASM_SETTING_FILE_LIMIT];

    if (!source->file || wasm_setting_of(section, WASM_SETTING_FILE_LIMIT) >= least) {
        return NULL;
    }
    return apr_psprintf(pool, WASM_CODE_MOUNT ": " WASM_NAME_FILE_LIMIT " (%s:%d): three standard streams, the mounts of this section and one "
                        "file are %" APR_INT64_T_FMT, source->file, source->line, least);
}

static const char *check_cache_dir(apr_pool_t *pool, const wasm_server_conf *server)
{
    const char *problem = server->cache_dir ? directory_problem(pool, server->cache_dir, 1) : NULL;

    return problem ? apr_psprintf(pool, WASM_CODE_CACHE ": " WASM_NAME_CACHE_DIR " (%s:%d): %s cannot be used: %s", server->cache_dir_source.file,
                                  server->cache_dir_source.line, server->cache_dir, problem)
                   : NULL;
}

/* What can be seen without the modules themselves. */
static const char *check_surroundings(apr_pool_t *pconf, wasm_server_conf *server)
{
    static const wasm_source all_sections = { "all sections", 0 };
    const char *wrong = check_cache_dir(pconf, server);
    wrt_error *error = wasm_mounts_table(pconf, server);
    int i;

    if (error) {
        return wasm_artifacts_problem(pconf, WASM_NAME_DIR " and " WASM_NAME_MAP_DIR, all_sections, error);
    }
    if (!wrong) {
        wrong = wasm_scratch_problem(pconf, server, server->mounts);
    }
    for (i = 0; !wrong && i < server->sections->nelts; i++) {
        const wasm_dir_conf *section = APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *);

        wrong = note_digest(pconf, section);
        if (!wrong) {
            wrong = check_mounts(pconf, server->mounts, section);
        }
        if (!wrong) {
            wrong = check_file_limit(pconf, section);
        }
    }
    return wrong;
}

static const char *check_programs(apr_pool_t *pconf, wasm_server_conf *server)
{
    const char *wrong = NULL;
    int i;

    for (i = 0; !wrong && i < server->programs->nelts; i++) {
        wasm_program *program = APR_ARRAY_IDX(server->programs, i, wasm_program *);

        program->code.program = program;
        APR_ARRAY_PUSH(server->codes, wasm_code *) = &program->code;
        wrong = wasm_artifacts_examine(pconf, server, &program->code, NULL);
    }
    return wrong;
}

static const char *check_snapshots(apr_pool_t *pconf, wasm_server_conf *server)
{
    const char *wrong = NULL;
    int i;

    for (i = 0; !wrong && i < server->sections->nelts; i++) {
        wasm_dir_conf *section = APR_ARRAY_IDX(server->sections, i, wasm_dir_conf *);

        if (section->program) {
            wrong = wasm_preinit_examine(pconf, server, section);
        }
    }
    return wrong;
}

static const char *check_sections(apr_pool_t *pconf, const wasm_server_conf *server)
{
    int check_default = !entry_points_may_move(server);
    const char *wrong = NULL;
    int i;

    for (i = 0; !wrong && i < server->sections->nelts; i++) {
        const wasm_dir_conf *section = APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *);

        if (!section->program) {
            continue;
        }
        if (section->entry_point || check_default) {
            wrong = check_entry_point(pconf, section);
        }
        if (!wrong) {
            wrong = check_memory_limit(pconf, server, section);
        }
    }
    return wrong;
}

int wasm_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    wasm_server_conf *server = wasm_main_conf();
    const char *wrong;

    (void)plog;
    (void)s;
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_DUMP || wasm_dump_is_wanted() || wasm_command_is_stop(ptemp)) {
        return OK;
    }
    wrong = check_surroundings(pconf, server);
    if (!wrong) {
        wrong = check_programs(pconf, server);
    }
    if (!wrong) {
        wrong = check_sections(pconf, server);
    }
    if (!wrong) {
        wrong = check_snapshots(pconf, server);
    }
    if (!wrong && server->programs->nelts) {
        wrong = wasm_stack_problem(pconf);
    }
    /* Last: nobody waits for a compilation to be told of a mistake. */
    if (!wrong && server->programs->nelts) {
        wrong = wasm_artifacts_compile(pconf, server);
    }
    if (wrong) {
        return refuse(wrong);
    }
    wasm_artifacts_trim();
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
    return OK;
}
