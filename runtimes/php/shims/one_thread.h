/*
 * What ICU takes from <mutex> and <condition_variable>, which libc++ has not where there are no threads. Included before every file of it.
 * Nobody else holds a lock, and nobody else could end a wait.
 */
#ifndef SHIM_ONE_THREAD_H
#define SHIM_ONE_THREAD_H

#include <mutex>

namespace std {

class mutex {
public:
    void lock() {}
    void unlock() {}
};

class condition_variable {
public:
    void wait(unique_lock<mutex> &) { __builtin_trap(); }
    void notify_all() {}
};

}

#endif
