/*
 * Recursion in C that nothing of PHP counts (freeing, comparing and printing what is nested) ends when the engine's stack does. The engine then unwinds
 * all, and calls here, with the memory as it was: PHP says so, and ends the request as after any fatal error. Where that frees what is nested, the
 * stack ends again, and nothing is left to do but to pass the output on.
 */
#include "sapi.h"

#include <stdlib.h>

#define ROOM ((size_t)256 << 10) /* of the stack, for shutdown functions */

static bool told;

__attribute__((export_name("mod_wasm_stack_exhausted"))) void stack_is_exhausted(void)
{
    if (!script_has_begun())
        return;
    if (told)
        exit(end_script(255));
    told = true;
    EG(stack_limit) = (char *)__builtin_frame_address(0) - ROOM;
    zend_first_try {
        zend_error_noreturn(E_ERROR, "Maximum call stack size reached. Infinite recursion?");
    } zend_end_try();
    exit(end_script(exit_status(EG(exit_status))));
}
