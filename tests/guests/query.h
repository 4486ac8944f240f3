/* The query of a CGI program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Value of a query parameter with "+" for spaces, otherwise not decoded; "" when it is absent. */
static const char *parameter(const char *name)
{
    static char values[8][256];
    static unsigned next;
    const char *query = getenv("QUERY_STRING");
    size_t length = strlen(name);
    while (query && *query) {
        size_t part = strcspn(query, "&");
        if (part > length && !strncmp(query, name, length) && query[length] == '=') {
            char *value = values[next++ % 8];
            snprintf(value, sizeof values[0], "%.*s", (int)(part - length - 1), query + length + 1);
            for (char *plus = value; (plus = strchr(plus, '+'));)
                *plus = ' ';
            return value;
        }
        query += part;
        query += *query == '&';
    }
    return "";
}
