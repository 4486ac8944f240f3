#include "wasm_descriptors.h"

#include <sys/resource.h>

#include "wasm_codes.h"

/* Of httpd, whatever it serves: listening sockets, logs, pipes, and what other modules hold. */
#define OWN_OF_A_CHILD 128
/* Of httpd for each thread: the connections that it serves and keeps (AsyncRequestWorkerFactor), and a file. */
#define OWN_OF_A_THREAD 4
/* Of a run, beside what it has open: what is open while one call looks something up. */
#define PASSING 4

/* The most that any section allows. */
static apr_int64_t wanted_by_sections(const wasm_server_conf *server)
{
    apr_int64_t most = wasm_settings_get(&server->settings, WASM_SETTING_FILE_LIMIT);
    int i;

    for (i = 0; i < server->sections->nelts; i++) {
        apr_int64_t limit = wasm_setting_of(APR_ARRAY_IDX(server->sections, i, const wasm_dir_conf *), WASM_SETTING_FILE_LIMIT);

        most = limit > most ? limit : most;
    }
    return most;
}

/* The limit of this process, at least `wanted` where that is allowed. */
static apr_int64_t raise_limit(apr_int64_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY) {
        return APR_INT64_MAX;
    }
    if (limit.rlim_cur < (rlim_t)wanted) {
        rlim_t before = limit.rlim_cur;

        limit.rlim_cur = limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit)) {
            limit.rlim_cur = before;
        }
    }
    return (apr_int64_t)limit.rlim_cur;
}

apr_int64_t wasm_descriptors_for_each(server_rec *s, const wasm_server_conf *server, uint32_t threads, uint32_t runs)
{
    apr_int64_t wanted = wanted_by_sections(server), own = OWN_OF_A_CHILD + (apr_int64_t)threads * OWN_OF_A_THREAD;
    apr_int64_t limit = raise_limit(own + (wanted + PASSING) * runs);
    apr_int64_t each = (limit - own) / runs - PASSING;

    if (each >= wanted) {
        return wanted;
    }
    each = each > 0 ? each : 1; /* the standard streams are more than that; 0 would be no limit */
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, WASM_CODE_CHILD_FILES ": a child may have %" APR_INT64_T_FMT " files open (ulimit -n): each of "
                 "its %u runs gets at most %" APR_INT64_T_FMT " of them instead of the %" APR_INT64_T_FMT " of " WASM_NAME_FILE_LIMIT,
                 limit, runs, each, wanted);
    return each;
}
