#include "wasm_dump_line.h"

#include <stdarg.h>

/* httpd's own way to write a word, with one more escape for what does not print: such a byte could obey or fool a terminal, or end the
 * line. What is not ASCII is left as it is. */
static const char *quote(apr_pool_t *pool, const char *text)
{
    char *quoted = apr_palloc(pool, 4 * strlen(text) + 3), *end = quoted;
    int plain = *text && *text != '#';

    *end++ = '"';
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < ' ' || byte == 0x7f) {
            end += sprintf(end, "\\x%02x", byte);
            plain = 0;
            continue;
        }
        if (byte == '"' || byte == '\\') {
            *end++ = '\\';
        }
        plain = plain && !strchr("\"\\' ", byte);
        *end++ = *text;
    }
    if (plain) {
        *end = '\0';
        return quoted + 1;
    }
    *end++ = '"';
    *end = '\0';
    return quoted;
}

void wasm_dump_block(wasm_dump_out *out, const char *kind, const char *name)
{
    apr_file_printf(out->file, "%s %s\n", kind, quote(out->pool, name));
}

void wasm_dump_line(wasm_dump_out *out, int is_set, const char *name, ...)
{
    const char *line = apr_pstrcat(out->pool, is_set ? "    " : "    #", name, NULL);
    const char *word;
    va_list words;

    va_start(words, name);
    while ((word = va_arg(words, const char *))) {
        line = apr_pstrcat(out->pool, line, " ", quote(out->pool, word), NULL);
    }
    va_end(words);
    apr_file_printf(out->file, "%s\n", line);
}
