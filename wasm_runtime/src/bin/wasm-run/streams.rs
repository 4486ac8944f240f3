//! The standard streams of this process, for the guest.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};
use wasm_runtime::host::{Host, Stop};
use wasm_runtime::run::Limit;

/// Bytes that a pipe takes at once when it says that it takes some (`PIPE_BUF`): writing them does not block.
const AT_ONCE: usize = 4096;

/// How long a message may take.
const TELLING: Duration = Duration::from_secs(1);

pub(crate) struct Streams {
    are_terminals: [bool; 3],
}

impl Streams {
    pub(crate) fn new() -> Self {
        Streams {
            are_terminals: [
                stdin().is_terminal(),
                stdout().is_terminal(),
                stderr().is_terminal(),
            ],
        }
    }
}

impl Host for Streams {
    fn read(&mut self, buffer: &mut [u8], patience: Duration) -> Result<usize, Stop> {
        let stdin = stdin();
        loop {
            wait(stdin.as_fd(), PollFlags::IN, patience)?;
            match rustix::io::read(&stdin, &mut *buffer) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                read => return read.map_err(|errno| failed("standard input", errno)),
            }
        }
    }

    fn write(&mut self, data: &[u8], _flush: bool, patience: Duration) -> Result<(), Stop> {
        write_all(stdout().as_fd(), data, patience, "standard output")
    }

    fn write_error(&mut self, data: &[u8], patience: Duration) -> Result<(), Stop> {
        write_all(stderr().as_fd(), data, patience, "standard error")
    }

    /// Who does not read any more is noticed when something is written, as by any command.
    fn is_connected(&mut self) -> bool {
        true
    }

    fn is_direct(&self) -> bool {
        true
    }

    fn is_terminal(&self, stream: u32) -> bool {
        self.are_terminals.get(stream as usize) == Some(&true)
    }
}

/// Says something on standard error, unless nobody takes it: that must not keep a run from ending whose time is over.
pub(crate) fn tell(text: &str) {
    let _ = write_all(stderr().as_fd(), text.as_bytes(), TELLING, "standard error");
}

/// Past the buffer of the standard library, which has one for standard output.
fn write_all(
    stream: BorrowedFd<'_>,
    mut data: &[u8],
    patience: Duration,
    name: &str,
) -> Result<(), Stop> {
    let end = Instant::now().checked_add(patience);
    while !data.is_empty() {
        let left = end.map_or(Duration::MAX, |end| {
            end.saturating_duration_since(Instant::now())
        });
        wait(stream, PollFlags::OUT, left)?;
        match rustix::io::write(stream, &data[..data.len().min(AT_ONCE)]) {
            Ok(count) => data = &data[count..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(Errno::PIPE) => return Err(Stop::ClientGone),
            Err(errno) => return Err(failed(name, errno)),
        }
    }
    Ok(())
}

/// Waits until something can be read or written.
fn wait(stream: BorrowedFd<'_>, what: PollFlags, patience: Duration) -> Result<(), Stop> {
    // More than it can say is no limit.
    let timeout = Timespec::try_from(patience).ok();
    loop {
        let mut streams = [PollFd::from_borrowed_fd(stream, what)];
        match poll(&mut streams, timeout.as_ref()) {
            Ok(0) => return Err(Stop::Limit(Limit::Time)),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(failed("standard streams", errno)),
        }
    }
}

/// Tells why, which the end of the run does not.
fn failed(stream: &str, errno: Errno) -> Stop {
    // Standard error itself may be what fails.
    let _ = writeln!(stderr(), "wasm-run: {stream}: {errno}");
    Stop::IoFailed
}
