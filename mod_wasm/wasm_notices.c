#include "wasm_notices.h"

#include "apr_atomic.h"
#include "apr_shm.h"

int wasm_notices_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    apr_array_header_t *programs = wasm_main_conf()->programs;
    apr_size_t size = (apr_size_t)programs->nelts * WASM_NOTICES * sizeof(apr_uint32_t);
    apr_uint32_t *noticed;
    apr_shm_t *shared;
    int i;

    (void)plog, (void)ptemp, (void)s;
    if (!size) {
        return OK;
    }
    /* Without shared memory each child writes its own notices. */
    noticed = apr_shm_create(&shared, size, NULL, pconf) == APR_SUCCESS ? apr_shm_baseaddr_get(shared) : apr_palloc(pconf, size);
    memset(noticed, 0, size);
    for (i = 0; i < programs->nelts; i++) {
        APR_ARRAY_IDX(programs, i, wasm_program *)->noticed = noticed + i * WASM_NOTICES;
    }
    return OK;
}

int wasm_notice_is_due(const wasm_program *program, wasm_notice notice)
{
    return !apr_atomic_cas32(&program->noticed[notice], 1, 0);
}
