/* Settings for a script's folder: [HOST=] and [PATH=] of php.ini, and the files that user_ini.filename names, from the document root down. */
#include "sapi.h"

#include <stdlib.h>
#include <string.h>

#include "php_ini.h"

static void apply_host(void)
{
    const char *server = getenv("SERVER_NAME");
    char *host;

    if (!server || !php_ini_has_per_host_config())
        return;
    host = estrdup(server);
    zend_str_tolower(host, strlen(host));
    php_ini_activate_per_host_config(host, strlen(host));
    efree(host);
}

static void read_folder(HashTable *settings, char *path, size_t length)
{
    char next = path[length];

    path[length] = '\0';
    php_parse_user_ini_file(path, PG(user_ini_filename), settings);
    path[length] = next;
}

/* `folder` ends with a slash. Outside of the document root only its own file counts. */
static void apply_files(char *folder)
{
    const char *root = getenv("DOCUMENT_ROOT");
    size_t length = strlen(folder), root_length = root ? strlen(root) : 0;
    HashTable settings;

    zend_hash_init(&settings, 0, NULL, config_zval_dtor, 0);
    while (root_length && root[root_length - 1] == '/')
        root_length--;
    if (root && !strncmp(folder, root, root_length) && folder[root_length] == '/') {
        for (size_t i = root_length; i < length; i++) {
            if (folder[i] == '/')
                read_folder(&settings, folder, i + 1);
        }
    } else {
        read_folder(&settings, folder, length);
    }
    php_ini_activate_config(&settings, PHP_INI_PERDIR, PHP_INI_STAGE_HTACCESS);
    zend_hash_destroy(&settings);
}

int apply_user_ini(void)
{
    const char *script = SG(request_info).path_translated, *end = script ? strrchr(script, '/') : NULL;
    char *folder;

    if (!end || wasi_sapi_module.phpinfo_as_text)
        return SUCCESS;
    apply_host();
    folder = estrndup(script, end + 1 - script);
    if (php_ini_has_per_dir_config())
        php_ini_activate_per_dir_config(folder, strlen(folder));
    if (PG(user_ini_filename) && *PG(user_ini_filename))
        apply_files(folder);
    efree(folder);
    return SUCCESS;
}
