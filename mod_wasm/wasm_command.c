#include "wasm_command.h"

int wasm_command_is_stop(apr_pool_t *ptemp)
{
    char line[4096], *arg, *end;
    apr_size_t len = sizeof line - 1;
    apr_file_t *file;
    int after_k = 0;

    if (apr_file_open(&file, "/proc/self/cmdline", APR_READ, APR_OS_DEFAULT, ptemp) != APR_SUCCESS) {
        return 0;
    }
    if (apr_file_read(file, line, &len) != APR_SUCCESS) {
        len = 0;
    }
    apr_file_close(file);
    line[len] = '\0';
    for (arg = line, end = line + len; arg < end; arg += strlen(arg) + 1) {
        const char *command = after_k ? arg : strncmp(arg, "-k", 2) ? "" : arg + 2;

        if (!strcmp(command, "stop") || !strcmp(command, "graceful-stop")) {
            return 1;
        }
        after_k = !strcmp(arg, "-k");
    }
    return 0;
}
