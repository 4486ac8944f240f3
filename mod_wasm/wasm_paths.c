#include "wasm_paths.h"

/* The part of path behind directory, or NULL when it does not lie in there. */
static const char *below(const char *path, const char *directory)
{
    apr_size_t len = strlen(directory);

    if (len == 1) {
        len = 0; /* "/" */
    }
    if (strncmp(path, directory, len) || (path[len] && path[len] != '/')) {
        return NULL;
    }
    return path + len;
}

typedef const char *side_of_mount(const wasm_mount *mount);

static const char *host_side(const wasm_mount *mount)
{
    return mount->host;
}

static const char *guest_side(const wasm_mount *mount)
{
    return mount->guest;
}

/* The mount whose directory, on this side, is the longest above the path. */
static const wasm_mount *mount_of(const wasm_dir_conf *conf, side_of_mount *side, const char *path)
{
    const wasm_mount *best = NULL;
    int i;

    for (i = 0; conf->mounts && i < conf->mounts->nelts; i++) {
        const wasm_mount *mount = &APR_ARRAY_IDX(conf->mounts, i, const wasm_mount);

        if (below(path, side(mount)) && (!best || strlen(side(mount)) > strlen(side(best)))) {
            best = mount;
        }
    }
    return best;
}

const char *wasm_guest_path(apr_pool_t *pool, const wasm_dir_conf *conf, const char *path)
{
    const wasm_mount *mount = mount_of(conf, host_side, path);
    const wasm_tmp_dir *tmp = wasm_tmp_dir_of(conf);
    const char *inside;

    if (!mount) {
        return NULL;
    }
    inside = apr_pstrcat(pool, strcmp(mount->guest, "/") ? mount->guest : "", below(path, mount->host), NULL);
    if (!*inside) {
        inside = mount->guest;
    }
    if (tmp && below(inside, tmp->guest) && strlen(tmp->guest) >= strlen(mount->guest)) {
        return NULL;
    }
    /* What another mount covers is another file: an upload, say, of the same name. */
    return mount_of(conf, guest_side, inside) == mount ? inside : NULL;
}
