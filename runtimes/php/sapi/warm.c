/* PHP_WARM: scripts that are in OPcache when the snapshot is taken, so that no request compiles them. */
#include "sapi.h"

#include <stdlib.h>

#include "ZendAccelerator.h"
#include "zend_shared_alloc.h"
#include "php_main.h"
#include "zend_exceptions.h"

/* One expression, whose value is the list of scripts. */
static const char names[] = {
#embed "warm.php"
    , 0};

#define OPENING "<?php"

bool is_to_be_warmed(void)
{
    return getenv("PHP_WARM") != NULL;
}

/* Whatever the script declares is forgotten again: others may declare the same names, and each request includes but some of them. */
static bool compile(zend_string *path)
{
    uint32_t functions = EG(function_table)->nNumUsed, classes = EG(class_table)->nNumUsed, options = CG(compiler_options);
    zend_op_array *volatile code = NULL;
    zend_file_handle file;

    zend_stream_init_filename_ex(&file, path);
    CG(compiler_options) |= ZEND_COMPILE_WITHOUT_EXECUTION;
    zend_try {
        code = zend_compile_file(&file, ZEND_INCLUDE);
    } zend_end_try();
    CG(compiler_options) = options;
    CG(unclean_shutdown) = 0;
    if (EG(exception))
        zend_clear_exception();
    zend_hash_discard(EG(function_table), functions);
    zend_hash_discard(EG(class_table), classes);
    zend_destroy_file_handle(&file);
    return code && zend_accel_hash_find(&ZCSG(hash), path);
}

/* The first one that fails is named: the others often fail for the same reason. */
static void compile_all(HashTable *scripts)
{
    uint32_t failed = 0;
    zval *path, *first = NULL;

    EG(error_reporting) = 0; /* what is deprecated is told by whoever looks for it, with php -l */
    ZEND_HASH_FOREACH_VAL(scripts, path) {
        if (compile(Z_STR_P(path)))
            continue;
        failed++;
        first = first ? first : path;
    } ZEND_HASH_FOREACH_END();
    if (ZSMMG(memory_exhausted) || ZCSG(restart_pending))
        fprintf(stderr, "PHP_WARM: not all scripts fit: raise opcache.memory_consumption (" ZEND_LONG_FMT " MB)\n", ZCG(accel_directives).memory_consumption >> 20);
    if (failed)
        fprintf(stderr, "PHP_WARM: %u of %u scripts are not compiled, %s first\n", failed, zend_hash_num_elements(scripts), Z_STRVAL_P(first));
}

void warm_cache(void)
{
    zval scripts;

    if (!is_to_be_warmed())
        return;
    ZVAL_UNDEF(&scripts);
    if (begin_script()) {
        SG(request_info).no_headers = true;
        zend_first_try {
            zend_eval_string((char *)names + sizeof OPENING - 1, &scripts, (char *)"PHP_WARM");
            if (Z_TYPE(scripts) == IS_ARRAY)
                compile_all(Z_ARRVAL(scripts));
        } zend_end_try();
    }
    end_script(0);
}
