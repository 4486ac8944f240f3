//! The processor time of a thread as another thread reads it: the crates that wrap system calls know only their own.

use std::time::Duration;

/// The clock of the processor time that one thread has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadClock(libc::clockid_t);

impl ThreadClock {
    pub(crate) fn of_this_thread() -> Self {
        let mut clock = libc::CLOCK_THREAD_CPUTIME_ID;
        // SAFETY: the thread that asks is alive, and `clock` can be written to.
        unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
        ThreadClock(clock)
    }

    /// Since the thread began; nothing once it has ended.
    pub(crate) fn now(self) -> Duration {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `time` can be written to; of a clock that is no more, nothing is written.
        unsafe { libc::clock_gettime(self.0, &raw mut time) };
        // Neither is negative.
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread;

    #[test]
    fn a_thread_reads_the_time_of_another_one() {
        let (tell, told) = channel();
        let (end, ended) = channel::<()>();
        let busy = thread::spawn(move || {
            let clock = ThreadClock::of_this_thread();
            while clock.now() < Duration::from_millis(20) {}
            tell.send(clock).unwrap();
            let _ = ended.recv();
        });
        let clock = told.recv().unwrap();
        assert!(clock.now() >= Duration::from_millis(20));
        let before = ThreadClock::of_this_thread().now();
        assert!(before < clock.now());
        drop(end);
        busy.join().unwrap();
    }
}
