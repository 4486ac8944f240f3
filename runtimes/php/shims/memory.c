/*
 * mmap and munmap for anonymous memory, straight from memory.grow: what PHP's allocator and OPcache take their memory from. Both want
 * addresses that are multiples of 2 MiB, so that is the unit of all of it; smaller requests come from malloc. A mapping is given back whole or by whole
 * units (patches/php-memory.patch). Who names an address gets that or none: PHP's allocator asks so for what follows a block that grows.
 *
 * A mapping of a file is refused (ENODEV). PHP reads such files instead. mprotect has nothing to protect, and says so by success: who calls it,
 * OPcache for opcache.protect_memory and fibers for the page below their stack, looks for bugs of PHP.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define UNIT ((size_t)2 << 20)
#define WASM_PAGE ((size_t)65536)
#define UNITS ((size_t)1 << 11) /* of an address space of 4 GiB */

/* Which units are ours and free. */
static bool unused[UNITS];

static size_t units_of(size_t size)
{
    return size / UNIT + (size % UNIT != 0);
}

static void *take_unused(size_t units)
{
    size_t run = 0;

    for (size_t i = 0; i < UNITS; i++) {
        run = unused[i] ? run + 1 : 0;
        if (run < units)
            continue;
        i = i + 1 - units;
        memset(unused + i, 0, units);
        return memset((void *)(i * UNIT), 0, units * UNIT);
    }
    return NULL;
}

/* New memory is zero. What lies between its begin and the first unit stays with nobody: less than a unit, and malloc grows there too. */
static void *take_new(size_t units)
{
    size_t end = __builtin_wasm_memory_size(0) * WASM_PAGE;
    size_t start = (end + UNIT - 1) / UNIT;

    if (start + units > UNITS)
        return NULL;
    size_t pages = ((start + units) * UNIT - end) / WASM_PAGE;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX)
        return NULL;
    return (void *)(start * UNIT);
}

/* Memory from unit `start` on, where all of that is free: given back before, or new. */
static void *take_at(size_t start, size_t units)
{
    size_t end = __builtin_wasm_memory_size(0) * WASM_PAGE, old = 0;

    if (start + units > UNITS)
        return NULL;
    while (old < units && (start + old) * UNIT < end) {
        if (!unused[start + old++])
            return NULL;
    }
    size_t last = (start + units) * UNIT;
    if (last > end && __builtin_wasm_memory_grow(0, (last - end) / WASM_PAGE) == SIZE_MAX)
        return NULL;
    memset(unused + start, 0, units);
    return memset((void *)(start * UNIT), 0, old * UNIT);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *memory;

    if (!(flags & MAP_ANON) || (flags & MAP_FIXED)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    if (size < UNIT) {
        memory = aligned_alloc(WASM_PAGE, (size + WASM_PAGE - 1) / WASM_PAGE * WASM_PAGE);
        if (memory)
            return memset(memory, 0, size);
    } else if (address) {
        memory = take_at((uintptr_t)address / UNIT, units_of(size));
        if (memory)
            return memory;
    } else {
        memory = take_unused(units_of(size));
        if (!memory)
            memory = take_new(units_of(size));
        if (memory)
            return memory;
    }
    errno = ENOMEM;
    return MAP_FAILED;
}

int munmap(void *address, size_t size)
{
    if (size < UNIT)
        free(address);
    else
        memset(unused + (uintptr_t)address / UNIT, true, units_of(size));
    return 0;
}

int mprotect(void *address, size_t size, int protection)
{
    return 0;
}
