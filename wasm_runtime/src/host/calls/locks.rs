//! `fd_lock`, of the module `mod_wasm`.

use super::{Answer, Call};
use crate::host::abi::Errno;
use crate::host::files::Lock;
use std::time::{Duration, Instant};

/// Between two attempts, at first and at most. The system call that waits by itself would know no deadline.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

impl Call<'_> {
    pub(in crate::host) fn fd_lock(
        &mut self,
        fd: u32,
        kind: u32,
        start: i64,
        length: i64,
        timeout: i64,
    ) -> Answer {
        let lock = Lock::new(kind, start, length)?;
        let end = end_of_wait(timeout)?;
        let mut pause = FIRST_PAUSE;
        while !self.sandbox.files.lock(fd, lock)? {
            let now = Instant::now();
            if end.is_some_and(|end| now >= end) {
                return Err(Errno::AGAIN.into());
            }
            let next = now + pause;
            self.sandbox.io.flush()?;
            self.sandbox
                .io
                .sleep_until(end.map_or(next, |end| end.min(next)))?;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }
}

/// When to give up; `None`: with the run. `timeout` in milliseconds, -1: none.
fn end_of_wait(timeout: i64) -> Result<Option<Instant>, Errno> {
    match u64::try_from(timeout) {
        Ok(timeout) => Ok(Instant::now().checked_add(Duration::from_millis(timeout))),
        Err(_) if timeout == -1 => Ok(None),
        Err(_) => Err(Errno::INVALID),
    }
}
