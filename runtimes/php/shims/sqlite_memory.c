/*
 * SQLite's memory: where memory_limit leaves too little, it gets none, undoes what it was at, and says "out of memory". A jump out of it could leave a
 * transaction half done in its own eyes.
 */
#include "library_memory.h"
#include "sqlite.h"

#include <malloc.h>
#include <sqlite3.h>
#include <stdlib.h>

static void *take_memory(int size)
{
    return malloc_or_null(size);
}

static void *change_memory(void *memory, int size)
{
    return realloc_or_null(memory, size);
}

static int size_of_memory(void *memory)
{
    return memory ? malloc_usable_size(memory) : 0;
}

static int round_up(int size)
{
    return (size + 7) & ~7;
}

static int begin_memory(void *data)
{
    return SQLITE_OK;
}

static void end_memory(void *data)
{
}

static const sqlite3_mem_methods memory = {
    take_memory, free, change_memory, size_of_memory, round_up, begin_memory, end_memory, NULL,
};

void count_memory_of_sqlite(void)
{
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
}
