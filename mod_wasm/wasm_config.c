#include "wasm_config.h"

#include "http_main.h"

void *wasm_create_dir_conf(apr_pool_t *pool, char *section)
{
    wasm_dir_conf *conf = apr_pcalloc(pool, sizeof *conf);

    conf->is_whole_server = section == NULL;
    wasm_settings_clear(&conf->settings);
    conf->setting_sources = apr_pcalloc(pool, WASM_SETTINGS * sizeof *conf->setting_sources);
    return conf;
}

void *wasm_create_server_conf(apr_pool_t *pool, server_rec *s)
{
    wasm_server_conf *conf = apr_pcalloc(pool, sizeof *conf);

    (void)s;
    wasm_settings_clear(&conf->settings);
    conf->programs = apr_array_make(pool, 4, sizeof(wasm_program *));
    conf->codes = apr_array_make(pool, 4, sizeof(wasm_code *));
    conf->sections = apr_array_make(pool, 8, sizeof(wasm_dir_conf *));
    return conf;
}

wasm_server_conf *wasm_main_conf(void)
{
    return ap_get_module_config(ap_server_conf->module_config, &wasm_module);
}

static const wasm_dir_conf *defaults_of(const server_rec *s)
{
    return ap_get_module_config(s->lookup_defaults, &wasm_module);
}

const wasm_dir_conf *wasm_section_in_server(apr_pool_t *pool, const wasm_dir_conf *section)
{
    return wasm_merge_dir_conf(pool, (void *)defaults_of(section->server), (void *)section);
}

wasm_source wasm_setting_source(const wasm_dir_conf *section, wasm_setting setting)
{
    const apr_array_header_t *sections = wasm_main_conf()->sections;
    wasm_source found = section->setting_sources[setting];
    int i;

    for (i = 0; !found.file && i < sections->nelts; i++) {
        const wasm_dir_conf *around = APR_ARRAY_IDX(sections, i, const wasm_dir_conf *);

        if (around->is_whole_server && around->server == section->server) {
            found = around->setting_sources[setting];
        }
    }
    return found.file ? found : defaults_of(ap_server_conf)->setting_sources[setting];
}

void *wasm_find_entry(const apr_array_header_t *list, const char *key)
{
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        char *entry = list->elts + i * list->elt_size;

        if (!strcmp(*(const char *const *)entry, key)) {
            return entry;
        }
    }
    return NULL;
}

void wasm_set_entry(apr_array_header_t *list, const void *entry)
{
    void *known = wasm_find_entry(list, *(const char *const *)entry);

    memcpy(known ? known : apr_array_push(list), entry, (apr_size_t)list->elt_size);
}

static apr_array_header_t *merge_entries(apr_pool_t *pool, apr_array_header_t *outer, apr_array_header_t *inner)
{
    apr_array_header_t *merged;
    int i;

    if (!outer || !inner) {
        return inner ? inner : outer;
    }
    merged = apr_array_copy(pool, outer);
    for (i = 0; i < inner->nelts; i++) {
        wasm_set_entry(merged, inner->elts + i * inner->elt_size);
    }
    return merged;
}

/* httpd merges for every request: no library object is built here, and lists are copied only where both sides have one. */
void *wasm_merge_dir_conf(apr_pool_t *pool, void *outer, void *inner)
{
    const wasm_dir_conf *base = outer, *add = inner;
    wasm_dir_conf *conf = apr_pmemdup(pool, base, sizeof *conf);

    if (add->program) {
        conf->program = add->program;
        conf->binding = add->binding;
        conf->location = add->location;
        conf->snapshot = add->snapshot;
    }
    if (add->entry_point) {
        conf->entry_point = add->entry_point;
    }
    if (add->args) {
        conf->args = add->args;
    }
    conf->env = merge_entries(pool, base->env, add->env);
    conf->mounts = merge_entries(pool, base->mounts, add->mounts);
    conf->mounts_merged = base->mounts_merged || add->mounts_merged || (base->mounts && add->mounts);
    if (add->tmp_dir) {
        conf->tmp_dir = add->tmp_dir;
    }
    conf->preinit_env = merge_entries(pool, base->preinit_env, add->preinit_env);
    wasm_settings_merge(&conf->settings, &add->settings);
    return conf;
}
