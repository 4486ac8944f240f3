/*
 * What a worker's request has to itself, though the application was frozen in the middle of another one: php_request_startup() with what makes
 * compiler, executor and extensions anew left out.
 */
#include "sapi.h"

#include <stdlib.h>

#include "ZendAccelerator.h"
#include "ext/standard/basic_functions.h"
#include "ext/standard/head.h"
#include "php_main.h"
#include "php_variables.h"

/* Extensions with a state for each request, and none that an application sets up. */
static const char *const modules[] = {"filter", "session", "random"};
#define MODULES (sizeof modules / sizeof *modules)

static zend_module_entry *module_of(size_t index)
{
    return zend_hash_str_find_ptr(&module_registry, modules[index], strlen(modules[index]));
}

void end_modules(void)
{
    for (size_t i = 0; i < MODULES; i++) {
        zend_module_entry *module = module_of(i);
        if (module && module->request_shutdown_func)
            module->request_shutdown_func(module->type, module->module_number);
    }
}

static void begin_modules(void)
{
    for (size_t i = 0; i < MODULES; i++) {
        zend_module_entry *module = module_of(i);
        if (module && module->request_startup_func)
            module->request_startup_func(module->type, module->module_number);
    }
}

static void forget_boot(void)
{
    PG(in_error_log) = 0;
    PG(header_is_being_sent) = 0;
    PG(connection_status) = PHP_CONNECTION_NORMAL;
    EG(exit_status) = 0;
    zend_atomic_bool_store_ex(&EG(timed_out), false);
    CG(unclean_shutdown) = 0;
    php_clear_stat_cache(0, NULL, 0);
}

static void begin_output(void)
{
    zval handler;

    if (PG(expose_php))
        sapi_add_header(SAPI_PHP_VERSION_HEADER, sizeof SAPI_PHP_VERSION_HEADER - 1, 1);
    if (PG(output_handler) && *PG(output_handler)) {
        ZVAL_STRING(&handler, PG(output_handler));
        php_output_start_user(&handler, 0, PHP_OUTPUT_HANDLER_STDFLAGS);
        zval_ptr_dtor(&handler);
    } else if (PG(output_buffering)) {
        php_output_start_user(NULL, PG(output_buffering) > 1 ? PG(output_buffering) : 0, PHP_OUTPUT_HANDLER_STDFLAGS);
    }
}

static zval *superglobal_env(void)
{
    return zend_hash_find(&EG(symbol_table), ZSTR_KNOWN(ZEND_STR_AUTOGLOBAL_ENV));
}

/* Frameworks read a .env file while they boot, and rely on it in each request. What the request itself says comes first. */
static void keep_env(const zval *of_boot)
{
    zval *env = superglobal_env();

    if (!env || Z_TYPE_P(of_boot) != IS_ARRAY)
        return;
    SEPARATE_ARRAY(env);
    zend_hash_merge(Z_ARRVAL_P(env), Z_ARRVAL_P(of_boot), zval_add_ref, false);
}

/* The same of putenv(). An entry of PHP's table begins with what the C library was given. */
static void keep_environment(void)
{
    zend_string *name;
    char **entry;

    ZEND_HASH_FOREACH_STR_KEY_PTR(&BG(putenv_ht), name, entry) {
        if (strchr(*entry, '=') && !getenv(ZSTR_VAL(name)))
            putenv(*entry);
    } ZEND_HASH_FOREACH_END();
}

/* Scripts were compiled before, so these are made whether one names them or not. */
static void make_superglobals(void)
{
    zval env_of_boot, *env = superglobal_env();

    ZVAL_UNDEF(&env_of_boot);
    if (env)
        ZVAL_COPY(&env_of_boot, env);
    for (int i = 0; i < NUM_TRACK_VARS; i++) {
        zval_ptr_dtor(&PG(http_globals)[i]);
        ZVAL_UNDEF(&PG(http_globals)[i]);
    }
    php_hash_environment();
    zend_is_auto_global(ZSTR_KNOWN(ZEND_STR_AUTOGLOBAL_SERVER));
    zend_is_auto_global(ZSTR_KNOWN(ZEND_STR_AUTOGLOBAL_ENV));
    zend_is_auto_global(ZSTR_KNOWN(ZEND_STR_AUTOGLOBAL_REQUEST));
    keep_env(&env_of_boot);
    zval_ptr_dtor(&env_of_boot);
}

void begin_request_of_worker(const char *script)
{
    forget_boot();
    php_output_activate();
    describe_request(script);
    sapi_activate();
    SG(sapi_headers).http_response_code = 200;
    zend_set_timeout(PG(max_input_time) == -1 ? EG(timeout_seconds) : PG(max_input_time), 1);
    begin_output();
    ZCG(request_time) = sapi_get_request_time(); /* by which it looks at files again */
    make_superglobals();
    keep_environment();
    begin_modules();
    SG(sapi_started) = 1;
    zend_set_timeout(EG(timeout_seconds), 0);
}
