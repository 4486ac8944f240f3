#include "wasm_directives.h"

#include <stddef.h>
#include <stdlib.h>

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

static void register_section(wasm_dir_conf *conf)
{
    if (!conf->registered) {
        conf->registered = 1;
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
    register_section(conf);
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
    register_section(conf);
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
    register_section(conf);
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
    register_section(conf);
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
    return NULL;
}

static const char *set_variable(cmd_parms *cmd, void *dir, const char *line)
{
    wasm_dir_conf *conf = dir;
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
    if (!conf->env) {
        conf->env = apr_array_make(cmd->pool, 4, sizeof(wasm_env));
    }
    wasm_set_entry(conf->env, &entry);
    return NULL;
}

/* On or Off: cmd->info is the offset of the setting. */
static const char *set_flag(cmd_parms *cmd, void *dir, int on)
{
    const char *wrong = check_context(cmd);

    *(int *)((char *)dir + (apr_uintptr_t)cmd->info) = on;
    return wrong;
}

static const char *set_timeout(cmd_parms *cmd, void *dir, const char *arg)
{
    apr_interval_time_t *timeout = &((wasm_dir_conf *)dir)->timeout;
    const char *wrong = check_context(cmd);

    if (wrong) {
        return wrong;
    }
    wrong = wasm_parse_duration(arg, timeout);
    if (!wrong && apr_time_as_msec(*timeout) < 1) {
        wrong = "must be longer than 0 (at least 1ms)";
    }
    return wrong ? problem(cmd, wrong) : NULL;
}

static const char *set_memory_limit(cmd_parms *cmd, void *dir, const char *arg)
{
    wasm_dir_conf *conf = dir;
    const char *wrong = check_context(cmd);

    if (wrong) {
        return wrong;
    }
    wasm_main_conf()->memory_limits_given = 1;
    wrong = wasm_parse_memory(arg, &conf->memory_limit);
    conf->memory_limit_source = source_of(cmd);
    return wrong ? problem(cmd, wrong) : NULL;
}

static const char *set_max_instances(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    char *end;
    long number;

    (void)dir;
    if (wrong) {
        return wrong;
    }
    number = strtol(arg, &end, 10);
    if (!apr_isdigit(*arg) || *end || number < 1 || number > 100000) {
        return problem(cmd, "must be a whole number from 1 to 100000");
    }
    wasm_main_conf()->max_instances = (int)number;
    return NULL;
}

static const char *set_queue_timeout(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dir;
    if (wrong) {
        return wrong;
    }
    wrong = wasm_parse_duration(arg, &wasm_main_conf()->queue_timeout);
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

#define IN_SECTIONS (ACCESS_CONF | RSRC_CONF)
#define SETTING(name) ((void *)offsetof(wasm_dir_conf, name))

const command_rec wasm_directives[] = {
    AP_INIT_TAKE1("WasmModule", set_module, NULL, IN_SECTIONS, "path of the WebAssembly module to run"),
    AP_INIT_TAKE12("WasmDir", set_dir, NULL, IN_SECTIONS,
                   "a directory the program may use under its own path; ro as second argument makes it read-only"),
    AP_INIT_TAKE23("WasmMapDir", set_map_dir, NULL, IN_SECTIONS,
                   "a path inside the program, the directory it stands for, and ro to make it read-only"),
    AP_INIT_RAW_ARGS("WasmArg", add_arg, NULL, IN_SECTIONS, "one argument for the program"),
    AP_INIT_RAW_ARGS("WasmEnv", set_variable, NULL, IN_SECTIONS, "name and value of an environment variable for the program"),
    AP_INIT_TAKE1("WasmEntryPoint", set_entry_point, NULL, IN_SECTIONS, "exported function to call (default _start)"),
    AP_INIT_FLAG("WasmEnableCGI", set_flag, SETTING(cgi), IN_SECTIONS, "On: the program is a CGI program"),
    AP_INIT_FLAG("WasmIgnoreClientAbort", set_flag, SETTING(ignore_client_abort), IN_SECTIONS,
                 "On: the program runs to its end even when the client has gone"),
    AP_INIT_FLAG("WasmMapCGIFileNames", set_flag, SETTING(map_file_names), IN_SECTIONS,
                 "On: SCRIPT_FILENAME and the other path variables hold paths inside the program"),
    AP_INIT_TAKE1("WasmTimeout", set_timeout, NULL, IN_SECTIONS, "how long one run may take (default 60 seconds)"),
    AP_INIT_TAKE1("WasmMemoryLimit", set_memory_limit, NULL, IN_SECTIONS, "linear memory one run may use (default 256M)"),
    AP_INIT_TAKE1("WasmModuleDigest", set_digest, NULL, IN_SECTIONS, "sha256:<hex> that the file of WasmModule must have"),
    AP_INIT_TAKE1("WasmMaxInstances", set_max_instances, NULL, RSRC_CONF,
                  "concurrent runs in a child (default: three quarters of its threads)"),
    AP_INIT_TAKE1("WasmQueueTimeout", set_queue_timeout, NULL, RSRC_CONF,
                  "how long a request waits for its turn (default 5 seconds)"),
    AP_INIT_TAKE1("WasmCacheDir", set_cache_dir, NULL, RSRC_CONF, "directory of compiled modules"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};
