/* Several modules: what is told while they are compiled, and which one is at fault. */
#include "check.h"

#include <stdio.h>

#define MODULES 3

/* The module with an empty custom section of one more byte at its end: the same program, another content. */
static void copy_module(const char *from, const char *to, int more)
{
    FILE *source = fopen(from, "rb"), *target = fopen(to, "wb");
    int byte;
    CHECK(source && target);
    while ((byte = getc(source)) != EOF)
        putc(byte, target);
    for (; more > 0; more--)
        fwrite("\0\1", 1, 3, target); /* id, length, a name of no bytes */
    CHECK(!fclose(source) && !fclose(target));
}

struct told {
    size_t count;
    size_t total;
    size_t done;
    uint64_t size;
};

static void begun(void *context, wrt_stage stage, wrt_str module_path, uint64_t module_size, size_t done, size_t total)
{
    struct told *told = context;
    CHECK(stage == WRT_STAGE_CODE);
    CHECK(module_path.len > 0 && module_path.data[0] == '/');
    CHECK(done >= told->done && done < total);
    CHECK(told->count == 0 || module_size <= told->size);
    told->done = done;
    told->size = module_size;
    told->total = total;
    told->count++;
}

static wrt_artifact *examine(wrt_artifact_store *store, char **argv, const char *path)
{
    wrt_examine_options options = examine_options(argv);
    wrt_artifact *artifact;
    options.module_path = str(path);
    options.cache_dir = str("");
    MUST(wrt_artifact_examine(store, &options, &artifact));
    return artifact;
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    char paths[MODULES][4096];
    wrt_artifact *artifacts[MODULES];
    wrt_artifact_store *store;
    struct told told = {0};
    wrt_compile_options options = {
        .struct_size = sizeof options,
        .artifacts = (const wrt_artifact *const *)artifacts,
        .artifacts_len = MODULES,
        .context = &told,
        .begun = begun,
    };
    MUST(wrt_artifact_store_new(&store));
    for (int i = 0; i < MODULES; i++) {
        CHECK(snprintf(paths[i], sizeof paths[i], "%s.%d", argv[1], i) < (int)sizeof paths[i]);
        copy_module(argv[1], paths[i], i);
        artifacts[i] = examine(store, argv, paths[i]);
    }

    /* Changed after it was examined. */
    copy_module(argv[1], paths[2], 7);
    wrt_error *error = wrt_artifact_compile(store, &options);
    CHECK(error && wrt_error_get_kind(error) == WRT_ERROR_COMPILE);
    CHECK(wrt_error_get_index(error) == 2);
    CHECK(wrt_artifact_get_origin(artifacts[2]) == WRT_ORIGIN_NONE);
    wrt_error_free(error);

    copy_module(argv[1], paths[2], 2);
    told = (struct told){0};
    MUST(wrt_artifact_compile(store, &options));
    CHECK(told.count >= 1 && told.total == told.count);
    for (int i = 0; i < MODULES; i++)
        CHECK(wrt_artifact_get_origin(artifacts[i]) == WRT_ORIGIN_COMPILED);

    /* Nothing is left to do, and nobody has to listen. */
    told = (struct told){0};
    MUST(wrt_artifact_compile(store, &options));
    CHECK(told.count == 0);
    options.begun = NULL;
    MUST(wrt_artifact_compile(store, &options));

    for (int i = 0; i < MODULES; i++)
        wrt_artifact_free(artifacts[i]);
    wrt_artifact_store_free(store);
    puts("compile: ok");
    return 0;
}
