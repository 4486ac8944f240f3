/* One request of CGI. Its variables are in the environment, its body is standard input. */
#include "sapi.h"

#include <stdlib.h>

#include "php_main.h"

#define HTTP_1_0 1000
#define HTTP_1_1 1001

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static zend_long body_length(void)
{
    const char *length = variable("CONTENT_LENGTH");

    return length ? ZEND_STRTOL(length, NULL, 10) : 0;
}

void describe_request(const char *script)
{
    const char *protocol = variable("SERVER_PROTOCOL"), *authorization = variable("HTTP_AUTHORIZATION");
    const char *type = variable("CONTENT_TYPE");

    SG(request_info).request_method = getenv("REQUEST_METHOD");
    SG(request_info).query_string = getenv("QUERY_STRING");
    SG(request_info).request_uri = getenv("SCRIPT_NAME");
    SG(request_info).path_translated = estrdup(script);
    SG(request_info).content_type = type ? type : "";
    SG(request_info).content_length = body_length();
    SG(request_info).proto_num = protocol && !strcmp(protocol, "HTTP/1.0") ? HTTP_1_0 : HTTP_1_1;
    SG(sapi_headers).http_response_code = 200;
    php_handle_auth_data(authorization);
}

int answer_request(void)
{
    const char *script = variable("SCRIPT_FILENAME");
    int status = 255;

    if (!script)
        script = variable("PATH_TRANSLATED");
    if (!script) {
        fputs("There is no SCRIPT_FILENAME in the environment\n", stderr);
        return exit_status(status);
    }
    if (worker_is_frozen())
        return answer_by_worker(script);
    describe_request(script);
    if (begin_script())
        status = run_script(script);
    return end_script(status);
}
