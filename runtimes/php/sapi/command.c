/* A command line: a small php(1), for scripts, one-liners and questions. */
#include "sapi.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ext/standard/info.h"
#include "fopen_wrappers.h"
#include "php_main.h"
#include "zend_extensions.h"

static const char usage[] =
    "Usage: php [-n] [-c PATH] [-d NAME=VALUE]... [-f] FILE [--] [ARGUMENT]...\n"
    "       php [OPTION]... -r CODE [--] [ARGUMENT]...\n"
    "       php [OPTION]... < FILE\n"
    "\n"
    "  -c PATH        php.ini, or its folder\n"
    "  -d NAME=VALUE  one setting, above those of php.ini\n"
    "  -n             without php.ini\n"
    "  -q             nothing: headers are never shown here\n"
    "  -i             phpinfo()\n"
    "  -l             is the syntax of FILE right?\n"
    "  -m             extensions\n"
    "  -v             version\n"
    "\n"
    "  " RECORD_WARM " LIST  adds the scripts that the run includes to this list, or to warm.list in this folder: for PHP_WARM\n";

static const char nameless[] = "Standard input code";

typedef struct {
    char mode; /* what to do: f(ile), r(un), i, l, m, v, h */
    const char *subject;
    int rest; /* index of the first argument of the script */
} order;

enum { RECORD = 1 << CHAR_BIT }; /* an option without a letter */

static int option_of(const char *argument)
{
    if (argument[1] != '-')
        return argument[1];
    if (!strcmp(argument, RECORD_WARM))
        return RECORD;
    return !strcmp(argument, "--version") ? 'v' : !strcmp(argument, "--help") ? 'h' : '?';
}

static bool takes_value(int option)
{
    return option == RECORD || strchr("cdfr", option);
}

/* Reads one option with its value; false for one that there is not. */
static bool take_option(order *order, int option, char *value)
{
    switch (option) {
    case RECORD:
        record_scripts_in(value);
        return true;
    case 'c':
        wasi_sapi_module.php_ini_path_override = value;
        return true;
    case 'd':
        add_ini_entry(value);
        return true;
    case 'n':
        ignore_ini_files();
        return true;
    case 'q':
        return true;
    case 'f':
        order->subject = value;
        return true;
    case 'r':
        order->subject = value;
        /* fall through */
    case 'l':
    case 'i':
    case 'm':
    case 'v':
    case 'h':
        order->mode = option;
        return true;
    default:
        return false;
    }
}

static bool refuse(int place, const char *argument, const char *cause)
{
    fprintf(stderr, "Error in argument %d: %s %s\n", place, cause, argument);
    return false;
}

static bool reads_file(const order *order)
{
    return order->mode == 'f' || order->mode == 'l';
}

static bool take_order(order *order, int count, char **arguments)
{
    int i = 1;

    while (i < count && arguments[i][0] == '-' && arguments[i][1]) {
        char *argument = arguments[i++], *value = NULL;
        int option = option_of(argument);
        if (!strcmp(argument, "--"))
            break;
        if (takes_value(option)) {
            value = option != RECORD && argument[2] ? argument + 2 : i < count ? arguments[i++] : NULL;
            if (!value)
                return refuse(i - 1, argument, "no argument for option");
        }
        if (!take_option(order, option, value))
            return refuse(i - 1, argument, "option not found");
    }
    if (reads_file(order) && !order->subject && i < count && strcmp(arguments[i - 1], "--"))
        order->subject = arguments[i++];
    order->rest = i;
    return true;
}

/* STDIN, STDOUT and STDERR, as native PHP has them on a command line. */
static void register_stream(const char *name, const char *path, const char *mode)
{
    php_stream *stream = php_stream_open_wrapper(path, mode, 0, NULL);
    zend_constant constant;

    if (!stream)
        return;
    stream->flags |= PHP_STREAM_FLAG_NO_CLOSE | PHP_STREAM_FLAG_NO_RSCR_DTOR_CLOSE;
    php_stream_to_zval(stream, &constant.value);
    ZEND_CONSTANT_SET_FLAGS(&constant, 0, 0);
    constant.name = zend_string_init_interned(name, strlen(name), 0);
    zend_register_constant(&constant);
}

static void register_streams(void)
{
    register_stream("STDIN", "php://stdin", "rb");
    register_stream("STDOUT", "php://stdout", "wb");
    register_stream("STDERR", "php://stderr", "wb");
}

static void show_version(void)
{
    php_printf("PHP %s (%s) (WebAssembly, WASI)\nCopyright (c) The PHP Group\n%s", PHP_VERSION, wasi_sapi_module.name, get_zend_version());
}

static int compare_names(Bucket *one, Bucket *other)
{
    return strcasecmp(((zend_module_entry *)Z_PTR(one->val))->name, ((zend_module_entry *)Z_PTR(other->val))->name);
}

static void show_extension(zend_extension *extension)
{
    php_printf("%s\n", extension->name);
}

static void show_modules(void)
{
    HashTable sorted;
    zend_module_entry *module;

    zend_hash_init(&sorted, 0, NULL, NULL, 0);
    zend_hash_copy(&sorted, &module_registry, NULL);
    zend_hash_sort(&sorted, compare_names, 0);
    php_printf("[PHP Modules]\n");
    ZEND_HASH_FOREACH_PTR(&sorted, module) {
        php_printf("%s\n", module->name);
    } ZEND_HASH_FOREACH_END();
    zend_hash_destroy(&sorted);
    php_printf("\n[Zend Modules]\n");
    zend_llist_apply(&zend_extensions, (llist_apply_func_t)show_extension);
}

static int run_code(const char *code)
{
    PG(during_request_startup) = false;
    zend_first_try {
        zend_eval_string_ex(code, NULL, "Command line code", 1);
    } zend_end_try();
    return EG(exit_status);
}

static int check_syntax(const char *path)
{
    zend_file_handle file;
    zend_result right;

    if (path)
        zend_stream_init_filename(&file, path);
    else
        zend_stream_init_fp(&file, stdin, nameless);
    right = php_lint_script(&file);
    zend_destroy_file_handle(&file);
    php_printf(right == SUCCESS ? "No syntax errors detected in %s\n" : "Errors parsing %s\n", path ? path : nameless);
    return right == SUCCESS ? 0 : 255;
}

/* A relative path is one before PHP goes into the folder of the script. */
static int run_file(const char *path)
{
    char *whole;
    int status;

    if (!path)
        return run_script(nameless, stdin);
    whole = expand_filepath(path, NULL);
    status = run_script(whole, fopen(whole, "rb"));
    efree(whole);
    return status;
}

static int follow(const order *order)
{
    switch (order->mode) {
    case 'i':
        zend_first_try {
            php_print_info(0xFFFFFFFF);
        } zend_end_try();
        return 0;
    case 'l':
        return check_syntax(order->subject);
    case 'm':
        show_modules();
        return 0;
    case 'v':
        show_version();
        return 0;
    case 'r':
        return run_code(order->subject);
    default:
        return run_file(order->subject);
    }
}

/* $argv is the script and what follows it. */
static void pass_arguments(const order *order, int count, char **arguments)
{
    char **passed = malloc((count - order->rest + 2) * sizeof *passed);
    int passed_count = 1;

    passed[0] = (char *)(reads_file(order) && order->subject ? order->subject : nameless);
    for (int i = order->rest; i < count; i++)
        passed[passed_count++] = arguments[i];
    SG(request_info).argc = passed_count;
    SG(request_info).argv = passed;
    SG(request_info).path_translated = order->subject && reads_file(order) ? estrdup(order->subject) : NULL;
}

/* As native PHP: a script may set headers until it writes, and nobody sees them, headers_list() included. */
static int drop_header(sapi_header_struct *header, sapi_header_op_enum operation, sapi_headers_struct *headers)
{
    return 0;
}

static int drop_headers(sapi_headers_struct *headers)
{
    return SAPI_HEADER_SENT_SUCCESSFULLY;
}

int run_command(int count, char **arguments)
{
    order order = {.mode = 'f'};
    int status = 255;

    name_sapi(true);
    wasi_sapi_module.header_handler = drop_header;
    wasi_sapi_module.send_headers = drop_headers;
    if (!take_order(&order, count, arguments) || order.mode == 'h') {
        fputs(usage, order.mode == 'h' ? stdout : stderr);
        return order.mode == 'h' ? 0 : 1;
    }
    if (reads_file(&order) && order.subject && access(order.subject, R_OK)) {
        fprintf(stderr, "Could not open input file: %s\n", order.subject);
        return 1;
    }
    if (!(php_is_started() ? become_command() : start_php()))
        return exit_status(status);
    pass_arguments(&order, count, arguments);
    if (begin_script()) {
        register_streams();
        zend_is_auto_global(ZSTR_KNOWN(ZEND_STR_AUTOGLOBAL_SERVER)); /* natively a part of $GLOBALS from the start */
        status = follow(&order);
    }
    status = end_script(status);
    stop_php();
    return status;
}
