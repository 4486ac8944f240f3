/* One script from begin to end, for requests and commands alike. */
#include "sapi.h"

#include <unistd.h>

#include "../shims/library_memory.h"
#include "php_main.h"
#include "zend_stream.h"

static enum { NOT_BEGUN, BEGUN, ENDING } state;
static zend_file_handle file; /* not on the stack, which a worker leaves */

bool script_has_begun(void)
{
    return state != NOT_BEGUN;
}

bool begin_script(void)
{
    bool begun = false;

    state = BEGUN;
    begin_counting_libraries();
    SG(server_context) = (void *)1; /* any: PHP reads input only where there is one */
    zend_first_try {
        begun = php_request_startup() == SUCCESS;
    } zend_end_try();
    return begun;
}

int run_script(const char *path)
{
    int status = 255;

    zend_first_try {
        if (path)
            zend_stream_init_filename(&file, path);
        else
            zend_stream_init_fp(&file, stdin, "Standard input code");
        file.primary_script = 1;
        CG(skip_shebang) = true;
        php_execute_script(&file);
        zend_destroy_file_handle(&file);
    } zend_end_try();
    status = EG(exit_status);
    return status;
}

void close_script(void)
{
    zend_destroy_file_handle(&file);
}

int end_script(int status)
{
    if (SG(request_info).path_translated) {
        efree(SG(request_info).path_translated);
        SG(request_info).path_translated = NULL;
    }
    /* Once, though its own recursion may have used up the stack: exhausted.c. */
    if (state == BEGUN) {
        state = ENDING;
        zend_try {
            record_scripts();
        } zend_end_try();
        zend_try {
            php_request_shutdown(NULL);
        } zend_end_try();
    }
    zend_try {
        flush_output(NULL);
    } zend_end_try();
    return exit_status(EG(exit_status) ? EG(exit_status) : status);
}
