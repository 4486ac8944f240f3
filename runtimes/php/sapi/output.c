/* Output and headers, to standard output. A script that writes byte by byte does not call the host for each. */
#include "sapi.h"

#include <string.h>
#include <unistd.h>

#include "php_main.h"

#define BUFFER_SIZE ((size_t)16 << 10)

static char buffer[BUFFER_SIZE];
static size_t filled;

/* Once writing has failed, nobody takes the output any more. */
static bool put(const char *data, size_t size)
{
    while (size) {
        ssize_t part = write(STDOUT_FILENO, data, size);
        if (part <= 0)
            return false;
        data += part;
        size -= part;
    }
    return true;
}

static bool put_buffer(void)
{
    size_t size = filled;

    filled = 0;
    return put(buffer, size);
}

/* Ends the script where `ignore_user_abort` is off, and sets connection_status(). */
static void note_failure(void)
{
    php_handle_aborted_connection();
}

size_t write_output(const char *data, size_t size)
{
    bool written = true;

    if (size > BUFFER_SIZE - filled)
        written = put_buffer();
    if (size > BUFFER_SIZE) {
        written = written && put(data, size);
    } else {
        memcpy(buffer + filled, data, size);
        filled += size;
    }
    if (written)
        return size;
    note_failure();
    return 0;
}

void flush_output(void *context)
{
    if (!put_buffer())
        note_failure();
}

static void put_text(const char *text)
{
    write_output(text, strlen(text));
}

static void put_line(const char *line, size_t length)
{
    write_output(line, length);
    put_text("\r\n");
}

/* "HTTP/1.1 404 Nothing here" of header() is "Status: 404 Nothing here" of CGI. */
static void put_status(void)
{
    const char *line = SG(sapi_headers).http_status_line, *text = line ? strchr(line, ' ') : NULL;
    char code[MAX_LENGTH_OF_LONG + 1];

    if (!text && SG(sapi_headers).http_response_code == 200)
        return;
    snprintf(code, sizeof code, " %d", SG(sapi_headers).http_response_code);
    put_text("Status:");
    put_text(text ? text : code);
    put_text("\r\n");
}

int send_headers(sapi_headers_struct *headers)
{
    zend_llist_position position;

    put_status();
    for (sapi_header_struct *header = zend_llist_get_first_ex(&headers->headers, &position); header;
         header = zend_llist_get_next_ex(&headers->headers, &position)) {
        if (header->header_len)
            put_line(header->header, header->header_len);
    }
    put_line("", 0);
    return SAPI_HEADER_SENT_SUCCESSFULLY;
}
