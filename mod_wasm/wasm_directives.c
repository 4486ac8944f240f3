#include "wasm_directives.h"

#include "wasm_config.h"
#include "wasm_values.h"

static wasm_source source_of(const cmd_parms *cmd)
{
    return (wasm_source){ .file = cmd->directive->filename, .line = cmd->directive->line_num };
}

/* The error string of a directive: one line with directive, place and cause. */
static const char *problem(const cmd_parms *cmd, const char *cause)
{
    return apr_psprintf(cmd->pool, "%s (%s:%d): %s", cmd->cmd->name, cmd->directive->filename, cmd->directive->line_num, cause);
}

/* ACCESS_CONF alone would not keep tenants out: AllowOverrideList can let any directive into .htaccess. */
static const char *check_context(cmd_parms *cmd)
{
    return ap_check_cmd_context(cmd, NOT_IN_HTACCESS);
}

static void register_section(const cmd_parms *cmd, wasm_dir_conf *conf)
{
    if (!conf->first) {
        conf->first = cmd->directive;
        conf->server = cmd->server;
        APR_ARRAY_PUSH(wasm_main_conf()->sections, wasm_dir_conf *) = conf;
    }
}

static wasm_program *find_or_add_program(const cmd_parms *cmd, const char *path)
{
    apr_array_header_t *programs = wasm_main_conf()->programs;
    wasm_program *program;
    int i;

    for (i = 0; i < programs->nelts; i++) {
        program = APR_ARRAY_IDX(programs, i, wasm_program *);
        if (!strcmp(program->path, path)) {
            return program;
        }
    }
    program = apr_pcalloc(cmd->pool, sizeof *program);
    program->path = path;
    program->name = apr_filepath_name_get(path);
    program->source = source_of(cmd);
    APR_ARRAY_PUSH(programs, wasm_program *) = program;
    return program;
}

/* <If> and its relatives are transparent: what counts is the section they stand in. */
static const ap_directive_t *enclosing_section(const ap_directive_t *directive)
{
    const ap_directive_t *section;

    for (section = directive->parent; section; section = section->parent) {
        if (!strncasecmp(section->directive, "<Directory", 10) || !strncasecmp(section->directive, "<Files", 6)
            || !strncasecmp(section->directive, "<Location", 9)) {
            return section;
        }
    }
    return NULL;
}

static void bind_section(const cmd_parms *cmd, wasm_dir_conf *conf)
{
    const ap_directive_t *section = enclosing_section(cmd->directive);
    const char *args;
    char *path;
    size_t len;

    conf->location = NULL;
    conf->binding = WASM_BOUND_TO_URLS;
    if (!section) {
        return;
    }
    if (strncasecmp(section->directive, "<Location", 9)) {
        conf->binding = WASM_BOUND_TO_FILES;
        return;
    }
    if (strcasecmp(section->directive, "<Location")) {
        return; /* <LocationMatch> */
    }
    args = apr_pstrndup(cmd->temp_pool, section->args, strcspn(section->args, ">"));
    path = ap_getword_conf(cmd->pool, &args);
    if (*path != '/' || strpbrk(path, "*?[")) {
        return; /* a pattern, or <Location ~ regex> */
    }
    for (len = strlen(path); len && path[len - 1] == '/'; len--) {
        path[len - 1] = '\0';
    }
    conf->binding = WASM_BOUND_TO_LOCATION;
    conf->location = path;
}

static const char *set_module(cmd_parms *cmd, void *dir, const char *arg)
{
    wasm_dir_conf *conf = dir;
    const char *wrong = check_context(cmd);
    const char *path;

    if (wrong) {
        return wrong;
    }
    path = ap_server_root_relative(cmd->pool, arg);
    if (!*arg || !path) {
        return problem(cmd, apr_psprintf(cmd->pool, "\"%s\" is not a valid path", arg));
    }
    conf->program = find_or_add_program(cmd, path);
    conf->program_source = source_of(cmd);
    bind_section(cmd, conf);
    register_section(cmd, conf);
    return NULL;
}

static const char *set_digest(cmd_parms *cmd, void *dir, const char *arg)
{
    wasm_dir_conf *conf = dir;
    const char *wrong = check_context(cmd);

    if (wrong) {
        return wrong;
    }
    wrong = wasm_parse_digest(cmd->pool, arg, &conf->digest);
    if (wrong) {
        return problem(cmd, wrong);
    }
    conf->digest_source = source_of(cmd);
    register_section(cmd, conf);
    return NULL;
}

static const char *set_entry_point(cmd_parms *cmd, void *dir, const char *arg)
{
    wasm_dir_conf *conf = dir;
    const char *wrong = check_context(cmd);

    if (wrong) {
        return wrong;
    }
    if (!*arg) {
        return problem(cmd, "the name of an exported function must not be empty");
    }
    conf->entry_point = arg;
    conf->entry_point_source = source_of(cmd);
    register_section(cmd, conf);
    return NULL;
}

/* "ro" or "rw" (the default). */
static const char *add_mount(cmd_parms *cmd, wasm_dir_conf *conf, const char *guest, const char *host, const char *mode)
{
    wasm_mount mount = { .directive = cmd->cmd->name, .source = source_of(cmd) };
    const char *wrong = wasm_parse_host_path(cmd->pool, host, &mount.host);

    if (wrong) {
        return problem(cmd, wrong);
    }
    wrong = wasm_parse_guest_path(cmd->pool, guest ? guest : mount.host, &mount.guest);
    if (wrong) {
        return problem(cmd, wrong);
    }
    if (mode && strcasecmp(mode, "ro") && strcasecmp(mode, "rw")) {
        return problem(cmd, apr_psprintf(cmd->pool, "the last argument must be ro or rw, not \"%s\"", mode));
    }
    mount.read_only = mode && !strcasecmp(mode, "ro");
    if (!conf->mounts) {
        conf->mounts = apr_array_make(cmd->pool, 2, sizeof(wasm_mount));
    }
    wasm_set_entry(conf->mounts, &mount);
    register_section(cmd, conf);
    return NULL;
}

static const char *set_dir(cmd_parms *cmd, void *dir, const char *host, const char *mode)
{
    const char *wrong = check_context(cmd);

    return wrong ? wrong : add_mount(cmd, dir, NULL, host, mode);
}

static const char *set_map_dir(cmd_parms *cmd, void *dir, const char *guest, const char *host, const char *mode)
{
    const char *wrong = check_context(cmd);

    return wrong ? wrong : add_mount(cmd, dir, guest, host, mode);
}

/* A guest path, or Off; then how much may be in it. */
static const char *set_tmp_dir(cmd_parms *cmd, void *dir, const char *guest, const char *size)
{
    wasm_dir_conf *conf = dir;
    wasm_tmp_dir *tmp = apr_pcalloc(cmd->pool, sizeof *tmp);
    int off = !strcasecmp(guest, "Off");
    const char *wrong = check_context(cmd);

    if (wrong) {
        return wrong;
    }
    if (off && size) {
        return problem(cmd, "Off stands alone");
    }
    wrong = off ? NULL : wasm_parse_guest_path(cmd->pool, guest, &tmp->guest);
    if (!wrong) {
        wrong = wasm_parse_file_space(size ? size : WASM_DEFAULT_TMP_SIZE, &tmp->size);
    }
    tmp->source = source_of(cmd);
    conf->tmp_dir = tmp;
    register_section(cmd, conf);
    return wrong ? problem(cmd, wrong) : NULL;
}

/* httpd's own splitting takes "" for a missing argument; here it is an empty one. */
static const char *next_word(const cmd_parms *cmd, const char **line)
{
    return **line ? ap_getword_conf(cmd->pool, line) : NULL;
}

static const char *add_arg(cmd_parms *cmd, void *dir, const char *line)
{
    wasm_dir_conf *conf = dir;
    const char *wrong = check_context(cmd);
    const char *arg;

    if (wrong) {
        return wrong;
    }
    arg = next_word(cmd, &line);
    if (!arg || *line) {
        return problem(cmd, "takes one argument (\"\" for an empty one)");
    }
    if (!conf->args) {
        conf->args = apr_array_make(cmd->pool, 4, sizeof(const char *));
    }
    APR_ARRAY_PUSH(conf->args, const char *) = arg;
    register_section(cmd, conf);
    return NULL;
}

/* For the list of variables that cmd->info is the offset of. */
static const char *set_variable(cmd_parms *cmd, void *dir, const char *line)
{
    wasm_dir_conf *conf = dir;
    apr_array_header_t **list = (apr_array_header_t **)((char *)conf + (apr_size_t)cmd->info);
    wasm_env entry;
    const char *wrong = check_context(cmd);

    if (wrong) {
        return wrong;
    }
    entry.name = next_word(cmd, &line);
    entry.value = next_word(cmd, &line);
    if (!entry.value || *line) {
        return problem(cmd, "takes two arguments, a name and a value (\"\" for an empty one)");
    }
    if (!*entry.name || strchr(entry.name, '=')) {
        return problem(cmd, apr_psprintf(cmd->pool, "\"%s\" cannot be the name of a variable: a name is not empty and contains no =",
                                         entry.name));
    }
    if (!*list) {
        *list = apr_array_make(cmd->pool, 4, sizeof(wasm_env));
    }
    wasm_set_entry(*list, &entry);
    register_section(cmd, conf);
    return NULL;
}

/* One of wasm_settings.h: cmd->info is its row. */
static const char *set_value(cmd_parms *cmd, void *dir, const char *arg)
{
    const wasm_setting_row *row = cmd->info;
    const int setting = (int)(row - wasm_setting_rows);
    wasm_server_conf *server = wasm_main_conf();
    wasm_dir_conf *conf = dir;
    wasm_settings *settings = row->scope == WASM_SERVER ? &server->settings : &conf->settings;
    const char *wrong = row->scope == WASM_SERVER ? ap_check_cmd_context(cmd, GLOBAL_ONLY) : check_context(cmd);

    if (wrong) {
        return wrong;
    }
    wrong = row->parse(arg, &settings->values[setting]);
    conf->setting_sources[setting] = source_of(cmd);
    if (row->scope == WASM_SECTION) {
        register_section(cmd, conf);
    }
    return wrong ? problem(cmd, wrong) : NULL;
}

static const char *set_cache_dir(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    wasm_server_conf *server = wasm_main_conf();

    (void)dir;
    if (wrong) {
        return wrong;
    }
    wrong = wasm_parse_host_path(cmd->pool, arg, &server->cache_dir);
    server->cache_dir_source = source_of(cmd);
    return wrong ? problem(cmd, wrong) : NULL;
}

static const char *set_scratch_dir(cmd_parms *cmd, void *dir, const char *path, const char *total)
{
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    wasm_server_conf *server = wasm_main_conf();

    (void)dir;
    if (wrong) {
        return wrong;
    }
    wrong = wasm_parse_host_path(cmd->pool, path, &server->scratch_dir);
    if (!wrong) {
        wrong = wasm_parse_file_space(total ? total : WASM_DEFAULT_SCRATCH_TOTAL, &server->scratch_total);
    }
    server->scratch_dir_source = source_of(cmd);
    return wrong ? problem(cmd, wrong) : NULL;
}

#define IN_SECTIONS (ACCESS_CONF | RSRC_CONF)
#define PLACES_WASM_SECTION IN_SECTIONS
#define PLACES_WASM_SERVER RSRC_CONF

#define SETTING_DIRECTIVE(id, directive, parser, scope, text, help) \
    AP_INIT_TAKE1(directive, set_value, (void *)&wasm_setting_rows[WASM_SETTING_##id], PLACES_##scope, help " (default " text ")"),

const command_rec wasm_directives[] = {
    AP_INIT_TAKE1(WASM_NAME_MODULE, set_module, NULL, IN_SECTIONS, "path of the WebAssembly module to run"),
    AP_INIT_TAKE12(WASM_NAME_DIR, set_dir, NULL, IN_SECTIONS,
                   "a directory the program may use under its own path; ro as second argument makes it read-only"),
    AP_INIT_TAKE23(WASM_NAME_MAP_DIR, set_map_dir, NULL, IN_SECTIONS,
                   "a path inside the program, the directory it stands for, and ro to make it read-only"),
    AP_INIT_TAKE12(WASM_NAME_TMP_DIR, set_tmp_dir, NULL, IN_SECTIONS,
                   "a path inside the program for a directory of each run's own, which is gone with it, and how much may be in it "
                   "(" WASM_DEFAULT_TMP_SIZE "); or Off (default Off)"),
    AP_INIT_RAW_ARGS(WASM_NAME_ARG, add_arg, NULL, IN_SECTIONS, "one argument for the program"),
    AP_INIT_RAW_ARGS(WASM_NAME_ENV, set_variable, (void *)APR_OFFSETOF(wasm_dir_conf, env), IN_SECTIONS,
                     "name and value of an environment variable for the program"),
    AP_INIT_RAW_ARGS(WASM_NAME_PREINIT_ENV, set_variable, (void *)APR_OFFSETOF(wasm_dir_conf, preinit_env), IN_SECTIONS,
                     "name and value of an environment variable for starting the program once"),
    AP_INIT_TAKE1(WASM_NAME_ENTRY_POINT, set_entry_point, NULL, IN_SECTIONS,
                  "exported function to call (default " WASM_DEFAULT_ENTRY_POINT ")"),
    AP_INIT_TAKE1(WASM_NAME_MODULE_DIGEST, set_digest, NULL, IN_SECTIONS, "sha256:<hex> that the file of " WASM_NAME_MODULE " must have"),
    AP_INIT_TAKE1(WASM_NAME_CACHE_DIR, set_cache_dir, NULL, RSRC_CONF,
                  "directory of compiled modules (default " WASM_DEFAULT_CACHE_DIR ")"),
    AP_INIT_TAKE12(WASM_NAME_SCRATCH_DIR, set_scratch_dir, NULL, RSRC_CONF,
                   "where the directories of " WASM_NAME_TMP_DIR " lie, and how much may be in all of them "
                   "(default " WASM_DEFAULT_SCRATCH_DIR " " WASM_DEFAULT_SCRATCH_TOTAL ")"),
    WASM_SETTING_ROWS(SETTING_DIRECTIVE)
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};
