/* setjmp saves no signal mask, and there is none: the functions that save it are the same. */
#include_next <setjmp.h>
#ifndef SHIM_SETJMP_H
#define SHIM_SETJMP_H

#define sigsetjmp(environment, save_mask) setjmp(environment)
#define siglongjmp(environment, value) longjmp(environment, value)

#endif
