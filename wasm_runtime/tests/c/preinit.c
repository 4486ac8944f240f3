/* A snapshot: taken, compiled, shared by two handles, and run beside the module as it is. */
#include "check.h"

struct told {
    size_t snapshots;
    size_t codes;
};

static void begun(void *context, wrt_stage stage, wrt_str module_path, uint64_t module_size, size_t done, size_t total)
{
    struct told *told = context;
    CHECK(module_path.len > 0 && module_size > 0 && done < total);
    *(stage == WRT_STAGE_SNAPSHOT ? &told->snapshots : &told->codes) += 1;
}

static int64_t take(void *context, const uint8_t *data, size_t len, bool flush, uint64_t timeout_ms)
{
    (void)context, (void)data, (void)len, (void)flush, (void)timeout_ms;
    return 0;
}

static void run(wrt_engine *engine, const wrt_artifact *artifact, const char *entry_point, const char *expected)
{
    wrt_run_options options = {
        .struct_size = sizeof options,
        .entry_point = str(entry_point),
        .limits = {.time_ms = 60000, .memory = 1 << 20},
        .callbacks = {.write = take},
    };
    wrt_outcome outcome = {.struct_size = sizeof outcome};
    wrt_module *module;
    wrt_run *run;
    MUST(wrt_module_new(engine, artifact, &module));
    MUST(wrt_run_new(module, &options, &run));
    MUST(wrt_run_execute(run, &outcome));
    CHECK(outcome.kind == WRT_OUTCOME_EXITED);
    CHECK(equals(outcome.tail, expected));
    wrt_run_free(run);
    wrt_module_free(module);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    wrt_mount mounts[] = {{.guest = str("/data"), .host = str("/tmp")}};
    wrt_variable env[] = {{str("NAME"), str("value")}};
    wrt_mount_table *table;
    MUST(wrt_mount_table_new(mounts, 1, &table));
    wrt_preinit preinit = {
        .struct_size = sizeof preinit,
        .required = true,
        .mounts = mounts,
        .mounts_len = 1,
        .scratch = str("/scratch"),
        .mount_table = table,
        .env = env,
        .env_len = 1,
        .timeout_ms = 60000,
    };
    wrt_examine_options plain = examine_options(argv), frozen = examine_options(argv);
    wrt_artifact_store *store;
    wrt_artifact *artifacts[3];
    frozen.preinit = &preinit;
    MUST(wrt_artifact_store_new(&store));
    MUST(wrt_artifact_examine(store, &plain, &artifacts[0]));
    MUST(wrt_artifact_examine(store, &frozen, &artifacts[1]));
    preinit.required = false;
    MUST(wrt_artifact_examine(store, &frozen, &artifacts[2]));
    wrt_mount_table_free(table);

    struct told told = {0};
    wrt_compile_options options = {
        .struct_size = sizeof options,
        .artifacts = (const wrt_artifact *const *)artifacts,
        .artifacts_len = 3,
        .context = &told,
        .begun = begun,
    };
    MUST(wrt_artifact_compile(store, &options));
    CHECK(told.snapshots == 1 && told.codes == 2);
    CHECK(!wrt_artifact_has_snapshot(artifacts[0]));
    for (int i = 1; i < 3; i++) {
        CHECK(wrt_artifact_has_snapshot(artifacts[i]));
        CHECK(wrt_artifact_snapshot_problem(artifacts[i]).len == 0);
        CHECK(!wrt_artifact_shares_code(artifacts[0], artifacts[i]));
    }
    CHECK(wrt_artifact_shares_code(artifacts[1], artifacts[2]));
    wrt_artifact_store_trim(store);

    wrt_engine_options engine_options = {
        .struct_size = sizeof engine_options,
        .artifacts = options.artifacts,
        .artifacts_len = 3,
        .max_instances = 1,
    };
    wrt_engine *engine;
    MUST(wrt_engine_new(&engine_options, &engine));
    run(engine, artifacts[0], "", "started");
    run(engine, artifacts[1], "", "resumed");
    run(engine, artifacts[1], "_start", "started");
    run(engine, artifacts[2], "", "resumed");
    wrt_engine_stop(engine);
    wrt_engine_free(engine);
    for (int i = 0; i < 3; i++)
        wrt_artifact_free(artifacts[i]);
    wrt_artifact_store_free(store);
    puts("preinit: ok");
    return 0;
}
