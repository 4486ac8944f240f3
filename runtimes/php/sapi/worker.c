/*
 * A worker: a script that boots an application and then calls mod_wasm_handle_request(callable). Where PHP_WORKER names it, it runs up to that call while
 * the snapshot is taken. Each request goes on from there: the callable is called, then what follows the call; the next call answers false.
 *
 * PHP's frames lie in PHP's own memory, so only the C stack has to be left at the call, by longjmp and without any shutdown. Nothing but scripts may
 * lie between the call and the main script for that.
 */
#include "sapi.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "php_main.h"
#include "zend_exceptions.h"

#define WORKER_CALL "mod_wasm_handle_request()"

static enum { ORDINARY, BOOTING, FROZEN, SERVING } phase;

static jmp_buf begin_of_boot;
static zend_execute_data *frozen_call;
static zval handler;
static bool logs_errors; /* in requests; what ends the boot is logged in any case */

bool worker_is_frozen(void)
{
    return phase == FROZEN;
}

/* ---- the freezing point ---- */

static bool is_script(const zend_execute_data *call)
{
    return call->func && ZEND_USER_CODE(call->func->type);
}

static bool can_be_left(const zend_execute_data *call)
{
    while ((call = call->prev_execute_data)) {
        const zend_execute_data *caller = call->prev_execute_data;
        if (!is_script(call)) {
            zend_throw_error(NULL, WORKER_CALL " is called below %s(), which is no script", call->func && call->func->common.function_name ? ZSTR_VAL(call->func->common.function_name) : "a function");
            return false;
        }
        if ((ZEND_CALL_INFO(call) & ZEND_CALL_TOP) && caller && is_script(caller)) {
            zend_throw_error(NULL, WORKER_CALL " is called below a callback of PHP's own");
            return false;
        }
    }
    return true;
}

static bool refuse_open(const char *kind, const char *name)
{
    zend_throw_error(NULL, WORKER_CALL " is called with %s %s open, which no request could use: close it before, open it in the callable", kind, name);
    return false;
}

static bool no_file_is_open(void)
{
    zend_resource *resource;

    ZEND_HASH_FOREACH_PTR(&EG(regular_list), resource) {
        const php_stream *stream = resource && resource->type == php_file_le_stream() ? resource->ptr : NULL;
        if (stream)
            return stream->orig_path ? refuse_open("the file", stream->orig_path) : refuse_open("a nameless stream of type", stream->ops->label);
    } ZEND_HASH_FOREACH_END();
    return true;
}

/* Extensions keep these apart from resources. */
static bool no_database_is_open(void)
{
    static const char *const classes[] = {"pdo", "sqlite3"};

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        zend_class_entry *class = zend_hash_str_find_ptr(CG(class_table), classes[i], strlen(classes[i]));
        for (uint32_t handle = 1; class && handle < EG(objects_store).top; handle++) {
            zend_object *object = EG(objects_store).object_buckets[handle];
            if (IS_OBJ_VALID(object) && instanceof_function(object->ce, class))
                return refuse_open("the database of an object of class", ZSTR_VAL(object->ce->name));
        }
    }
    return true;
}

PHP_FUNCTION(mod_wasm_handle_request)
{
    zend_fcall_info info;
    zend_fcall_info_cache cache;
    zval result;

    ZEND_PARSE_PARAMETERS_START(1, 1)
        Z_PARAM_FUNC(info, cache)
    ZEND_PARSE_PARAMETERS_END();
    if (phase == SERVING)
        RETURN_FALSE;
    if (phase == BOOTING) {
        close_script();
        if (!can_be_left(execute_data) || !no_file_is_open() || !no_database_is_open())
            RETURN_THROWS();
        ZVAL_COPY(&handler, ZEND_CALL_ARG(execute_data, 1));
        frozen_call = execute_data;
        phase = FROZEN;
        longjmp(begin_of_boot, 1);
    }
    /* A request of its own, without a snapshot. */
    phase = SERVING;
    info.retval = &result;
    if (zend_call_function(&info, &cache) == SUCCESS)
        zval_ptr_dtor(&result);
    RETURN_TRUE;
}

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_handle_request, 0, 1, _IS_BOOL, 0)
    ZEND_ARG_TYPE_INFO(0, callback, IS_CALLABLE, 0)
ZEND_END_ARG_INFO()

const zend_function_entry worker_functions[] = {
    PHP_FE(mod_wasm_handle_request, arginfo_handle_request)
    PHP_FALIAS(frankenphp_handle_request, mod_wasm_handle_request, arginfo_handle_request)
    PHP_FE_END
};

/* What of the boot belongs to no request. */
static void end_boot(void)
{
    PG(log_errors) = logs_errors;
    zend_first_try {
        php_output_discard_all();
        php_output_deactivate();
        end_modules();
        sapi_deactivate_destroy();
    } zend_end_try();
}

void boot_worker(void)
{
    const char *script = getenv("PHP_WORKER");
    JMP_BUF *bailout = EG(bailout);

    if (!script)
        return;
    phase = BOOTING;
    if (setjmp(begin_of_boot)) {
        EG(bailout) = bailout;
        end_boot();
        return;
    }
    SG(request_info).path_translated = estrdup(script);
    if (begin_script()) {
        logs_errors = PG(log_errors);
        PG(log_errors) = true;
        SG(request_info).no_headers = true;
        php_output_start_default();
        run_script(script, NULL);
    }
    fprintf(stderr, "PHP_WORKER: %s ends without a call of " WORKER_CALL "\n", script);
    abort();
}

/* ---- a request ---- */

/* As the virtual machine ends a call of a function: its result, its frame, and where the caller goes on. */
static zend_execute_data *complete_call(void)
{
    zend_execute_data *caller = frozen_call->prev_execute_data;
    const zend_op *line = caller->opline;

    if (line->result_type & (IS_VAR | IS_TMP_VAR))
        ZVAL_TRUE(ZEND_CALL_VAR(caller, line->result.var));
    zend_vm_stack_free_args(frozen_call);
    zend_vm_stack_free_call_frame(frozen_call);
    EG(current_execute_data) = caller;
    caller->opline = line + 1;
    if (EG(exception)) {
        EG(opline_before_exception) = line;
        caller->opline = EG(exception_op);
    }
    return caller;
}

/* As zend_execute_scripts() does behind a script. */
static void tell_exception(void)
{
    if (EG(exception) && Z_TYPE(EG(user_exception_handler)) != IS_UNDEF)
        zend_user_exception_handler();
    if (EG(exception))
        zend_exception_error(EG(exception), E_ERROR);
}

static void go_on(void)
{
    zval result;

    phase = SERVING;
    ZVAL_UNDEF(&result);
    if (call_user_function(NULL, NULL, &handler, &result, 0, NULL) == SUCCESS)
        zval_ptr_dtor(&result);
    execute_ex(complete_call());
    tell_exception();
}

int answer_by_worker(const char *script)
{
    zend_first_try {
        begin_request_of_worker(script);
        go_on();
    } zend_end_try();
    return end_script(EG(exit_status));
}
