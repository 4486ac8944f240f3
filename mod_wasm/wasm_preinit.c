#include "wasm_preinit.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "unixd.h"

#include "wasm_artifacts.h"
#include "wasm_codes.h"
#include "wasm_mounts.h"
#include "wasm_notices.h"

#define MAX_GROUPS 1024

/* ---- at start ---- */

/* As httpd finds it for its children: "#33" is a user, too. */
static const char *name_of_user(void)
{
    const struct passwd *found;

    if (*ap_unixd_config.user_name != '#') {
        return ap_unixd_config.user_name;
    }
    found = getpwuid(ap_unixd_config.user_id);
    return found ? found->pw_name : NULL;
}

/* Whom the process becomes that runs an initialiser: the user of the children, with the same groups. NULL where httpd is no root. */
static const wrt_user *user_of_children(apr_pool_t *pool)
{
    const char *name;
    gid_t *groups;
    int count = MAX_GROUPS;
    wrt_user *user;

    if (geteuid() != 0) {
        return NULL;
    }
    name = name_of_user();
    groups = apr_palloc(pool, MAX_GROUPS * sizeof *groups);
    if (!name || getgrouplist(name, ap_unixd_config.group_id, groups, &count) < 0) {
        groups[0] = ap_unixd_config.group_id;
        count = 1;
    }
    user = apr_pcalloc(pool, sizeof *user);
    user->user = ap_unixd_config.user_id;
    user->group = ap_unixd_config.group_id;
    user->groups = groups;
    user->groups_len = (size_t)count;
    return user;
}

static apr_array_header_t *variables(apr_pool_t *pool, const wasm_dir_conf *conf)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(wrt_variable));
    int i;

    for (i = 0; conf->preinit_env && i < conf->preinit_env->nelts; i++) {
        const wasm_env *entry = &APR_ARRAY_IDX(conf->preinit_env, i, wasm_env);

        APR_ARRAY_PUSH(list, wrt_variable) = (wrt_variable){ .name = wasm_str(entry->name), .value = wasm_str(entry->value) };
    }
    return list;
}

const wrt_preinit *wasm_preinit_of(apr_pool_t *pool, const wasm_server_conf *server, const wasm_dir_conf *conf)
{
    apr_array_header_t *mounts, *env;
    wrt_preinit *preinit;

    if (!wasm_setting_of(conf, WASM_SETTING_PREINIT)) {
        return NULL;
    }
    mounts = wasm_mounts_of(pool, conf);
    env = variables(pool, conf);
    preinit = apr_palloc(pool, sizeof *preinit);
    *preinit = (wrt_preinit){
        .struct_size = sizeof *preinit,
        .required = wasm_setting_of(conf, WASM_SETTING_PREINIT) != WASM_PREINIT_AUTO,
        .mounts = (const wrt_mount *)mounts->elts,
        .mounts_len = (size_t)mounts->nelts,
        .scratch = wasm_str(wasm_tmp_dir_guest(conf)),
        .mount_table = server->mounts,
        .env = (const wrt_variable *)env->elts,
        .env_len = (size_t)env->nelts,
        .timeout_ms = (uint64_t)apr_time_as_msec(wasm_setting_of(conf, WASM_SETTING_PREINIT_TIMEOUT)),
        .memory = (uint64_t)wasm_setting_of(conf, WASM_SETTING_MEMORY_LIMIT),
        .descriptors = (uint64_t)wasm_setting_of(conf, WASM_SETTING_FILE_LIMIT),
        .user = user_of_children(pool),
    };
    return preinit;
}

const char *wasm_preinit_examine(apr_pool_t *pconf, const wasm_server_conf *server, wasm_dir_conf *section)
{
    const wasm_dir_conf *given = wasm_section_in_server(pconf, section);
    const wrt_preinit *preinit = wasm_preinit_of(pconf, server, given);
    wasm_code *code;
    const char *wrong;

    if (!preinit) {
        return NULL;
    }
    code = apr_pcalloc(pconf, sizeof *code);
    code->program = section->program;
    code->section = section;
    code->given = given;
    wrong = wasm_artifacts_examine(pconf, server, code, preinit);
    if (!wrong && wrt_artifact_has_snapshot(code->artifact)) {
        APR_ARRAY_PUSH(server->codes, wasm_code *) = code;
        section->snapshot = code;
    }
    return wrong;
}

/* ---- at a request ---- */

static int same_text(const char *one, const char *another)
{
    return one && another ? !strcmp(one, another) : one == another;
}

/* Entries begin with two texts: guest and host path, or name and value. */
static int same_entries(const apr_array_header_t *one, const apr_array_header_t *another)
{
    int i, count = one ? one->nelts : 0;

    if (one == another) {
        return 1;
    }
    if (count != (another ? another->nelts : 0)) {
        return 0;
    }
    for (i = 0; i < count; i++) {
        const char *const *entry = (const void *)(one->elts + i * one->elt_size);
        const char *const *other = (const void *)(another->elts + i * another->elt_size);

        if (strcmp(entry[0], other[0]) || strcmp(entry[1], other[1])) {
            return 0;
        }
    }
    return 1;
}

/* A program finds what its initialiser saw, under the same numbers: other sections have added nothing. */
static int fits(const wasm_dir_conf *conf, const wasm_dir_conf *given)
{
    return same_text(wasm_tmp_dir_guest(conf), wasm_tmp_dir_guest(given)) && same_entries(conf->mounts, given->mounts)
        && same_entries(conf->preinit_env, given->preinit_env);
}

static void note_loss(request_rec *r, const wasm_dir_conf *conf)
{
    if (wasm_notice_is_due(conf->program, WASM_NOTICE_SNAPSHOT)) {
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, WASM_CODE_SNAPSHOT_LOST ": %s: the program runs without its snapshot for %s: that belongs "
                      "to the section with " WASM_NAME_MODULE ", and another section adds directories, " WASM_NAME_TMP_DIR " or "
                      WASM_NAME_PREINIT_ENV "; put all of them into one section", conf->program->path, r->uri);
    }
}

const wasm_code *wasm_preinit_code(request_rec *r, const wasm_dir_conf *conf)
{
    const wasm_code *plain = &conf->program->code;

    if (!conf->snapshot || !wasm_setting_of(conf, WASM_SETTING_PREINIT)) {
        return plain;
    }
    if (fits(conf, conf->snapshot->given)) {
        return conf->snapshot;
    }
    if (wrt_artifact_has_snapshot(conf->snapshot->artifact)) {
        note_loss(r, conf);
    }
    return plain;
}
