/* A run that writes to 0.3 MiB. */
#define WRITTEN 300
#define PLACES 1
#include "write_memory.h"
