/* From a file to the output of a guest, with everything that the parent asks in between. The guest copies its input. */
#include "check.h"

static int64_t take(void *context, const uint8_t *data, size_t len, bool flush, uint64_t timeout_ms)
{
    (void)context, (void)data, (void)len, (void)flush, (void)timeout_ms;
    return 0;
}

static int64_t give_once(void *context, uint8_t *buffer, size_t len, uint64_t timeout_ms)
{
    int *given = context;
    (void)timeout_ms;
    if ((*given)++)
        return 0;
    CHECK(len >= 5);
    memcpy(buffer, "hello", 5);
    return 5;
}

static void run(struct guest *guest)
{
    int given = 0;
    wrt_str args[] = {str("program")};
    wrt_variable env[] = {{str("NAME"), str("value")}};
    wrt_run_options options = {
        .struct_size = sizeof options,
        .args = args,
        .args_len = 1,
        .env = env,
        .env_len = 1,
        .limits = {.time_ms = 60000, .memory = 1 << 20},
        .callbacks = {.context = &given, .read = give_once, .write = take},
    };
    wrt_outcome outcome = {.struct_size = sizeof outcome};
    wrt_run *run;
    MUST(wrt_run_new(guest->module, &options, &run));
    MUST(wrt_run_execute(run, &outcome));
    CHECK(outcome.kind == WRT_OUTCOME_EXITED);
    CHECK(outcome.exit_code == 0);
    CHECK(equals(outcome.tail, "hello"));
    CHECK(outcome.message.len == 0);
    CHECK(outcome.exceeded_len == 0);
    wrt_run_free(run);
}

static void compare_mounts(const char *directory)
{
    wrt_mount mounts[] = {
        {.guest = str("/all"), .host = str("/")},
        {.guest = str("/one"), .host = str(directory), .read_only = true},
        {.guest = str("/gone"), .host = str("/nowhere")},
    };
    wrt_mount_table *table;
    wrt_mount_conflict conflict;
    MUST(wrt_mount_table_new(mounts, 3, &table));
    MUST(wrt_mount_table_check(table, mounts, 1, &conflict));
    CHECK(!conflict.found);
    MUST(wrt_mount_table_check(table, mounts, 2, &conflict));
    CHECK(conflict.found && conflict.read_only == 1 && conflict.writable == 0);
    MUST_FAIL(wrt_mount_table_check(table, mounts, 2, NULL), WRT_ERROR_INVALID_ARGUMENT);
    wrt_error *error = wrt_mount_table_check(table, mounts, 3, &conflict);
    CHECK(wrt_error_get_kind(error) == WRT_ERROR_IO && wrt_error_get_index(error) == 2);
    wrt_error_free(error);
    wrt_mount_table_free(table);
}

static void inspect(char **argv)
{
    wrt_inspection *inspection;
    MUST(wrt_inspection_new(str(argv[1]), str(argv[2]), NULL, &inspection));
    CHECK(wrt_inspection_size(inspection) > 0);
    CHECK(wrt_inspection_sha256(inspection).len == 64);
    CHECK(equals(wrt_inspection_code(inspection), "native"));
    CHECK(wrt_inspection_reason(inspection).len == 0);
    CHECK(wrt_inspection_snapshot(inspection).len == 0);
    CHECK(wrt_inspection_snapshot_reason(inspection).len == 0);
    wrt_inspection_free(inspection);
    MUST(wrt_inspection_new(str(argv[1]), str("/nowhere"), NULL, &inspection));
    CHECK(equals(wrt_inspection_code(inspection), "none"));
    wrt_inspection_free(inspection);
    MUST_FAIL(wrt_inspection_new(str("/nowhere"), str(argv[2]), NULL, &inspection), WRT_ERROR_IO);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    CHECK(equals(wrt_version(), WRT_VERSION));

    wrt_engine_prepare();
    struct guest guest = load(argv);
    CHECK(wrt_artifact_get_origin(guest.artifact) != WRT_ORIGIN_KEPT);
    CHECK(wrt_artifact_warning(guest.artifact).len == 0);
    CHECK(wrt_artifact_sha256(guest.artifact).len == 64);
    CHECK(wrt_artifact_minimum_memory(guest.artifact) == 2 * 65536);
    CHECK(wrt_engine_warning(guest.engine).len == 0);
    /* Depends on the kernel. */
    CHECK(wrt_engine_note(guest.engine).len < 200);
    MUST(wrt_artifact_check_entry_point(guest.artifact, str("")));
    MUST(wrt_artifact_check_entry_point(guest.artifact, str("_start")));
    MUST_FAIL(wrt_artifact_check_entry_point(guest.artifact, str("missing")), WRT_ERROR_ENTRY_POINT);

    wrt_examine_options options = examine_options(argv);
    wrt_artifact *again;
    MUST(wrt_artifact_examine(guest.store, &options, &again));
    CHECK(wrt_artifact_get_origin(again) == WRT_ORIGIN_KEPT);
    wrt_artifact_free(again);
    wrt_artifact_store_trim(guest.store);

    for (int i = 0; i < 3; i++)
        run(&guest);
    compare_mounts(argv[2]);
    inspect(argv);
    unload(&guest);
    puts("smoke: ok");
    return 0;
}
