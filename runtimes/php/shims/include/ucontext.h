/* Contexts that run to completion on the stack of whoever starts them: what PHP's fibers are made of here. See ../fibers.c. */
#ifndef SHIM_UCONTEXT_H
#define SHIM_UCONTEXT_H

#include <setjmp.h>
#include <stddef.h>

typedef struct {
    void *ss_sp;
    size_t ss_size;
    int ss_flags;
} shim_stack_t;

typedef struct ucontext {
    struct ucontext *uc_link;
    shim_stack_t uc_stack;
    void (*entry)(void);
    enum { SHIM_CONTEXT_RUNNING, SHIM_CONTEXT_NEW, SHIM_CONTEXT_WAITING } state;
    jmp_buf waiting;
} ucontext_t;

int getcontext(ucontext_t *context);
void makecontext(ucontext_t *context, void (*entry)(void), int argument_count, ...);
int swapcontext(ucontext_t *from, const ucontext_t *to);

#endif
