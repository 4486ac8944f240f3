/*
 * A sandbox loads no code: extensions are linked in. PHP answers to `extension=` in php.ini and to dl(): a warning, "Unable to load dynamic library",
 * with the sentence below.
 */
#include <dlfcn.h>
#include <stddef.h>

void *dlopen(const char *path, int flags)
{
    return NULL;
}

char *dlerror(void)
{
    return "extensions are linked into PHP for WebAssembly, none is loaded";
}

void *dlsym(void *library, const char *name)
{
    return NULL;
}

int dlclose(void *library)
{
    return 0;
}
