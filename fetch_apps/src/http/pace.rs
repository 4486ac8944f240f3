//! A body that has to keep coming: each wait is bounded by the client's time-out, and this bounds their number.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// A server that drips fewer bytes than these in the window is treated as one that stopped.
const LEAST: u64 = 64 * 1024;

pub(super) struct Paced<R> {
    inner: R,
    window: Duration,
    since: Instant,
    received: u64,
}

impl<R> Paced<R> {
    pub(super) fn new(inner: R, window: Duration) -> Self {
        Self {
            inner,
            window,
            since: Instant::now(),
            received: 0,
        }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.received += count as u64;
        // The end is welcome however late it comes.
        if count == 0 || self.since.elapsed() <= self.window {
            return Ok(count);
        }
        if self.received < LEAST {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "it became too slow",
            ));
        }
        (self.since, self.received) = (Instant::now(), 0);
        Ok(count)
    }
}
