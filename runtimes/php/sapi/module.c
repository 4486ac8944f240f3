/* The SAPI as PHP sees it: its name and its callbacks. */
#include "sapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../shims/library_memory.h"
#include "php_main.h"
#include "php_variables.h"

static size_t read_body(char *buffer, size_t size)
{
    size_t taken = 0;

    /* Without CONTENT_LENGTH the body is chunked, and ends where it ends. */
    if (SG(request_info).content_length > 0) {
        size_t left = SG(request_info).content_length - SG(read_post_bytes);
        if (size > left)
            size = left;
    }
    while (taken < size) {
        ssize_t part = read(STDIN_FILENO, buffer + taken, size - taken);
        if (part <= 0)
            break;
        taken += part;
    }
    return taken;
}

static char *read_cookies(void)
{
    return getenv("HTTP_COOKIE");
}

static char *read_variable(const char *name, size_t length)
{
    return getenv(name);
}

/* As native php-cgi has it: PHP_SELF is the script and what follows it in the URL. */
static void register_variables(zval *variables)
{
    const char *script = getenv("SCRIPT_NAME"), *info = getenv("PATH_INFO");
    char *self;

    php_import_environment_variables(variables);
    if (!script) {
        script = SG(request_info).path_translated ? SG(request_info).path_translated : "";
        php_register_variable("SCRIPT_NAME", (char *)script, variables);
        php_register_variable("SCRIPT_FILENAME", (char *)script, variables);
        php_register_variable("PATH_TRANSLATED", (char *)script, variables);
        php_register_variable("DOCUMENT_ROOT", "", variables);
        info = "";
    }
    spprintf(&self, 0, "%s%s", script, info ? info : "");
    php_register_variable("PHP_SELF", self, variables);
    efree(self);
}

/* Standard error goes to the server's error log, where a message is one line: what is in it must not look like another message. */
static void log_line(const char *message, int level)
{
    for (; *message; message++)
        putc(*message == '\n' && !wasi_sapi_module.phpinfo_as_text ? ' ' : *message, stderr);
    putc('\n', stderr);
}

/* Comes before PHP's allocator is emptied. */
static int forget_libraries(void)
{
    end_counting_libraries();
    return SUCCESS;
}

static int start(sapi_module_struct *module)
{
    return php_module_startup(module, NULL);
}

sapi_module_struct wasi_sapi_module = {
    .startup = start,
    .shutdown = php_module_shutdown_wrapper,
    .activate = apply_user_ini,
    .deactivate = forget_libraries,
    .ub_write = write_output,
    .flush = flush_output,
    .getenv = read_variable,
    .sapi_error = php_error,
    .send_headers = send_headers,
    .read_post = read_body,
    .read_cookies = read_cookies,
    .register_server_variables = register_variables,
    .log_message = log_line,
    .php_ini_ignore_cwd = 1,
    .additional_functions = worker_functions,
};

void name_sapi(bool line)
{
    wasi_sapi_module.name = line ? "cli" : "cgi-fcgi";
    wasi_sapi_module.pretty_name = line ? "Command Line Interface" : "CGI/FastCGI";
    wasi_sapi_module.phpinfo_as_text = line;
}
