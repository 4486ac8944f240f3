/* What the C programs have in common. Each gets the path of a guest and of a cache directory as arguments. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasm_runtime.h"

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

/* Success, or the error's message and the end. */
#define MUST(call)                                                                                                 \
    do {                                                                                                           \
        wrt_error *must_error = (call);                                                                            \
        if (must_error) {                                                                                          \
            wrt_str must_text = wrt_error_message(must_error);                                                     \
            fprintf(stderr, "%s:%d: %s: %.*s\n", __FILE__, __LINE__, #call, (int)must_text.len, must_text.data); \
            exit(1);                                                                                               \
        }                                                                                                          \
    } while (0)

/* Failure of one kind, with a message. */
#define MUST_FAIL(call, expected_kind)                             \
    do {                                                           \
        wrt_error *fail_error = (call);                            \
        CHECK(fail_error != NULL);                                 \
        CHECK(wrt_error_get_kind(fail_error) == (expected_kind)); \
        CHECK(wrt_error_message(fail_error).len > 0);              \
        wrt_error_free(fail_error);                                \
    } while (0)

static inline wrt_str str(const char *text)
{
    return (wrt_str){text, text ? strlen(text) : 0};
}

static inline int equals(wrt_str text, const char *expected)
{
    return text.len == strlen(expected) && memcmp(text.data, expected, text.len) == 0;
}

/* A guest, ready to run. */
struct guest {
    wrt_artifact_store *store;
    wrt_artifact *artifact;
    wrt_engine *engine;
    wrt_module *module;
};

static inline wrt_examine_options examine_options(char **argv)
{
    return (wrt_examine_options){
        .struct_size = sizeof(wrt_examine_options),
        .module_path = str(argv[1]),
        .cache_dir = str(argv[2]),
    };
}

static inline struct guest load(char **argv)
{
    struct guest guest;
    wrt_examine_options options = examine_options(argv);
    MUST(wrt_artifact_store_new(&guest.store));
    MUST(wrt_artifact_examine(guest.store, &options, &guest.artifact));
    const wrt_artifact *artifacts[] = {guest.artifact};
    wrt_compile_options compile_options = {
        .struct_size = sizeof compile_options,
        .artifacts = artifacts,
        .artifacts_len = 1,
    };
    MUST(wrt_artifact_compile(guest.store, &compile_options));
    wrt_engine_options engine_options = {
        .struct_size = sizeof engine_options,
        .artifacts = artifacts,
        .artifacts_len = 1,
        .max_instances = 2,
        .thread_stack_size = WRT_STACK_NEEDED,
    };
    MUST(wrt_engine_new(&engine_options, &guest.engine));
    MUST(wrt_module_new(guest.engine, guest.artifact, &guest.module));
    return guest;
}

static inline void unload(struct guest *guest)
{
    wrt_engine_stop(guest->engine);
    wrt_engine_free(guest->engine);
    wrt_artifact_free(guest->artifact);
    wrt_artifact_store_free(guest->store);
    wrt_module_free(guest->module);
}

#endif
