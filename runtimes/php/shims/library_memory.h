/* What libraries hold of malloc's memory, and whether it fits into memory_limit. */
#ifndef SHIM_LIBRARY_MEMORY_H
#define SHIM_LIBRARY_MEMORY_H

#include <stddef.h>

/* From now on it counts, for one request; until then. What is held at the first call is PHP's own, and never counts. */
void begin_counting_libraries(void);
void end_counting_libraries(void);

/* malloc and realloc for callers that cannot be left in their midst: NULL where there is no memory, and PHP goes on. */
void *malloc_or_null(size_t size);
void *realloc_or_null(void *memory, size_t size);

#endif
