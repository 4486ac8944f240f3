/* Wrong use is an error with a message, never a crash, and leaves `out` alone. */
#include "check.h"

static int64_t take(void *context, const uint8_t *data, size_t len, bool flush, uint64_t timeout_ms)
{
    (void)context, (void)data, (void)len, (void)flush, (void)timeout_ms;
    return 0;
}

static void null_everywhere(void)
{
    wrt_error_free(NULL);
    wrt_artifact_store_free(NULL);
    wrt_artifact_store_trim(NULL);
    wrt_artifact_free(NULL);
    wrt_inspection_free(NULL);
    wrt_engine_stop(NULL);
    wrt_engine_free(NULL);
    wrt_module_free(NULL);
    wrt_run_free(NULL);
    wrt_mount_table_free(NULL);
    CHECK(wrt_error_message(NULL).len == 0);
    CHECK(wrt_error_get_index(NULL) == 0);
    CHECK(wrt_artifact_warning(NULL).len == 0);
    CHECK(wrt_artifact_snapshot_problem(NULL).len == 0);
    CHECK(wrt_artifact_snapshot_said(NULL).len == 0);
    CHECK(!wrt_artifact_has_snapshot(NULL));
    CHECK(!wrt_artifact_shares_code(NULL, NULL));
    CHECK(wrt_artifact_sha256(NULL).len == 0);
    CHECK(wrt_artifact_minimum_memory(NULL) == 0);
    CHECK(wrt_inspection_size(NULL) == 0);
    CHECK(wrt_inspection_sha256(NULL).len == 0);
    CHECK(wrt_inspection_code(NULL).len == 0);
    CHECK(wrt_inspection_reason(NULL).len == 0);
    CHECK(wrt_inspection_snapshot(NULL).len == 0);
    CHECK(wrt_inspection_snapshot_reason(NULL).len == 0);
    MUST_FAIL(wrt_inspection_new(str(""), str("/"), NULL, NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_inspection_new(str("/"), str(""), NULL, NULL), WRT_ERROR_INVALID_ARGUMENT);
    CHECK(wrt_engine_warning(NULL).len == 0);
    CHECK(wrt_engine_note(NULL).len == 0);
    MUST_FAIL(wrt_artifact_store_new(NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_artifact_examine(NULL, NULL, NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_artifact_compile(NULL, NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_artifact_check_entry_point(NULL, str("")), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_engine_new(NULL, NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_module_new(NULL, NULL, NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_mount_table_new(NULL, 0, NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_mount_table_new(NULL, 1, NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_mount_table_check(NULL, NULL, 0, NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_run_new(NULL, NULL, NULL), WRT_ERROR_INVALID_ARGUMENT);
    MUST_FAIL(wrt_run_execute(NULL, NULL), WRT_ERROR_INVALID_ARGUMENT);
}

static void wrong_preinit(wrt_artifact_store *store, char **argv, wrt_artifact **out)
{
    wrt_mount_table *table;
    wrt_preinit preinit = {.struct_size = sizeof preinit - 1};
    wrt_examine_options options = examine_options(argv);
    options.preinit = &preinit;
    MUST(wrt_mount_table_new(NULL, 0, &table));
    MUST_FAIL(wrt_artifact_examine(store, &options, out), WRT_ERROR_INVALID_ARGUMENT);
    preinit.struct_size++;
    MUST_FAIL(wrt_artifact_examine(store, &options, out), WRT_ERROR_INVALID_ARGUMENT);
    preinit.mount_table = table;
    preinit.mounts_len = 1;
    MUST_FAIL(wrt_artifact_examine(store, &options, out), WRT_ERROR_INVALID_ARGUMENT);
    preinit.mounts_len = 0;
    preinit.scratch = str("\xff");
    MUST_FAIL(wrt_artifact_examine(store, &options, out), WRT_ERROR_INVALID_ARGUMENT);
    preinit.scratch = str("");
    /* The guest has no initialiser. */
    preinit.required = true;
    MUST_FAIL(wrt_artifact_examine(store, &options, out), WRT_ERROR_PREINIT);
    wrt_mount_table_free(table);
}

static void wrong_preparation(char **argv)
{
    wrt_artifact_store *store;
    wrt_artifact *out = (wrt_artifact *)argv;
    wrt_examine_options options = examine_options(argv);
    MUST(wrt_artifact_store_new(&store));

    options.struct_size--;
    MUST_FAIL(wrt_artifact_examine(store, &options, &out), WRT_ERROR_INVALID_ARGUMENT);
    options = examine_options(argv);
    options.module_path = str("");
    MUST_FAIL(wrt_artifact_examine(store, &options, &out), WRT_ERROR_INVALID_ARGUMENT);
    options.module_path = str("/nowhere/guest.wasm");
    MUST_FAIL(wrt_artifact_examine(store, &options, &out), WRT_ERROR_IO);
    options.module_path = str(argv[0]);
    MUST_FAIL(wrt_artifact_examine(store, &options, &out), WRT_ERROR_MODULE);
    options.helper_path = str("/nowhere/helper");
    MUST_FAIL(wrt_artifact_examine(store, &options, &out), WRT_ERROR_COMPILE);
    options = examine_options(argv);
    options.digest = str("0000");
    MUST_FAIL(wrt_artifact_examine(store, &options, &out), WRT_ERROR_DIGEST);
    options.digest = str("\xff");
    MUST_FAIL(wrt_artifact_examine(store, &options, &out), WRT_ERROR_INVALID_ARGUMENT);
    wrong_preinit(store, argv, &out);

    CHECK(out == (wrt_artifact *)argv);
    wrt_artifact_store_free(store);
}

/* Examined, but not compiled. */
static void wrong_order(char **argv)
{
    wrt_artifact_store *store;
    wrt_artifact *artifact;
    wrt_engine *engine;
    wrt_module *module = NULL;
    wrt_examine_options options = examine_options(argv);
    options.cache_dir = str("");
    MUST(wrt_artifact_store_new(&store));
    MUST(wrt_artifact_examine(store, &options, &artifact));
    CHECK(wrt_artifact_get_origin(artifact) == WRT_ORIGIN_NONE);
    CHECK(wrt_artifact_warning(artifact).len == 0);
    MUST(wrt_artifact_check_entry_point(artifact, str("_start")));

    const wrt_artifact *artifacts[] = {artifact, NULL};
    wrt_engine_options engine_options = {
        .struct_size = sizeof engine_options,
        .artifacts = artifacts,
        .artifacts_len = 1,
        .max_instances = 1,
    };
    MUST(wrt_engine_new(&engine_options, &engine));
    MUST_FAIL(wrt_module_new(engine, artifact, &module), WRT_ERROR_INVALID_ARGUMENT);
    CHECK(module == NULL);

    wrt_compile_options compile_options = {
        .struct_size = sizeof compile_options,
        .artifacts = artifacts,
        .artifacts_len = 2,
    };
    MUST_FAIL(wrt_artifact_compile(store, &compile_options), WRT_ERROR_INVALID_ARGUMENT);
    compile_options.artifacts = NULL;
    MUST_FAIL(wrt_artifact_compile(store, &compile_options), WRT_ERROR_INVALID_ARGUMENT);
    compile_options.struct_size--;
    MUST_FAIL(wrt_artifact_compile(store, &compile_options), WRT_ERROR_INVALID_ARGUMENT);

    wrt_engine_stop(engine);
    wrt_engine_free(engine);
    wrt_artifact_free(artifact);
    wrt_artifact_store_free(store);
}

static void wrong_engine(void)
{
    wrt_engine *out = NULL;
    wrt_engine_options options = {.struct_size = sizeof options};
    MUST_FAIL(wrt_engine_new(&options, &out), WRT_ERROR_INVALID_ARGUMENT);
    options.max_instances = 1;
    options.thread_stack_size = WRT_STACK_NEEDED - 1;
    MUST_FAIL(wrt_engine_new(&options, &out), WRT_ERROR_ENGINE);
    options.thread_stack_size = 0;
    options.artifacts_len = 1;
    MUST_FAIL(wrt_engine_new(&options, &out), WRT_ERROR_INVALID_ARGUMENT);
    const wrt_artifact *none[] = {NULL};
    options.artifacts = none;
    MUST_FAIL(wrt_engine_new(&options, &out), WRT_ERROR_INVALID_ARGUMENT);
    options.artifacts_len = 0;
    options.scratch_dir = str("/nowhere");
    MUST_FAIL(wrt_engine_new(&options, &out), WRT_ERROR_INVALID_ARGUMENT);
    CHECK(out == NULL);
}

static void wrong_runs(struct guest *guest)
{
    wrt_run *run = NULL;
    wrt_run_options options = {.struct_size = sizeof options};
    MUST_FAIL(wrt_run_new(guest->module, &options, &run), WRT_ERROR_INVALID_ARGUMENT);
    options.callbacks.write = take;
    options.entry_point = str("\xff");
    MUST_FAIL(wrt_run_new(guest->module, &options, &run), WRT_ERROR_INVALID_ARGUMENT);
    options.entry_point = str("");
    options.args_len = 1;
    MUST_FAIL(wrt_run_new(guest->module, &options, &run), WRT_ERROR_INVALID_ARGUMENT);
    options.args_len = 0;
    wrt_mount mount = {str("\xff"), str("/"), true};
    options.mounts = &mount;
    options.mounts_len = 1;
    MUST_FAIL(wrt_run_new(guest->module, &options, &run), WRT_ERROR_INVALID_ARGUMENT);
    options.mounts_len = 0;
    options.scratch = str("/tmp"); /* of an engine that has none */
    MUST_FAIL(wrt_run_new(guest->module, &options, &run), WRT_ERROR_INVALID_ARGUMENT);
    CHECK(run == NULL);

    options.scratch = str("");
    wrt_outcome outcome = {0};
    MUST(wrt_run_new(guest->module, &options, &run));
    MUST_FAIL(wrt_run_execute(run, &outcome), WRT_ERROR_INVALID_ARGUMENT);
    outcome.struct_size = sizeof outcome;
    MUST(wrt_run_execute(run, &outcome));
    MUST_FAIL(wrt_run_execute(run, &outcome), WRT_ERROR_INVALID_ARGUMENT);
    wrt_run_free(run);

    /* Freed without having been executed. */
    MUST(wrt_run_new(guest->module, &options, &run));
    wrt_run_free(run);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    null_everywhere();
    wrong_preparation(argv);
    wrong_order(argv);
    wrong_engine();
    struct guest guest = load(argv);
    wrong_runs(&guest);
    unload(&guest);
    puts("misuse: ok");
    return 0;
}
