#include "wasm_child.h"

#include <pthread.h>
#include <signal.h>

#include "ap_mpm.h"

#include "wasm_artifacts.h"
#include "wasm_codes.h"
#include "wasm_config.h"
#include "wasm_descriptors.h"
#include "wasm_scratch.h"
#include "wasm_stack.h"

/* Written once, before this child has any thread of its own. Not freed: prefork destroys its pools inside a signal handler, and the
 * process is about to end anyway. */
static wrt_engine *engine;

static uint32_t threads_of_a_child(void)
{
    int threads;

    return ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) == APR_SUCCESS && threads > 0 ? (uint32_t)threads : 1;
}

static uint32_t max_instances(const wasm_server_conf *server, uint32_t threads)
{
    apr_int64_t given = wasm_settings_get(&server->settings, WASM_SETTING_MAX_INSTANCES);

    if (given != WASM_UNSET) {
        return (uint32_t)given;
    }
    /* The rest stays free for static files while programs are slow. */
    return threads < 4 ? threads : threads * 3 / 4;
}

static void log_failure(server_rec *s, const char *code, const char *what, wrt_error *error)
{
    wrt_str message = wrt_error_message(error);

    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "%s: %s: %.*s", code, what, (int)message.len, message.data);
    wrt_error_free(error);
}

static wrt_error *start_engine(apr_pool_t *pool, const wasm_server_conf *server, uint32_t runs)
{
    apr_array_header_t *artifacts = wasm_artifacts_of(pool, server);
    wrt_engine_options options = {
        .struct_size = sizeof options,
        .max_instances = runs,
        .thread_stack_size = wasm_stack_size(),
        .mount_table = server->mounts,
        .artifacts = (const wrt_artifact *const *)artifacts->elts,
        .artifacts_len = (size_t)artifacts->nelts,
        .scratch_count = wasm_scratch_count(server),
    };

    options.scratch_dir = wasm_str(options.scratch_count ? wasm_scratch_dir(server) : NULL);
    return wrt_engine_new(&options, &engine);
}

static void load_modules(server_rec *s, const wasm_server_conf *server)
{
    int i;

    for (i = 0; i < server->codes->nelts; i++) {
        wasm_code *code = APR_ARRAY_IDX(server->codes, i, wasm_code *);
        wrt_error *error;

        if (code->same) {
            code->module = code->same->module;
            continue;
        }
        error = wrt_module_new(engine, code->artifact, &code->module);
        if (error) {
            log_failure(s, WASM_CODE_CHILD_MODULE, code->program->path, error);
        }
    }
}

static void start(apr_pool_t *pool, server_rec *s, wasm_server_conf *server)
{
    uint32_t threads = threads_of_a_child(), runs = max_instances(server, threads);
    wrt_error *error = start_engine(pool, server, runs);
    wrt_str warning, note;

    if (error) {
        log_failure(s, WASM_CODE_CHILD_ENGINE, "cannot run WebAssembly in this child", error);
        return;
    }
    warning = wrt_engine_warning(engine);
    if (warning.len) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, WASM_CODE_CHILD_WARNING ": %.*s", (int)warning.len, warning.data);
    }
    note = wrt_engine_note(engine);
    if (note.len) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, WASM_CODE_CHILD_NOTE ": %.*s", (int)note.len, note.data);
    }
    server->file_limit = wasm_descriptors_for_each(s, server, threads, runs);
    load_modules(s, server);
}

/* Threads inherit the signal mask. The library's own threads must not be the ones that httpd's signal handlers run on. */
void wasm_child_init(apr_pool_t *pchild, server_rec *s)
{
    wasm_server_conf *server = wasm_main_conf();
    sigset_t all, before;

    if (!server->programs->nelts) {
        return;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    start(pchild, s, server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* A graceful stop lets requests finish; otherwise a program in a long computation would keep the child from leaving. */
void wasm_child_stopping(apr_pool_t *pchild, int graceful)
{
    (void)pchild;
    if (engine && !graceful) {
        wrt_engine_stop(engine);
    }
}
