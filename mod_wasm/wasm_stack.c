#include "wasm_stack.h"

#include <pthread.h>
#include <sys/resource.h>

#include "ap_mpm.h"
#include "mpm_common.h"

#include "wasm_codes.h"

static apr_size_t main_thread_stack(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur == RLIM_INFINITY) {
        return 0;
    }
    return (apr_size_t)limit.rlim_cur;
}

/* What a thread gets when nobody asks for a size. */
static apr_size_t default_thread_stack(void)
{
    pthread_attr_t attributes;
    size_t size = 0;

    if (pthread_attr_init(&attributes)) {
        return 0;
    }
    if (pthread_attr_getstacksize(&attributes, &size)) {
        size = 0;
    }
    pthread_attr_destroy(&attributes);
    return size;
}

apr_size_t wasm_stack_size(void)
{
    int threaded = AP_MPMQ_NOT_SUPPORTED;

    if (ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded) != APR_SUCCESS || threaded == AP_MPMQ_NOT_SUPPORTED) {
        return main_thread_stack();
    }
    return ap_thread_stacksize ? ap_thread_stacksize : default_thread_stack();
}

static const ap_directive_t *find_top_level(const char *name)
{
    const ap_directive_t *directive;

    for (directive = ap_conftree; directive; directive = directive->next) {
        if (!strcasecmp(directive->directive, name)) {
            return directive;
        }
    }
    return NULL;
}

const char *wasm_stack_problem(apr_pool_t *pool)
{
    apr_size_t size = wasm_stack_size();
    const ap_directive_t *directive = find_top_level("ThreadStackSize");
    const char *place = "the system's stack limit (ulimit -s)";

    if (size == 0 || size >= WASM_STACK_NEED) {
        return NULL;
    }
    if (ap_thread_stacksize) {
        place = directive ? apr_psprintf(pool, "ThreadStackSize (%s:%d)", directive->filename, directive->line_num)
                          : "ThreadStackSize";
    }
    return apr_psprintf(pool, WASM_CODE_STACK ": %s: %" APR_SIZE_T_FMT " bytes of stack are too few to run WebAssembly, at least "
                        "%" APR_SIZE_T_FMT " are needed", place, size, WASM_STACK_NEED);
}
