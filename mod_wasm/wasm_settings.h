/*
 * The directives that take one value: the one table of their names, values, places, defaults and help texts.
 *
 * A new limit is one row here. It can be set, merged, read and reported from then on; what it does stands elsewhere.
 */
#ifndef WASM_SETTINGS_H
#define WASM_SETTINGS_H

#include "mod_wasm.h"

#include "wasm_names.h"
#include "wasm_values.h"

/* Where a setting may stand. WASM_SERVER: in the main server's configuration only. */
typedef enum wasm_scope {
    WASM_SECTION,
    WASM_SERVER
} wasm_scope;

/*  id                   directive                    parser                      scope          default   help */
#define WASM_SETTING_ROWS(ROW) \
    ROW(CGI,                 WASM_NAME_ENABLE_CGI,        wasm_parse_flag,            WASM_SECTION,  "Off", \
        "On: the program is a CGI program") \
    ROW(IGNORE_CLIENT_ABORT, WASM_NAME_IGNORE_CLIENT,     wasm_parse_flag,            WASM_SECTION,  "Off", \
        "On: the program runs to its end even when the client has gone") \
    ROW(MAP_FILE_NAMES,      WASM_NAME_MAP_FILE_NAMES,    wasm_parse_flag,            WASM_SECTION,  "Off", \
        "On: SCRIPT_FILENAME and the other path variables hold paths inside the program") \
    ROW(SCRIPT_ARG,          WASM_NAME_SCRIPT_ARG,        wasm_parse_flag,            WASM_SECTION,  "Off, with a notice in the log", \
        "On: the path of the script, inside the program, is the last argument") \
    ROW(TIMEOUT,             WASM_NAME_TIMEOUT,           wasm_parse_time_limit,      WASM_SECTION,  "60", \
        "how long one run may take, in seconds unless a unit follows") \
    ROW(CPU_LIMIT,           WASM_NAME_CPU_LIMIT,         wasm_parse_time_limit,      WASM_SECTION,  "30", \
        "processor time one run may use, in seconds unless a unit follows") \
    ROW(MEMORY_LIMIT,        WASM_NAME_MEMORY_LIMIT,      wasm_parse_memory,          WASM_SECTION,  "256M", \
        "linear memory one run may use") \
    ROW(OUTPUT_LIMIT,        WASM_NAME_OUTPUT_LIMIT,      wasm_parse_bytes_or_off,    WASM_SECTION,  "Off", \
        "bytes one run may write to its standard output") \
    ROW(ERROR_LIMIT,         WASM_NAME_ERROR_LIMIT,       wasm_parse_bytes_or_off,    WASM_SECTION,  "1M", \
        "bytes of the error log one run may fill") \
    ROW(WRITE_LIMIT,         WASM_NAME_WRITE_LIMIT,       wasm_parse_bytes_or_off,    WASM_SECTION,  "Off", \
        "bytes one run may write into its directories") \
    ROW(FILE_LIMIT,          WASM_NAME_FILE_LIMIT,        wasm_parse_file_limit,      WASM_SECTION,  "256", \
        "files and directories one run may have open") \
    ROW(ALLOW_SYMLINKS,      WASM_NAME_ALLOW_SYMLINKS,    wasm_parse_flag,            WASM_SECTION,  "Off", \
        "On: the program may make symbolic links") \
    ROW(PREINIT,             WASM_NAME_PREINIT,           wasm_parse_preinit,         WASM_SECTION,  "Auto", \
        "On: the program is started once, and each run begins from a snapshot; Auto: if it allows that") \
    ROW(PREINIT_TIMEOUT,     WASM_NAME_PREINIT_TIME,      wasm_parse_time_limit,      WASM_SECTION,  "60", \
        "how long starting it for a snapshot may take, in seconds unless a unit follows") \
    ROW(MAX_INSTANCES,       WASM_NAME_MAX_INSTANCES,     wasm_parse_count,           WASM_SERVER,   "three quarters of ThreadsPerChild", \
        "concurrent runs in a child") \
    ROW(QUEUE_TIMEOUT,       WASM_NAME_QUEUE_TIMEOUT,     wasm_parse_duration,        WASM_SERVER,   "5", \
        "how long a request waits for its turn, in seconds unless a unit follows")

#define WASM_SETTING_ID(id, directive, parser, scope, text, help) WASM_SETTING_##id,
typedef enum wasm_setting {
    WASM_SETTING_ROWS(WASM_SETTING_ID)
    WASM_SETTINGS
} wasm_setting;
#undef WASM_SETTING_ID

typedef struct wasm_setting_row {
    const char *directive;
    wasm_parser *parse;
    wasm_scope scope;
    const char *default_text; /* as an administrator would write it; what is no value is worked out where it is needed */
} wasm_setting_row;

extern const wasm_setting_row wasm_setting_rows[WASM_SETTINGS];

#define WASM_UNSET APR_INT64_C(-1)

/* One value for each setting: 1 or 0 for On or Off, a number, bytes (0 for Off), or microseconds. */
typedef struct wasm_settings {
    apr_int64_t values[WASM_SETTINGS];
} wasm_settings;

/* Works out the defaults; once, before anything else here. */
void wasm_settings_init(void);

void wasm_settings_clear(wasm_settings *settings);
void wasm_settings_merge(wasm_settings *outer, const wasm_settings *inner);

/* The value, or the default; WASM_UNSET where the default is no value. */
apr_int64_t wasm_settings_get(const wasm_settings *settings, wasm_setting setting);

#endif
