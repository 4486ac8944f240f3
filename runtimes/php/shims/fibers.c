/*
 * Contexts without stacks of their own: a new one runs on the stack of whoever switches to it. So it can go back to one that waits below it,
 * once, by ending; it cannot be left and entered again. PHP's fibers end so: patches/fibers.patch refuses Fiber::suspend() before
 * it comes here.
 */
#include <stdlib.h>
#include <ucontext.h>

int getcontext(ucontext_t *context)
{
    context->state = SHIM_CONTEXT_RUNNING;
    return 0;
}

void makecontext(ucontext_t *context, void (*entry)(void), int argument_count, ...)
{
    context->entry = entry;
    context->state = SHIM_CONTEXT_NEW;
}

int swapcontext(ucontext_t *from, const ucontext_t *target)
{
    ucontext_t *to = (ucontext_t *)target;

    if (to->state == SHIM_CONTEXT_WAITING)
        longjmp(to->waiting, 1);
    if (to->state != SHIM_CONTEXT_NEW)
        abort();
    from->state = SHIM_CONTEXT_WAITING;
    if (!setjmp(from->waiting)) {
        to->state = SHIM_CONTEXT_RUNNING;
        to->entry();
        abort();
    }
    from->state = SHIM_CONTEXT_RUNNING;
    return 0;
}
