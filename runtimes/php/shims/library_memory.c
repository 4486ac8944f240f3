/*
 * Memory of libraries (libxml2, libpng, libjpeg, libwebp, freetype, oniguruma, PCRE, SQLite and others) counts against memory_limit: malloc and
 * its like, wrapped by the linker (steps/link.sh), add up what is held, and PHP's allocator takes it for its own (patches/php-memory.patch).
 *
 * Where it does not fit, the script ends in the error "Allowed memory size of ... bytes exhausted", by the jump that ends it in PHP's allocator. So a
 * library is left in its midst. What it holds goes with the sandbox; no library is asked for anything afterwards but to free. SQLite is the
 * exception: it has files in its hands, and gets NULL (shims/sqlite.c), from which it recovers by itself.
 */
#include "library_memory.h"

#include <stdbool.h>
#include <stdlib.h>

#include "php.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void __real_free(void *memory);
size_t malloc_usable_size(void *memory);

bool zend_mm_outside_fits(size_t size);
void zend_mm_set_outside(size_t size);
ZEND_NORETURN void zend_mm_outside_exhausted(bool by_limit, size_t size);

static size_t held, held_by_php;
static bool counting;

void begin_counting_libraries(void)
{
    held_by_php = held;
    counting = true;
}

void end_counting_libraries(void)
{
    if (counting)
        zend_mm_set_outside(0);
    counting = false;
}

static void change(size_t before, size_t now)
{
    held += now - before;
    if (counting)
        zend_mm_set_outside(held > held_by_php ? held - held_by_php : 0);
}

/* Ends the script, if one runs. */
static void refuse(bool by_limit, size_t size)
{
    if (counting && EG(bailout) && !zend_alloc_in_memory_limit_error_reporting())
        zend_mm_outside_exhausted(by_limit, size);
}

static bool fits(size_t size)
{
    return !counting || zend_mm_outside_fits(size);
}

/* What came of a request for `size` more bytes. */
static void *taken(void *memory, size_t before, size_t size)
{
    if (memory)
        change(before, malloc_usable_size(memory));
    else if (size)
        refuse(false, size);
    return memory;
}

static size_t size_of(void *memory)
{
    return memory ? malloc_usable_size(memory) : 0;
}

static size_t growth(void *memory, size_t size)
{
    size_t before = size_of(memory);

    return size > before ? size - before : 0;
}

void *__wrap_malloc(size_t size)
{
    if (!fits(size))
        refuse(true, size);
    return taken(__real_malloc(size), 0, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    if (!fits(bytes))
        refuse(true, bytes);
    return taken(__real_calloc(count, size), 0, bytes);
}

void *__wrap_realloc(void *memory, size_t size)
{
    size_t before = size_of(memory);

    if (!fits(growth(memory, size)))
        refuse(true, size);
    return taken(__real_realloc(memory, size), before, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (!fits(size))
        refuse(true, size);
    return taken(__real_aligned_alloc(alignment, size), 0, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    int error;

    if (!fits(size))
        refuse(true, size);
    error = __real_posix_memalign(memory, alignment, size);
    if (!error)
        taken(*memory, 0, size);
    return error;
}

void __wrap_free(void *memory)
{
    if (memory)
        change(malloc_usable_size(memory), 0);
    __real_free(memory);
}

void *malloc_or_null(size_t size)
{
    void *memory = fits(size) ? __real_malloc(size) : NULL;

    if (memory)
        change(0, malloc_usable_size(memory));
    return memory;
}

void *realloc_or_null(void *memory, size_t size)
{
    size_t before = size_of(memory);
    void *moved = fits(growth(memory, size)) ? __real_realloc(memory, size) : NULL;

    if (moved)
        change(before, malloc_usable_size(moved));
    return moved;
}
