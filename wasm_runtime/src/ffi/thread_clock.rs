//! The processor time of a thread, by the C library: the crate for system calls asks the kernel for its vDSO first, and finds one that is
//! not mapped when the process runs under valgrind.

use std::time::Duration;

/// Processor time that this thread has used.
pub(crate) fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is that of a local value of the right type. Linux has had this clock since 2.6, so the call cannot fail; if it
    // did, the value would stay.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    // Neither is negative.
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
