#include "wasm_stack.h"

#include <pthread.h>
#include <sys/resource.h>

#include "ap_mpm.h"
#include "mpm_common.h"

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
