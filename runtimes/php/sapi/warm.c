/* PHP_WARM: scripts that are in OPcache when the snapshot is taken, so that no request compiles them. */
#include "sapi.h"

#include <stdlib.h>

#include "php_main.h"

static const char code[] = {
#embed "warm.php"
    , 0};

#define OPENING "<?php"

bool is_to_be_warmed(void)
{
    return getenv("PHP_WARM") != NULL;
}

void warm_cache(void)
{
    if (!is_to_be_warmed())
        return;
    if (begin_script()) {
        SG(request_info).no_headers = true;
        zend_first_try {
            zend_eval_string((char *)code + sizeof OPENING - 1, NULL, (char *)"PHP_WARM");
        } zend_end_try();
    }
    end_script(0);
}
