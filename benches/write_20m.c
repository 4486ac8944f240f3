/* A run that writes to 20 MiB. */
#define WRITTEN 20480
#define PLACES 1
#include "write_memory.h"
