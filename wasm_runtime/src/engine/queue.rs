//! Admission: how many guests run at a time in this process, and how the others wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Why no permit was given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    TimedOut,
    Stopped,
}

#[derive(Debug, Default)]
struct Counts {
    running: usize,
    waiting: usize,
}

/// A counting semaphore that can be stopped for good.
#[derive(Debug)]
pub(crate) struct Queue {
    capacity: usize,
    counts: Mutex<Counts>,
    freed: Condvar,
    /// Wakes the ticker when the first guest starts and when the queue is stopped.
    active: Condvar,
    stopped: AtomicBool,
}

/// The right to run one guest; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    queue: Arc<Queue>,
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Queue {
            capacity,
            counts: Mutex::default(),
            freed: Condvar::new(),
            active: Condvar::new(),
            stopped: AtomicBool::new(false),
        })
    }

    /// Waits up to `patience` for a free place.
    pub(crate) fn enter(self: &Arc<Self>, patience: Duration) -> Result<Permit, Refused> {
        let give_up = Instant::now().checked_add(patience);
        let mut counts = self.lock();
        counts.waiting += 1;
        while counts.running >= self.capacity && !self.is_stopped() {
            let left = give_up.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                counts.waiting -= 1;
                return Err(Refused::TimedOut);
            }
            counts = self.wait(&self.freed, counts, left);
        }
        counts.waiting -= 1;
        if self.is_stopped() {
            return Err(Refused::Stopped);
        }
        counts.running += 1;
        if counts.running == 1 {
            self.active.notify_one();
        }
        Ok(Permit {
            queue: Arc::clone(self),
        })
    }

    /// Refuses everybody from now on, those who wait included.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _counts = self.lock();
        self.freed.notify_all();
        self.active.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Blocks while no guest runs. False: the queue was stopped and nothing runs any more.
    pub(crate) fn wait_until_active(&self) -> bool {
        let mut counts = self.lock();
        while counts.running == 0 {
            if self.is_stopped() {
                return false;
            }
            counts = self.wait(&self.active, counts, None);
        }
        true
    }

    fn leave(&self) {
        let mut counts = self.lock();
        counts.running -= 1;
        if counts.waiting > 0 {
            self.freed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while the lock is held, and the counts stay true if something did.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        condition: &Condvar,
        counts: MutexGuard<'a, Counts>,
        left: Option<Duration>,
    ) -> MutexGuard<'a, Counts> {
        match left {
            Some(left) => {
                let woken = condition.wait_timeout(counts, left);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let woken = condition.wait(counts);
                woken.unwrap_or_else(PoisonError::into_inner)
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.queue.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_full_queue_times_out_and_opens_again() {
        let queue = Queue::new(1);
        let permit = queue.enter(Duration::ZERO).unwrap();
        assert_eq!(
            queue.enter(Duration::from_millis(10)).unwrap_err(),
            Refused::TimedOut
        );
        drop(permit);
        assert!(queue.enter(Duration::ZERO).is_ok());
    }

    #[test]
    fn a_waiter_gets_the_place_that_is_given_back() {
        let queue = Queue::new(1);
        let permit = queue.enter(Duration::ZERO).unwrap();
        let waiter = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.enter(LONG).is_ok()
        });
        while queue.lock().waiting == 0 {
            thread::yield_now();
        }
        drop(permit);
        assert!(waiter.join().unwrap());
    }

    #[test]
    fn stopping_wakes_those_who_wait() {
        let queue = Queue::new(1);
        let _permit = queue.enter(Duration::ZERO).unwrap();
        let waiter = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.enter(LONG).unwrap_err()
        });
        while queue.lock().waiting == 0 {
            thread::yield_now();
        }
        queue.stop();
        assert_eq!(waiter.join().unwrap(), Refused::Stopped);
    }

    #[test]
    fn the_ticker_rests_while_nothing_runs() {
        let queue = Queue::new(1);
        let permit = queue.enter(Duration::ZERO).unwrap();
        assert!(queue.wait_until_active());
        queue.stop();
        assert!(queue.wait_until_active(), "a guest still runs");
        drop(permit);
        assert!(!queue.wait_until_active());
    }
}
