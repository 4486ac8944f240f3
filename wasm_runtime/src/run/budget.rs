//! What one run may use up: the one place that counts.

use crate::ffi::thread_clock::ThreadClock;
use crate::host::abi::Errno;
use std::time::{Duration, Instant};
use wasmtime::ResourceLimiter;

/// What can run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Wall-clock time. Ends the run.
    Time,
    /// Processor time of the run's thread. Ends the run.
    Cpu,
    /// Linear memories and large tables. More is refused.
    Memory,
    /// Standard output. Ends the run.
    Output,
    /// Standard error. The rest is dropped.
    ErrorOutput,
    /// What is added to mounts. More is refused.
    Written,
    /// What is in the scratch directory. More is refused.
    Scratch,
    /// Scratch directories of all runs at a time. One more is refused.
    ScratchDirectories,
    /// Open descriptors. More are refused.
    Descriptors,
}

/// How much of each a run may use. The largest value of a type is no limit.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Counted from the start of the run.
    pub time: Duration,
    pub cpu: Duration,
    /// Bytes of linear memory, all memories and large tables together.
    pub memory: u64,
    /// Bytes of standard output.
    pub output: u64,
    /// Bytes of standard error, as they take room in a log ([`log_room`]).
    pub error_output: u64,
    /// Bytes that may be added to mounts; an entry of a directory counts as [`ENTRY`].
    pub written: u64,
    /// Bytes in the scratch directory, counted alike.
    pub scratch: u64,
    /// Descriptors at a time, standard streams and mounts among them.
    pub descriptors: u64,
}

impl Limits {
    pub(crate) const UNLIMITED: Limits = Limits {
        time: Duration::MAX,
        cpu: Duration::MAX,
        memory: u64::MAX,
        output: u64::MAX,
        error_output: u64::MAX,
        written: u64::MAX,
        scratch: u64::MAX,
        descriptors: u64::MAX,
    };
}

/// A limit that the run came up against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    pub limit: Limit,
    /// Milliseconds of a time, bytes, or a count.
    pub allowed: u64,
    /// What was used when a time ran out; otherwise the most that would have been in use.
    pub measured: u64,
}

/// Elements that a table may grow to, or more where a module begins with more. The pool reserves room for as many.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 20_000;

/// Bytes of an element of a table.
const TABLE_ELEMENT: u64 = 8;

/// Bytes of tables that do not count: every program has a small one, for its indirect calls.
const FREE_TABLES: u64 = MAX_TABLE_ELEMENTS as u64 * TABLE_ELEMENT;

/// Bytes that a new entry of a directory counts for: a block, and an inode that others cannot have.
pub(crate) const ENTRY: u64 = 4096;

/// Bytes of standard error that a run may write at once, and from then on in a millisecond.
const ERROR_BURST: u64 = 256 << 10;
const ERROR_RATE: u64 = 1 << 10;

/// The times that a run has, as any thread sees them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    started: Instant,
    time: Duration,
    /// Of the run's thread.
    clock: ThreadClock,
    /// What it showed at the start.
    cpu_before: Duration,
    cpu: Duration,
}

impl Times {
    /// The run starts now, on this thread.
    fn start(limits: &Limits) -> Self {
        let clock = ThreadClock::of_this_thread();
        Times {
            started: Instant::now(),
            time: limits.time,
            clock,
            cpu_before: clock.now(),
            cpu: limits.cpu,
        }
    }

    /// The time that has run out, if one has.
    pub(crate) fn over(&self) -> Option<Limit> {
        if self.started.elapsed() >= self.time {
            return Some(Limit::Time);
        }
        (self.cpu_used() >= self.cpu).then_some(Limit::Cpu)
    }

    /// None of them runs out before so long.
    pub(crate) fn left(&self) -> Duration {
        let cpu = self.cpu.saturating_sub(self.cpu_used());
        self.time_left().min(cpu)
    }

    fn time_left(&self) -> Duration {
        self.time.saturating_sub(self.started.elapsed())
    }

    fn cpu_used(&self) -> Duration {
        self.clock.now().saturating_sub(self.cpu_before)
    }
}

/// Counts what a run uses against its limits.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    times: Times,
    /// Bytes of memories that are not the guest's own.
    uncounted: u64,
    memories: u64,
    tables: u64,
    output: u64,
    error_output: u64,
    written: u64,
    scratch: u64,
    exceeded: Vec<Exceeded>,
}

impl Budget {
    /// The run starts now, on this thread.
    pub(crate) fn new(limits: Limits) -> Self {
        Budget {
            times: Times::start(&limits),
            limits,
            uncounted: 0,
            memories: 0,
            tables: 0,
            output: 0,
            error_output: 0,
            written: 0,
            scratch: 0,
            exceeded: Vec::new(),
        }
    }

    pub(crate) fn times(&self) -> Times {
        self.times
    }

    /// So many bytes of memories are the host's.
    pub(crate) fn leave_out(&mut self, bytes: u64) {
        self.uncounted = bytes;
    }

    /// Wall-clock time left.
    pub(crate) fn time_left(&self) -> Duration {
        self.times.time_left()
    }

    /// The time that has run out, if one has.
    pub(crate) fn check_times(&mut self) -> Result<(), Limit> {
        match self.times.over() {
            Some(limit) => Err(self.out_of(limit)),
            None => Ok(()),
        }
    }

    /// The limit ended the run. Of a time, what was used of it is noted.
    pub(crate) fn out_of(&mut self, limit: Limit) -> Limit {
        let (allowed, measured) = match limit {
            Limit::Time => (self.limits.time, self.times.started.elapsed()),
            Limit::Cpu => (self.limits.cpu, self.times.cpu_used()),
            // Noted where it was counted.
            other => return other,
        };
        self.exceed(limit, milliseconds(allowed), milliseconds(measured))
    }

    /// Counts standard output.
    pub(crate) fn take_output(&mut self, bytes: usize) -> Result<(), Limit> {
        self.output = self.output.saturating_add(bytes as u64);
        if self.output > self.limits.output {
            return Err(self.exceed(Limit::Output, self.limits.output, self.output));
        }
        Ok(())
    }

    /// Counts standard error; returns how much of it, from its beginning, is to be passed on.
    pub(crate) fn take_error_output(&mut self, data: &[u8]) -> usize {
        let limit = self.limits.error_output;
        let mut fits = 0;
        for byte in data {
            self.error_output = self.error_output.saturating_add(log_room(*byte));
            fits += usize::from(self.error_output <= limit);
        }
        if fits < data.len() {
            self.exceed(Limit::ErrorOutput, limit, self.error_output);
        }
        fits
    }

    /// When the standard error so far may be passed on: not faster than logs can be kept.
    pub(crate) fn error_output_due(&self) -> Instant {
        let counted = self.error_output.min(self.limits.error_output);
        let late = counted.saturating_sub(ERROR_BURST) / ERROR_RATE;
        self.times.started + Duration::from_millis(late)
    }

    /// How many of `bytes` may be added to files. At least one, unless `bytes` is 0.
    pub(crate) fn may_add(&mut self, account: Limit, bytes: u64) -> Result<u64, Errno> {
        let (used, limit) = (*self.used(account), self.limit_of(account));
        let room = limit.saturating_sub(used);
        if room >= bytes {
            return Ok(bytes);
        }
        let measured = used.saturating_add(bytes);
        self.exceed(account, limit, measured);
        match room {
            0 => Err(Errno::NO_SPACE),
            room => Ok(room),
        }
    }

    /// Whether all of `bytes` may be added to files.
    pub(crate) fn has_room(&mut self, account: Limit, bytes: u64) -> bool {
        self.used(account).saturating_add(bytes) <= self.limit_of(account)
    }

    /// What was added to files is this much, counted afresh.
    pub(crate) fn set_used(&mut self, account: Limit, bytes: u64) {
        *self.used(account) = bytes;
    }

    /// The run wanted a scratch directory, and all of that many were taken.
    pub(crate) fn no_scratch_of(&mut self, count: u32) {
        self.exceed(
            Limit::ScratchDirectories,
            u64::from(count),
            u64::from(count) + 1,
        );
    }

    /// Counts what was added to files.
    pub(crate) fn added(&mut self, account: Limit, bytes: u64) {
        let used = self.used(account);
        *used = used.saturating_add(bytes);
    }

    /// Does what adds `bytes`, if there is room for all of them, and counts them once it is done.
    pub(crate) fn grow<T>(
        &mut self,
        account: Limit,
        bytes: u64,
        operation: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        if self.may_add(account, bytes)? < bytes {
            return Err(Errno::NO_SPACE);
        }
        let done = operation()?;
        self.added(account, bytes);
        Ok(done)
    }

    /// Whether what is added there is limited at all.
    pub(crate) fn counts(&self, account: Limit) -> bool {
        self.limit_of(account) < u64::MAX
    }

    fn limit_of(&self, account: Limit) -> u64 {
        match account {
            Limit::Scratch => self.limits.scratch,
            _ => self.limits.written,
        }
    }

    fn used(&mut self, account: Limit) -> &mut u64 {
        match account {
            Limit::Scratch => &mut self.scratch,
            _ => &mut self.written,
        }
    }

    /// Whether one descriptor more than `open` may be.
    pub(crate) fn has_descriptor(&self, open: usize) -> bool {
        (open as u64) < self.limits.descriptors
    }

    /// The guest was refused a descriptor beside the `open` ones.
    pub(crate) fn no_descriptor(&mut self, open: usize) -> Errno {
        self.exceed(Limit::Descriptors, self.limits.descriptors, open as u64 + 1);
        Errno::TOO_MANY_FILES
    }

    fn may_grow(&mut self, memories: u64, tables: u64) -> bool {
        let counted = memories.saturating_sub(self.uncounted);
        let total = counted.saturating_add(tables.saturating_sub(FREE_TABLES));
        if total > self.limits.memory {
            self.exceed(Limit::Memory, self.limits.memory, total);
            return false;
        }
        (self.memories, self.tables) = (memories, tables);
        true
    }

    fn exceed(&mut self, limit: Limit, allowed: u64, measured: u64) -> Limit {
        match self.exceeded.iter_mut().find(|known| known.limit == limit) {
            Some(known) => known.measured = known.measured.max(measured),
            None => self.exceeded.push(Exceeded {
                limit,
                allowed,
                measured,
            }),
        }
        limit
    }

    pub(crate) fn has_exceeded(&self, limit: Limit) -> bool {
        self.exceeded.iter().any(|known| known.limit == limit)
    }

    /// The limits that the run came up against.
    pub(crate) fn into_exceeded(self) -> Vec<Exceeded> {
        self.exceeded
    }
}

/// What was allowed once stays counted: a growth that the system refuses afterwards is at the expense of the run.
impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        Ok(self.may_grow(self.memories.saturating_add(growth), self.tables))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = (desired.saturating_sub(current) as u64).saturating_mul(TABLE_ELEMENT);
        Ok(self.may_grow(self.memories, self.tables.saturating_add(growth)))
    }
}

/// Bytes that a byte of standard error takes in a log: unprintable ones are escaped, and each line has a prefix.
fn log_room(byte: u8) -> u64 {
    match byte {
        b'\n' => 100,
        b'"' | b'\\' => 4,
        b' '..=b'~' => 1,
        _ => 4,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_memory(memory: u64) -> Budget {
        Budget::new(Limits {
            memory,
            ..Limits::UNLIMITED
        })
    }

    #[test]
    fn memories_share_one_limit() {
        let mut budget = with_memory(100);
        assert!(budget.memory_growing(0, 60, None).unwrap());
        assert!(!budget.memory_growing(0, 50, None).unwrap());
        assert!(budget.memory_growing(60, 100, None).unwrap());
        let exceeded = Exceeded {
            limit: Limit::Memory,
            allowed: 100,
            measured: 110,
        };
        assert_eq!(budget.into_exceeded(), [exceeded]);
    }

    #[test]
    fn small_tables_are_free_and_large_ones_count() {
        let mut budget = with_memory(100);
        assert!(budget.table_growing(0, MAX_TABLE_ELEMENTS, None).unwrap());
        assert!(budget.memory_growing(0, 90, None).unwrap());
        let more = MAX_TABLE_ELEMENTS + 1;
        assert!(
            budget
                .table_growing(MAX_TABLE_ELEMENTS, more, None)
                .unwrap()
        );
        assert!(!budget.table_growing(more, more + 1, None).unwrap());
        assert!(budget.has_exceeded(Limit::Memory));
    }

    #[test]
    fn sizes_beyond_counting_are_refused() {
        let mut budget = with_memory(100);
        assert!(!budget.table_growing(0, usize::MAX, None).unwrap());
        assert!(!budget.memory_growing(0, usize::MAX, None).unwrap());
    }

    #[test]
    fn processor_time_is_that_of_the_thread_since_the_start() {
        let mut budget = Budget::new(Limits {
            cpu: Duration::from_millis(20),
            ..Limits::UNLIMITED
        });
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(budget.check_times(), Ok(()), "sleeping costs none");
        while budget.check_times().is_ok() {}
        assert!(budget.has_exceeded(Limit::Cpu));
    }

    #[test]
    fn what_still_fits_may_be_added() {
        let mut budget = Budget::new(Limits {
            written: 10,
            ..Limits::UNLIMITED
        });
        assert_eq!(budget.may_add(Limit::Written, 8), Ok(8));
        budget.added(Limit::Written, 8);
        assert_eq!(budget.may_add(Limit::Written, 8), Ok(2));
        budget.added(Limit::Written, 2);
        assert_eq!(budget.may_add(Limit::Written, 1), Err(Errno::NO_SPACE));
        assert_eq!(budget.may_add(Limit::Written, 0), Ok(0));
        assert_eq!(budget.may_add(Limit::Scratch, 1 << 40), Ok(1 << 40));
        assert_eq!(budget.into_exceeded()[0].measured, 16);
    }

    #[test]
    fn an_entry_counts_once_it_is_made() {
        let mut budget = Budget::new(Limits {
            written: 2 * ENTRY - 1,
            ..Limits::UNLIMITED
        });
        let failed: Result<(), _> = budget.grow(Limit::Written, ENTRY, || Err(Errno::EXISTS));
        assert_eq!(failed, Err(Errno::EXISTS));
        assert_eq!(budget.grow(Limit::Written, ENTRY, || Ok(1)), Ok(1));
        let refused = budget.grow(Limit::Written, ENTRY, || Ok(1));
        assert_eq!(refused, Err(Errno::NO_SPACE));
    }

    #[test]
    fn standard_error_counts_as_the_log_holds_it() {
        let mut budget = Budget::new(Limits {
            error_output: 110,
            ..Limits::UNLIMITED
        });
        assert_eq!(budget.take_error_output(b"ab\xff\n"), 4);
        assert_eq!(budget.take_error_output(b"12345"), 4);
        assert_eq!(budget.take_error_output(b"6"), 0);
        assert_eq!(budget.into_exceeded()[0].measured, 112);
    }
}
