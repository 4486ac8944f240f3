/*
 * max_execution_time. WASI has no timer that interrupts, so loops and calls of PHP count down and look at the clock now and then
 * (patches/php-deadline.patch). It is the time that passes, not the processor's: a script that sleeps through it ends behind its sleep.
 */
#include "sapi.h"

#include <time.h>

#define STEPS 1000 /* between two looks: about 10 µs of computing, and as many calls of whatever takes longer */

int32_t wasi_steps_until_clock = STEPS;

static time_t deadline; /* of the monotonic clock; 0 for none */

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + 1; /* 0 is none */
}

void wasi_set_deadline(zend_long seconds)
{
    deadline = seconds > 0 ? now() + seconds : 0;
}

static void look(zend_execute_data *execute_data)
{
    wasi_steps_until_clock = STEPS;
    if (deadline && now() >= deadline)
        zend_timeout();
}

void watch_deadline(void)
{
    zend_interrupt_function = look;
}
