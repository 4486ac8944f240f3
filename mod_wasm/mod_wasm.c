/*
 * The module record and the hooks. Everything else has a file of its own.
 */
#include "mod_wasm.h"

#include "mpm_common.h"

#include "wasm_check.h"
#include "wasm_child.h"
#include "wasm_config.h"
#include "wasm_directives.h"
#include "wasm_dump.h"
#include "wasm_handler.h"
#include "wasm_notices.h"
#include "wasm_prepare.h"
#include "wasm_scratch.h"

static void register_hooks(apr_pool_t *pool)
{
    static const char *const successors[] = { "mod_unixd.c", NULL };

    (void)pool;
    wasm_settings_init();
    ap_hook_pre_config(wasm_check_version, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(wasm_check_config, NULL, NULL, APR_HOOK_LAST);
    ap_hook_test_config(wasm_dump, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(wasm_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(wasm_notices_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(wasm_scratch_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_drop_privileges(wasm_prepare_child, NULL, successors, APR_HOOK_FIRST);
    ap_hook_child_init(wasm_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(wasm_child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(wasm_handler, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA wasm_module = {
    STANDARD20_MODULE_STUFF,
    wasm_create_dir_conf,
    wasm_merge_dir_conf,
    wasm_create_server_conf,
    NULL,
    wasm_directives,
    register_hooks,
    AP_MODULE_FLAG_NONE
};
