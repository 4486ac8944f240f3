#ifndef SHIM_SQLITE_H
#define SHIM_SQLITE_H

/* Locks and random numbers. To be called before the first database is opened. */
void give_sqlite_the_host(void);

#endif
