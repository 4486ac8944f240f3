/* Starts PHP: php.ini and its folder are read, extensions set up. It happens once, before the snapshot where there is one. */
#include "sapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../shims/sqlite.h"
#include "php_ini.h"
#include "php_main.h"
#include "zend_extensions.h"
#include "zend_ini_scanner.h"

extern zend_extension zend_extension_entry; /* OPcache */

static bool started;
static char *ini_entries;

/*
 * What differs from PHP's own defaults: fibers' stacks, which nothing uses (shims/fibers.c) and which cannot be smaller; OPcache, whose memory each
 * sandbox has to itself, so that its optimiser costs more than it saves; and the part of the stack that recursion may use. The engine keeps another
 * stack beside it, of 4 MiB as a rule, which nobody can measure from inside. Where calls of PHP nest through functions in C, that one ends when this one has used about 2.8 MiB. Where it ends
 * first, exhausted.c has the last word.
 */
static const char *const defaults[][2] = {
    {"fiber.stack_size", "131072"},
    {"opcache.file_update_protection", "0"},
    {"opcache.memory_consumption", "32"},
    {"zend.max_allowed_stack_size", "2097152"},
};

static const char *const line_defaults[][2] = {
    {"display_errors", "1"},
    {"html_errors", "0"},
    {"implicit_flush", "1"},
    {"max_execution_time", "0"},
    {"max_input_time", "-1"},
    {"output_buffering", "0"},
};

static void set_default(HashTable *configuration, const char *name, const char *value)
{
    zval entry;

    ZVAL_NEW_STR(&entry, zend_string_init(value, strlen(value), 1));
    zend_hash_str_update(configuration, name, strlen(name), &entry);
}

static void set_defaults(HashTable *configuration)
{
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        set_default(configuration, defaults[i][0], defaults[i][1]);
    set_default(configuration, "opcache.enable", is_to_be_warmed() ? "1" : "0");
    if (wasi_sapi_module.phpinfo_as_text) {
        for (size_t i = 0; i < sizeof line_defaults / sizeof *line_defaults; i++)
            set_default(configuration, line_defaults[i][0], line_defaults[i][1]);
    }
    zend_register_extension(&zend_extension_entry, NULL);
}

/* `entry` is "name=value", or "name" for 1; a line of php.ini that counts more than those of the files. */
void add_ini_entry(const char *entry)
{
    size_t before = ini_entries ? strlen(ini_entries) : 0, length = strlen(entry);
    const char *value = strchr(entry, '=');
    bool bare = value && value[1] && value[1] != '"' && !isalnum((unsigned char)value[1]);

    ini_entries = realloc(ini_entries, before + length + sizeof "=\"\"\n");
    if (!value)
        sprintf(ini_entries + before, "%s=1\n", entry);
    else if (bare)
        sprintf(ini_entries + before, "%.*s\"%s\"\n", (int)(value + 1 - entry), entry, value + 1);
    else
        sprintf(ini_entries + before, "%s\n", entry);
}

void ignore_ini_files(void)
{
    wasi_sapi_module.php_ini_ignore = 1;
}

bool php_is_started(void)
{
    return started;
}

static void change_setting(const char *name, size_t name_length, const char *value, size_t length)
{
    zend_string *key = zend_string_init(name, name_length, 0);

    zend_alter_ini_entry_chars(key, value, length, ZEND_INI_SYSTEM, ZEND_INI_STAGE_STARTUP);
    zend_string_release(key);
}

static void change_by_entry(zval *name, zval *value, zval *index, int kind, void *context)
{
    if (kind == ZEND_INI_PARSER_ENTRY && value)
        change_setting(Z_STRVAL_P(name), Z_STRLEN_P(name), Z_STRVAL_P(value), Z_STRLEN_P(value));
}

/* PHP has a copy of what was known at the start. Between requests its table of strings takes none. */
static void name_sapi_again(void)
{
    zval *constant = zend_get_constant_str("PHP_SAPI", strlen("PHP_SAPI"));
    zend_string *name = zend_string_init(wasi_sapi_module.name, strlen(wasi_sapi_module.name), true);

    sapi_module.name = wasi_sapi_module.name;
    sapi_module.phpinfo_as_text = wasi_sapi_module.phpinfo_as_text;
    sapi_module.send_headers = wasi_sapi_module.send_headers;
    zend_string_hash_val(name);
    GC_ADD_FLAGS(name, IS_STR_INTERNED | IS_STR_PERMANENT);
    ZVAL_INTERNED_STR(constant, name);
}

bool become_command(void)
{
    if (worker_is_frozen()) {
        fputs("php: a worker was booted, which answers requests only. Take --entry-point _start\n", stderr);
        return false;
    }
    if (wasi_sapi_module.php_ini_ignore || wasi_sapi_module.php_ini_path_override) {
        fputs("php: -c and -n come too late: this PHP was started before. Take --entry-point _start\n", stderr);
        return false;
    }
    name_sapi_again();
    for (size_t i = 0; i < sizeof line_defaults / sizeof *line_defaults; i++)
        change_setting(line_defaults[i][0], strlen(line_defaults[i][0]), line_defaults[i][1], strlen(line_defaults[i][1]));
    if (ini_entries)
        zend_parse_ini_string(ini_entries, true, ZEND_INI_SCANNER_NORMAL, change_by_entry, NULL);
    return true;
}

bool start_php(void)
{
    zend_signal_startup();
    count_memory_of_sqlite();
    give_sqlite_the_host();
    sapi_startup(&wasi_sapi_module);
    wasi_sapi_module.ini_defaults = set_defaults;
    wasi_sapi_module.ini_entries = ini_entries;
    started = wasi_sapi_module.startup(&wasi_sapi_module) == SUCCESS;
    fflush(stdout); /* what PHP says of php.ini comes first, and not with each request from a snapshot */
    if (started)
        watch_deadline();
    else
        fputs("PHP does not start\n", stderr);
    return started;
}

void stop_php(void)
{
    php_module_shutdown();
    sapi_shutdown();
}
