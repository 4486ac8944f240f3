#include "wasm_mounts.h"

#include "wasm_codes.h"

/* Without the mount whose place a scratch directory takes. May be NULL. */
static const apr_array_header_t *seen_mounts(apr_pool_t *pool, const wasm_dir_conf *conf)
{
    apr_array_header_t *seen;
    int i;

    if (!conf->mounts || !wasm_tmp_dir_of(conf)) {
        return conf->mounts;
    }
    seen = apr_array_make(pool, conf->mounts->nelts, sizeof(wasm_mount));
    for (i = 0; i < conf->mounts->nelts; i++) {
        const wasm_mount *mount = &APR_ARRAY_IDX(conf->mounts, i, const wasm_mount);

        if (wasm_mount_is_seen(conf, mount)) {
            APR_ARRAY_PUSH(seen, wasm_mount) = *mount;
        }
    }
    return seen;
}

static void add_mounts(apr_array_header_t *list, const apr_array_header_t *mounts)
{
    int i;

    for (i = 0; mounts && i < mounts->nelts; i++) {
        const wasm_mount *mount = &APR_ARRAY_IDX(mounts, i, const wasm_mount);

        APR_ARRAY_PUSH(list, wrt_mount) =
            (wrt_mount){ .guest = wasm_str(mount->guest), .host = wasm_str(mount->host), .read_only = mount->read_only };
    }
}

/* As the library takes them: wrt_mount. */
static apr_array_header_t *as_given(apr_pool_t *pool, const apr_array_header_t *mounts)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(wrt_mount));

    add_mounts(list, mounts);
    return list;
}

apr_array_header_t *wasm_mounts_of(apr_pool_t *pool, const wasm_dir_conf *conf)
{
    return as_given(pool, seen_mounts(pool, conf));
}

static apr_status_t release_table(void *table)
{
    wrt_mount_table_free(table);
    return APR_SUCCESS;
}

wrt_error *wasm_mounts_table(apr_pool_t *pconf, wasm_server_conf *server)
{
    apr_array_header_t *all = apr_array_make(pconf, server->sections->nelts, sizeof(wrt_mount));
    wrt_error *error;
    int i;

    for (i = 0; i < server->sections->nelts; i++) {
        add_mounts(all, APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *)->mounts);
    }
    error = wrt_mount_table_new((const wrt_mount *)all->elts, (size_t)all->nelts, &server->mounts);
    if (!error) {
        apr_pool_cleanup_register(pconf, server->mounts, release_table, apr_pool_cleanup_null);
    }
    return error;
}

/* NULL, or a code and a text that begins with the place of the guilty mount. */
static const char *problem(apr_pool_t *pool, const wrt_mount_table *table, const wasm_dir_conf *conf, const char *conflict_code)
{
    const apr_array_header_t *mounts = seen_mounts(pool, conf);
    apr_array_header_t *list = as_given(pool, mounts);
    wrt_mount_conflict conflict;
    wrt_error *error = wrt_mount_table_check(table, (const wrt_mount *)list->elts, (size_t)list->nelts, &conflict);
    const wasm_mount *mount, *writable;
    const char *text;

    if (error) {
        mount = &APR_ARRAY_IDX(mounts, wrt_error_get_index(error), const wasm_mount);
        text = apr_psprintf(pool, WASM_CODE_MOUNT ": %s (%s:%d): a directory cannot be mounted: %s", mount->directive, mount->source.file,
                            mount->source.line, wasm_str_dup(pool, wrt_error_message(error)));
        wrt_error_free(error);
        return text;
    }
    if (!conflict.found) {
        return NULL;
    }
    mount = &APR_ARRAY_IDX(mounts, conflict.read_only, const wasm_mount);
    writable = &APR_ARRAY_IDX(mounts, conflict.writable, const wasm_mount);
    return apr_psprintf(pool, "%s: %s (%s:%d): directory %s cannot be mounted ro: the program could change it through %s, which %s (%s:%d) "
                        "mounts rw", conflict_code, mount->directive, mount->source.file, mount->source.line, mount->host, writable->host,
                        writable->directive, writable->source.file, writable->source.line);
}

const char *wasm_mounts_problem(apr_pool_t *pool, const wrt_mount_table *table, const wasm_dir_conf *section)
{
    return section->mounts ? problem(pool, table, section, WASM_CODE_MOUNTS) : NULL;
}

int wasm_mounts_resolve(request_rec *r, const wasm_dir_conf *conf)
{
    const char *wrong;

    /* Those of one section were checked at the start. */
    if (!conf->mounts_merged) {
        return OK;
    }
    wrong = problem(r->pool, wasm_main_conf()->mounts, conf, WASM_CODE_MERGED_MOUNTS);
    if (!wrong) {
        return OK;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s", wrong);
    return HTTP_INTERNAL_SERVER_ERROR;
}
