/* A run that writes to 5 MiB. */
#define WRITTEN 5120
#define PLACES 1
#include "write_memory.h"
