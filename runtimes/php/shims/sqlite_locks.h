#ifndef SHIM_SQLITE_LOCKS_H
#define SHIM_SQLITE_LOCKS_H

/* To be called before the first database is opened. */
void use_host_locks(void);

#endif
