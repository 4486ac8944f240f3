#include "wasm_scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unixd.h"

#include "wasm_codes.h"

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)
#define MODE_OF_PARENTS 0x755 /* APR's way to write 0755 */

const char *wasm_scratch_dir(const wasm_server_conf *server)
{
    return server->scratch_dir ? server->scratch_dir : WASM_DEFAULT_SCRATCH_DIR;
}

apr_int64_t wasm_scratch_total(const wasm_server_conf *server)
{
    apr_int64_t total = server->scratch_total;

    if (!server->scratch_dir) {
        wasm_parse_file_space(WASM_DEFAULT_SCRATCH_TOTAL, &total);
    }
    return total;
}

/* The largest of all sections; NULL: there is none. */
static const wasm_tmp_dir *largest(const wasm_server_conf *server)
{
    const wasm_tmp_dir *found = NULL;
    int i;

    for (i = 0; i < server->sections->nelts; i++) {
        const wasm_tmp_dir *tmp = wasm_tmp_dir_of(APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *));

        if (tmp && (!found || tmp->size > found->size)) {
            found = tmp;
        }
    }
    return found;
}

/* So many that all of them, full, are no more than the total. */
uint32_t wasm_scratch_count(const wasm_server_conf *server)
{
    const wasm_tmp_dir *most = largest(server);
    apr_int64_t count = most ? wasm_scratch_total(server) / most->size : 0;

    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

/* Where the directory was named, for a message. */
static const char *directive_text(apr_pool_t *pool, const wasm_server_conf *server)
{
    const wasm_source *source = &server->scratch_dir_source;

    return source->file ? apr_psprintf(pool, WASM_NAME_SCRATCH_DIR " (%s:%d)", source->file, source->line)
                        : WASM_NAME_SCRATCH_DIR " (the default)";
}

static const char *system_text(apr_pool_t *pool, int error)
{
    char text[120];

    return apr_pstrdup(pool, apr_strerror(error, text, sizeof text));
}

/* ---- checks ---- */

static const char *check_size(apr_pool_t *pool, const wasm_server_conf *server)
{
    const wasm_tmp_dir *most = largest(server);

    if (!most || most->size <= wasm_scratch_total(server)) {
        return NULL;
    }
    return apr_psprintf(pool, WASM_CODE_SCRATCH ": " WASM_NAME_TMP_DIR " (%s:%d): one directory of %" APR_INT64_T_FMT " bytes is more than "
                        "the %" APR_INT64_T_FMT " that all may have together: %s", most->source.file, most->source.line, most->size,
                        wasm_scratch_total(server), directive_text(pool, server));
}

static const char *check_mounts(apr_pool_t *pool, const wasm_dir_conf *section)
{
    const wasm_tmp_dir *tmp = wasm_tmp_dir_of(section);
    int i;

    for (i = 0; tmp && section->mounts && i < section->mounts->nelts; i++) {
        const wasm_mount *mount = &APR_ARRAY_IDX(section->mounts, i, wasm_mount);

        if (!wasm_mount_is_seen(section, mount)) {
            return apr_psprintf(pool, WASM_CODE_SCRATCH ": " WASM_NAME_TMP_DIR " (%s:%d): %s is the path of %s (%s:%d) too",
                                tmp->source.file, tmp->source.line, tmp->guest, mount->directive, mount->source.file, mount->source.line);
        }
    }
    return NULL;
}

/* As whom the children run. */
static uid_t children_user(void)
{
    uid_t own = geteuid();

    return own ? own : ap_unixd_config.user_id;
}

/* NULL, or why the directory must not be used: what is in there is private, and is removed. */
static const char *distrust(apr_pool_t *pool, const struct stat *found)
{
    if (!S_ISDIR(found->st_mode)) {
        return S_ISLNK(found->st_mode) ? "it is a symbolic link" : "it is not a directory";
    }
    if (found->st_uid != children_user()) {
        return apr_psprintf(pool, "it belongs to user %lu, and has to belong to the user of httpd's children, %lu: chown it",
                            (unsigned long)found->st_uid, (unsigned long)children_user());
    }
    if (found->st_mode & OTHERS_WRITE) {
        return apr_psprintf(pool, "others can write to it (mode %o): chmod go-w", (unsigned)(found->st_mode & 07777));
    }
    return NULL;
}

static const char *refuse(apr_pool_t *pool, const wasm_server_conf *server, const char *reason)
{
    return reason ? apr_psprintf(pool, WASM_CODE_SCRATCH ": %s: %s cannot be used: %s", directive_text(pool, server), wasm_scratch_dir(server),
                                 reason)
                  : NULL;
}

/* NULL, or why what is at the path must not be used. What is missing will be made. */
static const char *judge(apr_pool_t *pool, const char *path)
{
    struct stat found;

    if (lstat(path, &found)) {
        return errno == ENOENT ? NULL : system_text(pool, errno);
    }
    return distrust(pool, &found);
}

/* The directory, or where it will be made. */
static const char *nearest(apr_pool_t *pool, const char *path)
{
    struct stat found;

    while (path[1] && lstat(path, &found) && errno == ENOENT) {
        const char *slash = strrchr(path, '/');

        path = slash > path ? apr_pstrmemdup(pool, path, (apr_size_t)(slash - path)) : "/";
    }
    return path;
}

/* NULL, or why a program could look into the directory through this mount. */
static const char *seen_through(apr_pool_t *pool, const wrt_mount_table *table, const char *directory, const wasm_mount *mount)
{
    wrt_mount both[] = { { .host = wasm_str(directory), .read_only = true }, { .host = wasm_str(mount->host) } };
    wrt_mount_conflict conflict = { 0 };
    wrt_error *error = wrt_mount_table_check(table, both, 2, &conflict);

    /* Either cannot be opened: whoever looks at that one says so. */
    wrt_error_free(error);
    return conflict.found ? apr_psprintf(pool, "programs could see what others have there through %s, which %s (%s:%d) mounts", mount->host,
                                         mount->directive, mount->source.file, mount->source.line)
                          : NULL;
}

static const char *check_privacy(apr_pool_t *pool, const wasm_server_conf *server, const wrt_mount_table *table)
{
    const char *wrong = NULL, *directory = nearest(pool, wasm_scratch_dir(server));
    int i, j;

    for (i = 0; i < server->sections->nelts; i++) {
        const apr_array_header_t *mounts = APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *)->mounts;

        for (j = 0; !wrong && mounts && j < mounts->nelts; j++) {
            wrong = seen_through(pool, table, directory, &APR_ARRAY_IDX(mounts, j, wasm_mount));
        }
    }
    return wrong;
}

const char *wasm_scratch_problem(apr_pool_t *pool, const wasm_server_conf *server, const wrt_mount_table *mounts)
{
    const char *wrong = check_size(pool, server);
    int i;

    for (i = 0; !wrong && i < server->sections->nelts; i++) {
        wrong = check_mounts(pool, APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *));
    }
    if (wrong || !largest(server)) {
        return wrong;
    }
    wrong = judge(pool, wasm_scratch_dir(server));
    return refuse(pool, server, wrong ? wrong : check_privacy(pool, server, mounts));
}

/* ---- making ---- */

/* Gives what root made to the children. What is there now is looked at by its descriptor: it must be what was made. */
static int give_away(const char *path)
{
    struct stat made;
    int result = -1, fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return -1;
    }
    if (!fstat(fd, &made) && made.st_uid == 0 && (made.st_mode & 07777) == S_IRWXU) {
        result = fchown(fd, ap_unixd_config.user_id, ap_unixd_config.group_id);
    }
    close(fd);
    return result;
}

/* NULL, or why there is no such directory. */
static const char *make(apr_pool_t *pool, const char *path)
{
    apr_status_t rv = apr_dir_make_recursive(ap_make_dirstr_parent(pool, path), MODE_OF_PARENTS, pool);

    if (rv != APR_SUCCESS) {
        return system_text(pool, rv);
    }
    if (mkdir(path, S_IRWXU)) {
        return errno == EEXIST ? judge(pool, path) : system_text(pool, errno);
    }
    return geteuid() == 0 && give_away(path) ? "it cannot be given to the user of httpd's children" : NULL;
}

int wasm_scratch_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const wasm_server_conf *server = wasm_main_conf();
    const char *wrong;

    (void)pconf;
    (void)plog;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG || !largest(server)) {
        return OK;
    }
    wrong = refuse(ptemp, server, make(ptemp, wasm_scratch_dir(server)));
    if (!wrong) {
        return OK;
    }
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_ERR, 0, s, "%s", wrong);
    return HTTP_INTERNAL_SERVER_ERROR;
}
