#include "wasm_dump.h"

#include "http_main.h"

#include "wasm_config.h"
#include "wasm_dump_line.h"
#include "wasm_mounts.h"
#include "wasm_preinit.h"
#include "wasm_scratch.h"

int wasm_dump_is_wanted(void)
{
    return ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST && ap_exists_config_define(WASM_NAME_DUMP);
}

/* ---- the server ---- */

static void dump_setting(wasm_dump_out *out, const wasm_settings *own, const wasm_settings *effective, int setting)
{
    const wasm_setting_row *row = &wasm_setting_rows[setting];
    apr_int64_t value = wasm_settings_get(effective, (wasm_setting)setting);
    const char *text = value == WASM_UNSET ? row->default_text : wasm_value_text(out->pool, row->parse, value);

    wasm_dump_line(out, own->values[setting] != WASM_UNSET, row->directive, text, NULL);
}

static void dump_settings(wasm_dump_out *out, wasm_scope scope, const wasm_settings *own, const wasm_settings *effective)
{
    int i;

    for (i = 0; i < WASM_SETTINGS; i++) {
        if (wasm_setting_rows[i].scope == scope) {
            dump_setting(out, own, effective, i);
        }
    }
}

static void dump_server(wasm_dump_out *out, const wasm_server_conf *server)
{
    wasm_dump_block(out, "mod_wasm", WRT_VERSION);
    wasm_dump_line(out, server->cache_dir != NULL, WASM_NAME_CACHE_DIR, wasm_cache_dir(server), NULL);
    wasm_dump_line(out, server->scratch_dir != NULL, WASM_NAME_SCRATCH_DIR, wasm_scratch_dir(server),
                   wasm_value_text(out->pool, wasm_parse_file_space, wasm_scratch_total(server)), NULL);
    dump_settings(out, WASM_SERVER, &server->settings, &server->settings);
}

/* ---- programs ---- */

/* The reason ends the words when there is none. */
static void dump_code(wasm_dump_out *out, const char *name, wrt_str code, wrt_str reason)
{
    wasm_dump_line(out, 1, name, wasm_str_dup(out->pool, code), reason.len ? wasm_str_dup(out->pool, reason) : NULL, NULL);
}

static void dump_program(wasm_dump_out *out, const wasm_server_conf *server, const wasm_program *program)
{
    wrt_inspection *found = NULL;
    wrt_error *error = wrt_inspection_new(wasm_str(program->path), wasm_str(wasm_cache_dir(server)), NULL, &found);

    wasm_dump_block(out, "Program", program->path);
    if (error) {
        wasm_dump_line(out, 1, "Problem", wasm_str_dup(out->pool, wrt_error_message(error)), NULL);
        wrt_error_free(error);
        return;
    }
    wasm_dump_line(out, 1, "Size", apr_psprintf(out->pool, "%" APR_UINT64_T_FMT, wrt_inspection_size(found)), NULL);
    wasm_dump_line(out, 1, "Digest", apr_pstrcat(out->pool, "sha256:", wasm_str_dup(out->pool, wrt_inspection_sha256(found)), NULL), NULL);
    dump_code(out, "Code", wrt_inspection_code(found), wrt_inspection_reason(found));
    wrt_inspection_free(found);
}

/* The snapshot that belongs to a section with a WasmModule. What is wrong with that stands at its program. */
static void dump_snapshot(wasm_dump_out *out, const wasm_server_conf *server, const wasm_dir_conf *section)
{
    const wrt_preinit *preinit = wasm_preinit_of(out->pool, server, wasm_section_in_server(out->pool, section));
    wrt_inspection *found = NULL;
    wrt_error *error =
        preinit ? wrt_inspection_new(wasm_str(section->program->path), wasm_str(wasm_cache_dir(server)), preinit, &found) : NULL;
    wrt_str code = wrt_inspection_snapshot(found);

    if (code.len) {
        dump_code(out, "Snapshot", code, wrt_inspection_snapshot_reason(found));
    }
    wrt_error_free(error);
    wrt_inspection_free(found);
}

/* ---- sections ---- */

/* The registered section that belongs to a block of the configuration. */
static const wasm_dir_conf *section_of(const wasm_server_conf *server, const ap_directive_t *block)
{
    int i;

    for (i = 0; i < server->sections->nelts; i++) {
        const wasm_dir_conf *section = APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *);

        if (section->first->parent == block) {
            return section;
        }
    }
    return NULL;
}

/* The section with what it inherits from those around it. */
static const wasm_dir_conf *effective(apr_pool_t *pool, const wasm_server_conf *server, const wasm_dir_conf *section)
{
    const ap_directive_t *block = section->first->parent;
    const wasm_dir_conf *around = NULL;

    while (block && !around) {
        block = block->parent;
        around = section_of(server, block);
    }
    return around ? wasm_merge_dir_conf(pool, (void *)effective(pool, server, around), (void *)section) : section;
}

/* What follows the name of a block: one word without its quotes, or all of it. */
static const char *argument_of(apr_pool_t *pool, const ap_directive_t *block)
{
    const char *args = apr_pstrdup(pool, block->args), *rest, *word;
    const char *end = strrchr(args, '>');

    args = rest = end ? apr_pstrmemdup(pool, args, (apr_size_t)(end - args)) : args;
    word = ap_getword_conf(pool, &rest);
    return *rest ? args : word;
}

/* The outermost first. */
static void dump_blocks(wasm_dump_out *out, const ap_directive_t *block)
{
    if (block) {
        dump_blocks(out, block->parent);
        wasm_dump_line(out, 1, "In", block->directive + (*block->directive == '<'), argument_of(out->pool, block), NULL);
    }
}

static void dump_host(wasm_dump_out *out, const server_rec *s)
{
    int i;

    if (!s->is_virtual) {
        return;
    }
    if (s->server_hostname) {
        wasm_dump_line(out, 1, "ServerName", s->server_hostname, NULL);
    }
    for (i = 0; s->names && i < s->names->nelts; i++) {
        wasm_dump_line(out, 1, "ServerAlias", APR_ARRAY_IDX(s->names, i, const char *), NULL);
    }
}

static void dump_program_of(wasm_dump_out *out, const wasm_dir_conf *own, const wasm_dir_conf *all)
{
    int i;

    if (all->program) {
        wasm_dump_line(out, own->program != NULL, WASM_NAME_MODULE, all->program->path, NULL);
    }
    if (own->digest) {
        wasm_dump_line(out, 1, WASM_NAME_MODULE_DIGEST, apr_pstrcat(out->pool, "sha256:", own->digest, NULL), NULL);
    }
    wasm_dump_line(out, own->entry_point != NULL, WASM_NAME_ENTRY_POINT, wasm_entry_point(all), NULL);
    for (i = 0; all->args && i < all->args->nelts; i++) {
        wasm_dump_line(out, own->args != NULL, WASM_NAME_ARG, APR_ARRAY_IDX(all->args, i, const char *), NULL);
    }
}

static void dump_tmp_dir(wasm_dump_out *out, const wasm_dir_conf *own, const wasm_dir_conf *all)
{
    const wasm_tmp_dir *tmp = wasm_tmp_dir_of(all);

    wasm_dump_line(out, own->tmp_dir != NULL, WASM_NAME_TMP_DIR, tmp ? tmp->guest : "Off",
                   tmp ? wasm_value_text(out->pool, wasm_parse_file_space, tmp->size) : NULL, NULL);
}

/* Entries of a merged list are the section's own where it has one of that key. */
static void dump_variables(wasm_dump_out *out, const char *directive, const apr_array_header_t *own, const apr_array_header_t *all)
{
    int i;

    for (i = 0; all && i < all->nelts; i++) {
        const wasm_env *variable = &APR_ARRAY_IDX(all, i, wasm_env);

        wasm_dump_line(out, wasm_find_entry(own, variable->name) != NULL, directive, variable->name, variable->value, NULL);
    }
}

static void dump_lists(wasm_dump_out *out, const wasm_dir_conf *own, const wasm_dir_conf *all)
{
    int i;

    for (i = 0; all->mounts && i < all->mounts->nelts; i++) {
        const wasm_mount *mount = &APR_ARRAY_IDX(all->mounts, i, wasm_mount);

        wasm_dump_line(out, wasm_find_entry(own->mounts, mount->guest) != NULL, WASM_NAME_MAP_DIR, mount->guest, mount->host,
                       mount->read_only ? "ro" : "rw", NULL);
    }
    dump_variables(out, WASM_NAME_ENV, own->env, all->env);
    dump_variables(out, WASM_NAME_PREINIT_ENV, own->preinit_env, all->preinit_env);
}

static void dump_section(wasm_dump_out *out, const wasm_server_conf *server, const wasm_dir_conf *section)
{
    const wasm_dir_conf *all = effective(out->pool, server, section);
    const ap_directive_t *place = section->first->parent ? section->first->parent : section->first;

    wasm_dump_block(out, "Section", apr_psprintf(out->pool, "%s:%d", place->filename, place->line_num));
    dump_host(out, section->server);
    dump_blocks(out, section->first->parent);
    dump_program_of(out, section, all);
    dump_lists(out, section, all);
    dump_tmp_dir(out, section, all);
    dump_settings(out, WASM_SECTION, &section->settings, &all->settings);
    if (section->program && server->mounts) {
        dump_snapshot(out, server, section);
    }
}

void wasm_dump(apr_pool_t *pconf, server_rec *s)
{
    wasm_server_conf *server = wasm_main_conf();
    wasm_dump_out out = { .pool = pconf };
    int i;

    (void)s;
    if (!ap_exists_config_define(WASM_NAME_DUMP) || apr_file_open_stdout(&out.file, pconf) != APR_SUCCESS) {
        return;
    }
    /* Without it there is nothing that an initialiser could have seen. */
    wrt_error_free(wasm_mounts_table(pconf, server));
    dump_server(&out, server);
    for (i = 0; i < server->programs->nelts; i++) {
        dump_program(&out, server, APR_ARRAY_IDX(server->programs, i, const wasm_program *));
    }
    for (i = 0; i < server->sections->nelts; i++) {
        dump_section(&out, server, APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *));
    }
}
