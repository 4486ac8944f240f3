#include "wasm_preinit.h"

#include <grp.h>
#include <unistd.h>

#include "unixd.h"

#include "wasm_artifacts.h"
#include "wasm_codes.h"
#include "wasm_mounts.h"
#include "wasm_notices.h"

#define MAX_GROUPS 1024

/* Whom the process becomes that runs an initialiser: the user of the children, with the same groups. NULL where httpd is no root. */
static const wrt_user *user_of_children(apr_pool_t *pool)
{
    static gid_t groups[MAX_GROUPS];
    int count = MAX_GROUPS;
    wrt_user *user;

    if (geteuid() != 0) {
        return NULL;
    }
    user = apr_pcalloc(pool, sizeof *user);
    user->user = ap_unixd_config.user_id;
    user->group = ap_unixd_config.group_id;
    user->groups = groups;
    user->groups_len = getgrouplist(ap_unixd_config.user_name, ap_unixd_config.group_id, groups, &count) < 0 ? 0 : (size_t)count;
    return user;
}

static apr_array_header_t *variables(apr_pool_t *pool, const wasm_dir_conf *section)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(wrt_variable));
    int i;

    for (i = 0; section->preinit_env && i < section->preinit_env->nelts; i++) {
        const wasm_env *entry = &APR_ARRAY_IDX(section->preinit_env, i, wasm_env);

        APR_ARRAY_PUSH(list, wrt_variable) = (wrt_variable){ .name = wasm_str(entry->name), .value = wasm_str(entry->value) };
    }
    return list;
}

const char *wasm_preinit_examine(apr_pool_t *pconf, wasm_server_conf *server, const wrt_mount_table *table, wasm_dir_conf *section)
{
    apr_array_header_t *mounts = wasm_mounts_of(pconf, section), *env = variables(pconf, section);
    apr_int64_t wanted = wasm_setting_of(section, WASM_SETTING_PREINIT);
    const wrt_preinit preinit = {
        .required = wanted == 1,
        .mounts = (const wrt_mount *)mounts->elts,
        .mounts_len = (size_t)mounts->nelts,
        .mount_table = table,
        .env = (const wrt_variable *)env->elts,
        .env_len = (size_t)env->nelts,
        .timeout_ms = (uint64_t)apr_time_as_msec(wasm_setting_of(section, WASM_SETTING_PREINIT_TIMEOUT)),
        .memory = (uint64_t)wasm_setting_of(section, WASM_SETTING_MEMORY_LIMIT),
        .user = user_of_children(pconf),
    };
    wasm_code *code;
    const char *wrong;

    if (!wanted) {
        return NULL;
    }
    code = apr_pcalloc(pconf, sizeof *code);
    code->program = section->program;
    wrong = wasm_artifacts_examine(pconf, server, code, &preinit);
    if (!wrong && wrt_artifact_has_snapshot(code->artifact)) {
        APR_ARRAY_PUSH(server->codes, wasm_code *) = code;
        section->snapshot = code;
    }
    return wrong;
}

static void note_loss(request_rec *r, const wasm_dir_conf *conf)
{
    if (wasm_notice_is_due(conf->program, WASM_NOTICE_SNAPSHOT)) {
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, WASM_CODE_SNAPSHOT_LOST ": %s: the program runs without its snapshot for %s: that belongs "
                      "to the section with " WASM_NAME_MODULE ", and another section adds directories or " WASM_NAME_PREINIT_ENV
                      "; put all of them into one section", conf->program->path, r->uri);
    }
}

const wasm_code *wasm_preinit_code(request_rec *r, const wasm_dir_conf *conf)
{
    if (!wasm_setting_of(conf, WASM_SETTING_PREINIT)) {
        return &conf->program->code;
    }
    if (conf->lost_snapshot) {
        note_loss(r, conf);
    }
    return conf->snapshot ? conf->snapshot : &conf->program->code;
}
