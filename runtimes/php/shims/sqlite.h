#ifndef SHIM_SQLITE_H
#define SHIM_SQLITE_H

/* Locks and random numbers. To be called before the first database is opened. */
void give_sqlite_the_host(void);
/* sqlite_memory.c: its memory counts against memory_limit. To be called before all else of SQLite. */
void count_memory_of_sqlite(void);

#endif
