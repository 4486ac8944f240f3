/*
 * The settings of a section, how sections merge, and what is registered for the checks at start.
 *
 * Everything here lives in the configuration pool. It is written while the configuration is read; afterwards it is read-only, with two
 * exceptions that happen before any request is served: the hooks at start complete wasm_program, child_init sets what is marked as the
 * child's.
 */
#ifndef WASM_CONFIG_H
#define WASM_CONFIG_H

#include "mod_wasm.h"

#include "wasm_settings.h"

/* Where a directive stands, for messages. file is NULL when the directive was not given. */
typedef struct wasm_source {
    const char *file;
    int line;
} wasm_source;

struct wasm_program;
struct wasm_dir_conf;

/* What a child has to have before it serves: a program's module as it is, or a snapshot of it. */
typedef struct wasm_code {
    const struct wasm_program *program;
    const struct wasm_dir_conf *section; /* whose snapshot it is; NULL: it is none */
    const struct wasm_dir_conf *given;   /* what that section is with the settings of its server: what the snapshot was made with */
    wrt_artifact *artifact;              /* parent: compiled code */
    const struct wasm_code *same;        /* an earlier one that has the same code, or NULL */
    wrt_module *module;                  /* child: loaded code; NULL when loading failed */
} wasm_code;

/* What is said once for each program after a start, by whichever child comes first. */
typedef enum wasm_notice {
    WASM_NOTICE_SCRIPT_ARG,
    WASM_NOTICE_SNAPSHOT,
    WASM_NOTICES
} wasm_notice;

/* One distinct module file. Sections that name the same file share it. */
typedef struct wasm_program {
    const char *path;       /* absolute */
    const char *name;       /* its last part: argv[0] of the program */
    wasm_source source;     /* the WasmModule that named it first */
    const char *digest;     /* expected sha256, or NULL */
    wasm_source digest_source;
    wasm_code code;
    apr_uint32_t *noticed; /* shared by all children: whether each wasm_notice was written */
} wasm_program;

typedef struct wasm_env {
    const char *name;  /* first: the key */
    const char *value;
} wasm_env;

typedef struct wasm_mount {
    const char *guest; /* first: the key; absolute, without a slash at the end except for "/" */
    const char *host;  /* the same */
    int read_only;
    const char *directive; /* that named it, and where: for the checks */
    wasm_source source;
} wasm_mount;

/* A scratch directory of each run's own. */
typedef struct wasm_tmp_dir {
    const char *guest; /* as that of a mount; NULL: Off */
    apr_int64_t size;
    wasm_source source;
} wasm_tmp_dir;

/* How the section that names the module is bound to URLs. */
typedef enum wasm_binding {
    WASM_BOUND_TO_FILES,   /* <Directory>, <Files> */
    WASM_BOUND_TO_URLS,    /* <LocationMatch>, or no section at all: no fixed script name */
    WASM_BOUND_TO_LOCATION /* <Location /path>: the path is the script name */
} wasm_binding;

/* Settings of a section, or of sections merged. Unset: NULL. */
typedef struct wasm_dir_conf {
    wasm_program *program;
    wasm_binding binding;        /* goes with program */
    const char *location;        /* goes with program; "" for <Location /> */
    const char *entry_point;
    apr_array_header_t *args;    /* const char * */
    apr_array_header_t *env;     /* wasm_env, each name once */
    apr_array_header_t *mounts;  /* wasm_mount, each guest path once */
    apr_array_header_t *preinit_env; /* wasm_env, each name once */
    const wasm_code *snapshot;   /* goes with program; NULL: none */
    int mounts_merged;           /* whether they are of several sections */
    const wasm_tmp_dir *tmp_dir;
    wasm_settings settings;

    /* Not merged: for the checks of this one section, and for the dump. */
    const ap_directive_t *first; /* of its directives; NULL: it has none, and is not registered */
    int is_whole_server;         /* it stands in no section */
    const server_rec *server;    /* the one that it stands in */
    const char *digest;
    wasm_source program_source;
    wasm_source entry_point_source;
    wasm_source digest_source;
    wasm_source *setting_sources; /* one for each wasm_setting */
} wasm_dir_conf;

/* Settings of the whole server (only the main server's are used), and what the sections registered. */
typedef struct wasm_server_conf {
    wasm_settings settings;
    const char *cache_dir;
    wasm_source cache_dir_source;
    const char *scratch_dir;      /* NULL: the default, as is the total then */
    apr_int64_t scratch_total;
    wasm_source scratch_dir_source;
    apr_int64_t file_limit;       /* child: what WasmFileLimit can be at the most */
    wrt_mount_table *mounts;      /* those of all sections */
    apr_array_header_t *programs; /* wasm_program * */
    apr_array_header_t *codes;    /* wasm_code *: of programs and snapshots, once they are examined */
    apr_array_header_t *sections; /* wasm_dir_conf * */
} wasm_server_conf;

#define WASM_DEFAULT_ENTRY_POINT "_start"
#define WASM_DEFAULT_CACHE_DIR   "/var/cache/apache2/mod_wasm"
#define WASM_DEFAULT_SCRATCH_DIR   "/var/cache/apache2/mod_wasm-scratch"
#define WASM_DEFAULT_SCRATCH_TOTAL "4G"
#define WASM_DEFAULT_TMP_SIZE      "64M"

void *wasm_create_dir_conf(apr_pool_t *pool, char *section);
void *wasm_merge_dir_conf(apr_pool_t *pool, void *outer, void *inner);
void *wasm_create_server_conf(apr_pool_t *pool, server_rec *s);

/* Adds a wasm_env or wasm_mount to a list of these, or replaces the one of the same key: their first field. */
void wasm_set_entry(apr_array_header_t *list, const void *entry);

/* The entry of this key; NULL: there is none, or no list. */
void *wasm_find_entry(const apr_array_header_t *list, const char *key);

/* The main server's settings. */
wasm_server_conf *wasm_main_conf(void);

/* At start, for a registered section: what each request to it finds, whatever other sections add; and where a setting stands that it goes
 * by, in it or in the configuration of its server (file is NULL: nowhere). */
const wasm_dir_conf *wasm_section_in_server(apr_pool_t *pool, const wasm_dir_conf *section);
wasm_source wasm_setting_source(const wasm_dir_conf *section, wasm_setting setting);

/* Settings with the defaults filled in. */
static inline const char *wasm_entry_point(const wasm_dir_conf *conf)
{
    return conf->entry_point ? conf->entry_point : WASM_DEFAULT_ENTRY_POINT;
}

static inline const char *wasm_cache_dir(const wasm_server_conf *server)
{
    return server->cache_dir ? server->cache_dir : WASM_DEFAULT_CACHE_DIR;
}

/* NULL: the section has none. */
static inline const wasm_tmp_dir *wasm_tmp_dir_of(const wasm_dir_conf *conf)
{
    return conf->tmp_dir && conf->tmp_dir->guest ? conf->tmp_dir : NULL;
}

/* Its guest path, or NULL. */
static inline const char *wasm_tmp_dir_guest(const wasm_dir_conf *conf)
{
    return wasm_tmp_dir_of(conf) ? conf->tmp_dir->guest : NULL;
}

/* Whether the program finds this directory at its path: a scratch directory of the same path takes its place. */
static inline int wasm_mount_is_seen(const wasm_dir_conf *conf, const wasm_mount *mount)
{
    return !wasm_tmp_dir_of(conf) || strcmp(conf->tmp_dir->guest, mount->guest);
}

static inline apr_int64_t wasm_setting_of(const wasm_dir_conf *conf, wasm_setting setting)
{
    return wasm_settings_get(&conf->settings, setting);
}

#endif
