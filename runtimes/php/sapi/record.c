/* PHP_RECORD_WARM, and --record-warm of a command line: a list to which each run adds the scripts that it included, for PHP_WARM. */
#include "sapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ext/standard/basic_functions.h"

#define VARIABLE "PHP_RECORD_WARM"
#define IN_FOLDER "/warm.list"

static const char *chosen;

void record_scripts_in(const char *list)
{
    chosen = list;
}

static const char *list_to_write(void)
{
    return chosen ? chosen : getenv(VARIABLE);
}

static FILE *open_list(const char *path)
{
    char *in_folder = NULL;
    struct stat found;
    FILE *list;

    if (!stat(path, &found) && S_ISDIR(found.st_mode))
        spprintf(&in_folder, 0, "%s" IN_FOLDER, path);
    list = fopen(in_folder ? in_folder : path, "a+");
    if (!list || flock(fileno(list), LOCK_EX)) {
        fprintf(stderr, "%s: %s cannot be written: %s\n", chosen ? RECORD_WARM : VARIABLE, in_folder ? in_folder : path, strerror(errno));
        if (list)
            fclose(list);
        list = NULL;
    }
    if (in_folder)
        efree(in_folder);
    return list;
}

/* The lines that others have written. */
static void read_lines(FILE *list, HashTable *lines)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    rewind(list);
    while ((length = getline(&line, &room, list)) > 0)
        zend_hash_str_add_empty_element(lines, line, line[length - 1] == '\n' ? length - 1 : length);
    free(line);
}

static void add_lines(FILE *list)
{
    HashTable lines;
    zend_string *script;

    zend_hash_init(&lines, 0, NULL, NULL, false);
    read_lines(list, &lines);
    fseek(list, 0, SEEK_END);
    ZEND_HASH_FOREACH_STR_KEY(&EG(included_files), script) {
        if (!strchr(ZSTR_VAL(script), '\n') && !zend_hash_exists(&lines, script))
            fprintf(list, "%s\n", ZSTR_VAL(script));
    } ZEND_HASH_FOREACH_END();
    zend_hash_destroy(&lines);
}

/* What is still to run of the script may include more, so it comes first. */
void record_scripts(void)
{
    const char *path = list_to_write();
    FILE *list;

    if (!path)
        return;
    php_call_shutdown_functions();
    php_free_shutdown_functions();
    list = open_list(path);
    if (!list)
        return;
    add_lines(list);
    fclose(list);
}
