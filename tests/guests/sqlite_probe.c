/*
 * A CGI program with SQLite in it, and a database that others use at the same time. The parameter "do" of the query chooses what it
 * does. It answers "done", rows, or what SQLite has to complain of.
 */
#define SQLITE_THREADSAFE 0
#define SQLITE_TEMP_STORE 3 /* temporary tables in memory: there is no /tmp */
#define SQLITE_DEFAULT_UNIX_VFS "unix"
#include <sqlite3.c>
#include <shims/sqlite.c>

#include "query.h"

static sqlite3 *database;

/* Ends the program with an answer of one line. Closing undoes a transaction that was begun. */
static void finish(const char *answer)
{
    printf("%s\n", answer);
    sqlite3_close(database);
    exit(0);
}

static int print_row(void *unused, int count, char **values, char **names)
{
    (void)unused, (void)names;
    for (int i = 0; i < count; i++)
        printf("%s\n", values[i] ? values[i] : "NULL");
    return 0;
}

static void run(const char *format, ...)
{
    va_list arguments;
    char *statement;
    va_start(arguments, format);
    statement = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (sqlite3_exec(database, statement, print_row, NULL, NULL))
        finish(sqlite3_errmsg(database));
    sqlite3_free(statement);
}

/* Rows with the names NAME.0, NAME.1 and so on, in one transaction. */
static void insert(const char *name, int count)
{
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < count; i++)
        run("INSERT INTO entries VALUES ('%q.%d', hex(randomblob(100)))", name, i);
    run("COMMIT");
}

/* Changes rows in the database's file, says so, and never ends: the cache is so small that pages go there before a commit. */
static void spoil(void)
{
    run("PRAGMA cache_size = 1");
    run("BEGIN IMMEDIATE");
    run("UPDATE entries SET content = 'spoiled' || substr(content, 8) WHERE rowid <= 100");
    run("INSERT INTO entries SELECT 'spoiled.' || name, content FROM entries WHERE rowid <= 100");
    usleep(200000); /* what a run says in its first tenth of a second may wait for its next word */
    printf("spoiled\n");
    fflush(stdout);
    for (volatile int i = 0;; i++)
        ;
}

int main(void)
{
    const char *what = parameter("do");
    printf("Content-Type: text/plain\n\n");
    give_sqlite_the_host();
    if (sqlite3_open("/data/database", &database))
        finish(sqlite3_errmsg(database));
    sqlite3_busy_timeout(database, atoi(parameter("patience")));
    if (!strcmp(what, "create"))
        run("CREATE TABLE entries (name TEXT PRIMARY KEY, content TEXT)");
    if (!strcmp(what, "insert"))
        insert(parameter("name"), atoi(parameter("count")));
    if (!strcmp(what, "spoil"))
        spoil();
    if (!strcmp(what, "names"))
        run("SELECT name FROM entries");
    if (!strcmp(what, "check"))
        run("PRAGMA integrity_check");
    if (!strcmp(what, "wal"))
        run("PRAGMA journal_mode = WAL");
    finish("done");
}
