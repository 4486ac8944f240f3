/* A run that writes to 5 MiB in 64 places, which is more than the engine looks at. */
#define WRITTEN 5120
#define PLACES 64
#include "write_memory.h"
