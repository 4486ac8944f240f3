#include "wasm_prepare.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unixd.h"

#include "wasm_config.h"

/* With these, an error number that a program gets may hold a backtrace, which takes longer than most calls.
 *
 * Nobody reads the environment meanwhile: httpd runs this hook right after the fork, before any child_init, where a child's threads
 * begin. */
static void forget_backtraces(void)
{
    unsetenv("RUST_BACKTRACE");
    unsetenv("RUST_LIB_BACKTRACE");
}

static int get_capabilities(struct __user_cap_data_struct *sets)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

    return !syscall(SYS_capget, &header, sets);
}

static int set_capabilities(const struct __user_cap_data_struct *sets)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

    return !syscall(SYS_capset, &header, sets);
}

/* Once the child has changed its user, it could open the record of the pages that it writes to only while all processes of that user may
 * trace it, and read what it has of root's memory. Here it can without.
 *
 * Whoever opens the record with CAP_SYS_ADMIN also learns where pages lie in the machine's memory. A child has no use for that. */
static void open_written_pages(void)
{
    struct __user_cap_data_struct own[_LINUX_CAPABILITY_U32S_3], fewer[_LINUX_CAPABILITY_U32S_3];

    if (!get_capabilities(own)) {
        return;
    }
    memcpy(fewer, own, sizeof fewer);
    fewer[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
    if (set_capabilities(fewer)) {
        wrt_engine_prepare();
        set_capabilities(own);
    }
}

int wasm_prepare_child(apr_pool_t *pchild, server_rec *s)
{
    (void)pchild;
    (void)s;
    if (!wasm_main_conf()->programs->nelts) {
        return DECLINED;
    }
    forget_backtraces();
    /* In processes that are forked from this one, the engine puts /dev/null in the record's place, and ends those that have none. */
    if (!ap_unixd_config.chroot_dir) {
        open_written_pages();
    }
    return DECLINED;
}
