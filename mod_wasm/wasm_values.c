#include "wasm_values.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "apr_file_info.h"

#define MEMORY_MIN (APR_INT64_C(64) * 1024)
#define MEMORY_MAX (APR_INT64_C(4) * 1024 * 1024 * 1024)

/* A few files. */
#define FILE_SPACE_MIN (APR_INT64_C(64) * 1024)

/* A year: far beyond any sense, far below any overflow. */
#define DURATION_MAX_SECONDS (365.0 * 24 * 3600)

#define COUNT_MAX 100000
#define FILE_LIMIT_MAX 4096

const char *wasm_parse_flag(const char *text, apr_int64_t *out)
{
    if (strcasecmp(text, "On") && strcasecmp(text, "Off")) {
        return "must be On or Off";
    }
    *out = !strcasecmp(text, "On");
    return NULL;
}

const char *wasm_parse_preinit(const char *text, apr_int64_t *out)
{
    if (!strcasecmp(text, "Auto")) {
        *out = WASM_PREINIT_AUTO;
        return NULL;
    }
    return wasm_parse_flag(text, out) ? "must be On, Off or Auto" : NULL;
}

static int parse_number(const char *text, apr_int64_t least, apr_int64_t most, apr_int64_t *out)
{
    char *end;
    apr_int64_t number = apr_strtoi64(text, &end, 10);

    if (!apr_isdigit(*text) || *end || number < least || number > most) {
        return 0;
    }
    *out = number;
    return 1;
}

const char *wasm_parse_count(const char *text, apr_int64_t *out)
{
    return parse_number(text, 1, COUNT_MAX, out) ? NULL : "must be a whole number from 1 to " APR_STRINGIFY(COUNT_MAX);
}

const char *wasm_parse_file_limit(const char *text, apr_int64_t *out)
{
    return parse_number(text, WASM_FILE_LIMIT_MIN, FILE_LIMIT_MAX, out)
               ? NULL
               : "must be a whole number from " APR_STRINGIFY(WASM_FILE_LIMIT_MIN) " to " APR_STRINGIFY(FILE_LIMIT_MAX);
}

static double seconds_per_unit(const char *unit)
{
    if (!*unit || !strcasecmp(unit, "s")) {
        return 1;
    }
    if (!strcasecmp(unit, "ms")) {
        return 0.001;
    }
    if (!strcasecmp(unit, "mi") || !strcasecmp(unit, "min")) {
        return 60;
    }
    if (!strcasecmp(unit, "h")) {
        return 3600;
    }
    return 0;
}

/* Not ap_timeout_parameter_parse: it takes no fractions and ignores what follows the unit's first letter. */
const char *wasm_parse_duration(const char *text, apr_int64_t *out)
{
    const char *p = text;
    char *unit;
    double number, factor;

    while (apr_isdigit(*p) || *p == '.') {
        p++;
    }
    if (p == text) {
        return "must be a number of seconds, or a number with one of the units ms, s, min, h";
    }
    number = strtod(text, &unit);
    factor = seconds_per_unit(unit);
    if (unit != p || factor == 0) {
        return "must be a number of seconds, or a number with one of the units ms, s, min, h";
    }
    if (number * factor > DURATION_MAX_SECONDS) {
        return "must not be longer than a year";
    }
    *out = (apr_int64_t)(number * factor * APR_USEC_PER_SEC + 0.5);
    return NULL;
}

const char *wasm_parse_time_limit(const char *text, apr_int64_t *out)
{
    const char *wrong = wasm_parse_duration(text, out);

    return !wrong && apr_time_as_msec(*out) < 1 ? "must be longer than 0 (at least 1ms)" : wrong;
}

static int shift_of_suffix(const char *suffix)
{
    if (!*suffix) {
        return 0;
    }
    if (suffix[1]) {
        return -1;
    }
    switch (apr_toupper(*suffix)) {
    case 'K':
        return 10;
    case 'M':
        return 20;
    case 'G':
        return 30;
    default:
        return -1;
    }
}

/* -1: not a number of bytes. Numbers that are too large become APR_INT64_MAX. */
static apr_int64_t bytes_of(const char *text)
{
    char *suffix;
    apr_int64_t number;
    int shift;

    if (!apr_isdigit(*text)) {
        return -1;
    }
    errno = 0;
    number = apr_strtoi64(text, &suffix, 10);
    shift = shift_of_suffix(suffix);
    if (shift < 0) {
        return -1;
    }
    return errno || number > (APR_INT64_MAX >> shift) ? APR_INT64_MAX : number << shift;
}

const char *wasm_parse_memory(const char *text, apr_int64_t *out)
{
    apr_int64_t bytes = bytes_of(text);

    if (bytes < 0) {
        return "must be a number of bytes, with an optional K, M or G";
    }
    if (bytes < MEMORY_MIN || bytes > MEMORY_MAX) {
        return "must be between 64K (one page) and 4G (all a linear memory can be)";
    }
    *out = bytes;
    return NULL;
}

const char *wasm_parse_bytes_or_off(const char *text, apr_int64_t *out)
{
    *out = strcasecmp(text, "Off") ? bytes_of(text) : 0;
    if (*out < 0 || (*out == 0 && apr_isdigit(*text))) {
        return "must be Off or a number of bytes above 0, with an optional K, M or G";
    }
    return NULL;
}

const char *wasm_parse_file_space(const char *text, apr_int64_t *out)
{
    *out = bytes_of(text);
    return *out < FILE_SPACE_MIN ? "must be a number of bytes, with an optional K, M or G, and at least 64K" : NULL;
}

static const char *duration_text(apr_pool_t *pool, apr_int64_t microseconds)
{
    if (microseconds % APR_USEC_PER_SEC == 0) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, microseconds / APR_USEC_PER_SEC);
    }
    return apr_psprintf(pool, microseconds % 1000 ? "%" APR_INT64_T_FMT ".%03dms" : "%" APR_INT64_T_FMT "ms", microseconds / 1000,
                        (int)(microseconds % 1000));
}

static const char *bytes_text(apr_pool_t *pool, apr_int64_t bytes)
{
    static const char suffixes[] = "KMG";
    int shifts;

    for (shifts = 0; suffixes[shifts] && bytes % 1024 == 0; shifts++) {
        bytes /= 1024;
    }
    return shifts ? apr_psprintf(pool, "%" APR_INT64_T_FMT "%c", bytes, suffixes[shifts - 1])
                  : apr_psprintf(pool, "%" APR_INT64_T_FMT, bytes);
}

const char *wasm_value_text(apr_pool_t *pool, wasm_parser *parser, apr_int64_t value)
{
    if (parser == wasm_parse_preinit && value == WASM_PREINIT_AUTO) {
        return "Auto";
    }
    if (parser == wasm_parse_flag || parser == wasm_parse_preinit) {
        return value ? "On" : "Off";
    }
    if (parser == wasm_parse_duration || parser == wasm_parse_time_limit) {
        return duration_text(pool, value);
    }
    if (parser == wasm_parse_memory || parser == wasm_parse_bytes_or_off || parser == wasm_parse_file_space) {
        return value ? bytes_text(pool, value) : "Off";
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, value);
}

const char *wasm_parse_digest(apr_pool_t *pool, const char *text, const char **out)
{
    static const char prefix[] = "sha256:";
    const char *p;
    char *digits;

    if (strncmp(text, prefix, sizeof prefix - 1)) {
        return "must be sha256: followed by 64 hexadecimal digits";
    }
    digits = apr_pstrdup(pool, text + sizeof prefix - 1);
    for (p = digits; apr_isxdigit(*p); p++) {
        continue;
    }
    if (*p || p - digits != 64) {
        return "must be sha256: followed by 64 hexadecimal digits";
    }
    ap_str_tolower(digits);
    *out = digits;
    return NULL;
}

const char *wasm_parse_guest_path(apr_pool_t *pool, const char *text, const char **out)
{
    char *rest, *part;
    const char *path = "";

    if (*text != '/') {
        return "the guest path must be absolute (start with /)";
    }
    for (part = apr_strtok(apr_pstrdup(pool, text), "/", &rest); part; part = apr_strtok(NULL, "/", &rest)) {
        if (!strcmp(part, "..")) {
            return "the guest path must not contain ..";
        }
        if (strcmp(part, ".")) {
            path = apr_pstrcat(pool, path, "/", part, NULL);
        }
    }
    *out = *path ? path : "/";
    return NULL;
}

static void strip_slashes(char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/') {
        path[--len] = '\0';
    }
}

const char *wasm_parse_host_path(apr_pool_t *pool, const char *text, const char **out)
{
    char *path = *text ? ap_server_root_relative(pool, text) : NULL;

    if (!path) {
        return apr_psprintf(pool, "\"%s\" is not a valid path", text);
    }
    strip_slashes(path);
    *out = path;
    return NULL;
}
