//! `poll_oneoff` of our own, for both generations of WASI.
//!
//! The engine's version sleeps in one piece when blocking is allowed, beyond every deadline. This one flushes the
//! response, waits in slices, and looks at the deadline, the client and the server between them.

use super::Clock;
use super::abi::{Errno, Generation};
use super::calls::Failure;
use super::streams::RunIo;
use std::time::{Duration, Instant, SystemTime};

/// Most subscriptions in one call: a guest must not keep the host busy at will.
const MAX_SUBSCRIPTIONS: usize = 4096;

const EVENT_SIZE: usize = 32;

/// Where the generations put the parts of a subscription, as byte offsets (witx of `wasi_unstable` and
/// `wasi_snapshot_preview1`).
#[derive(Clone, Copy)]
struct Layout {
    size: usize,
    clock_id: usize,
    clock_timeout: usize,
    clock_flags: usize,
}

const PREVIEW0: Layout = Layout {
    size: 56,
    clock_id: 24,
    clock_timeout: 32,
    clock_flags: 48,
};

const PREVIEW1: Layout = Layout {
    size: 48,
    clock_id: 16,
    clock_timeout: 24,
    clock_flags: 40,
};

const TAG: usize = 8;
const TAG_CLOCK: u8 = 0;
const TAG_FD_WRITE: u8 = 2;
const CLOCK_REALTIME: u32 = 0;
const CLOCK_MONOTONIC: u32 = 1;
const FLAG_ABSOLUTE: u16 = 1;

/// What a guest waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wait {
    Until(Instant),
    /// A file descriptor: files, standard input and output never make a guest wait here; a read that has to wait for
    /// the client does so itself.
    Ready,
    Invalid,
}

struct Subscription {
    userdata: [u8; 8],
    tag: u8,
    wait: Wait,
}

/// The subscriptions of a call, read from the guest's memory where they are looked at: a list would be memory of the host.
struct Subscriptions {
    layout: Layout,
    start: usize,
    count: usize,
    /// The guest's monotonic clock.
    clock: Clock,
    /// When the guest called, by both clocks.
    now: Instant,
    today: Duration,
}

/// One call. `memory` is the guest's, `clock` its monotonic clock.
pub(super) fn poll_oneoff(
    memory: &mut [u8],
    io: &mut RunIo,
    clock: Clock,
    generation: Generation,
    [subscriptions, events, count, count_out]: [u32; 4],
) -> Result<(), Failure> {
    let layout = match generation {
        Generation::Preview0 => PREVIEW0,
        Generation::Preview1 => PREVIEW1,
    };
    let count = count as usize;
    if count == 0 || count > MAX_SUBSCRIPTIONS {
        return Err(Errno::INVALID.into());
    }
    let subscriptions = Subscriptions {
        layout,
        start: subscriptions as usize,
        count,
        clock,
        now: Instant::now(),
        today: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
    };
    if let Some(earliest) = subscriptions.earliest(memory).ok_or(Errno::FAULT)? {
        io.flush()?;
        io.sleep_until(earliest)?;
    }
    let ready = subscriptions.write_events(memory, events as usize);
    let stored = ready.and_then(|ready| {
        let target = memory.get_mut(count_out as usize..)?.get_mut(..4)?;
        target.copy_from_slice(&ready.to_le_bytes());
        Some(())
    });
    Ok(stored.ok_or(Errno::FAULT)?)
}

fn field<const N: usize>(chunk: &[u8], offset: usize) -> Option<[u8; N]> {
    chunk.get(offset..offset + N)?.try_into().ok()
}

/// `None`: the guest points outside of its memory.
impl Subscriptions {
    fn get(&self, memory: &[u8], index: usize) -> Option<Subscription> {
        let start = self.start.checked_add(index * self.layout.size)?;
        let chunk = memory.get(start..)?.get(..self.layout.size)?;
        Some(Subscription {
            userdata: field(chunk, 0)?,
            tag: chunk[TAG],
            wait: self.wait_of(chunk)?,
        })
    }

    fn wait_of(&self, chunk: &[u8]) -> Option<Wait> {
        match chunk[TAG] {
            TAG_CLOCK => {}
            1..=TAG_FD_WRITE => return Some(Wait::Ready),
            _ => return Some(Wait::Invalid),
        }
        let layout = self.layout;
        let id = u32::from_le_bytes(field(chunk, layout.clock_id)?);
        let timeout = Duration::from_nanos(u64::from_le_bytes(field(chunk, layout.clock_timeout)?));
        let flags = u16::from_le_bytes(field(chunk, layout.clock_flags)?);
        let until = match (id, flags & FLAG_ABSOLUTE != 0) {
            (CLOCK_REALTIME | CLOCK_MONOTONIC, false) => self.now.checked_add(timeout),
            (CLOCK_MONOTONIC, true) => self.clock.instant(timeout),
            (CLOCK_REALTIME, true) => self.now.checked_add(timeout.saturating_sub(self.today)),
            _ => return Some(Wait::Invalid),
        };
        Some(until.map_or(Wait::Invalid, Wait::Until))
    }

    /// The time at which the first one is ready; `None` within: one is ready already.
    fn earliest(&self, memory: &[u8]) -> Option<Option<Instant>> {
        let mut earliest = None;
        for index in 0..self.count {
            match self.get(memory, index)?.wait {
                Wait::Until(time) => {
                    earliest = Some(earliest.map_or(time, |earlier: Instant| earlier.min(time)));
                }
                Wait::Ready | Wait::Invalid => return Some(None),
            }
        }
        Some(earliest)
    }

    fn write_events(&self, memory: &mut [u8], start: usize) -> Option<u32> {
        let now = Instant::now();
        let mut ready = 0;
        for index in 0..self.count {
            let subscription = self.get(memory, index)?;
            let errno = match subscription.wait {
                Wait::Until(time) if time > now => continue,
                Wait::Until(_) | Wait::Ready => 0,
                Wait::Invalid => Errno::INVALID.code(),
            };
            let event = memory
                .get_mut(start..)?
                .get_mut(ready as usize * EVENT_SIZE..)?
                .get_mut(..EVENT_SIZE)?;
            event.fill(0);
            event[..8].copy_from_slice(&subscription.userdata);
            event[8..10].copy_from_slice(&(errno as u16).to_le_bytes());
            event[10] = subscription.tag;
            ready += 1;
        }
        Some(ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::streams::DEADLINE;
    use crate::host::streams::tests::{Recorder, io};

    const EVENTS: u32 = 1024;
    const COUNT_OUT: u32 = 2048;
    const SUCCESS: Errno = Errno::NONE;

    fn unlimited() -> RunIo {
        io(&Recorder::default(), Duration::MAX)
    }

    fn clock(memory: &mut [u8], layout: Layout, index: usize, nanoseconds: u64) {
        let chunk = &mut memory[index * layout.size..][..layout.size];
        chunk[0] = 7 + index as u8;
        chunk[layout.clock_id] = CLOCK_MONOTONIC as u8;
        chunk[layout.clock_timeout..][..8].copy_from_slice(&nanoseconds.to_le_bytes());
    }

    /// An errno, or `None` when the guest is ended.
    fn call(
        memory: &mut [u8],
        io: &mut RunIo,
        generation: Generation,
        subscriptions: u32,
        count: u32,
    ) -> Option<Errno> {
        let arguments = [subscriptions, EVENTS, count, COUNT_OUT];
        match poll_oneoff(memory, io, Clock::new(), generation, arguments) {
            Ok(()) => Some(SUCCESS),
            Err(Failure::Errno(errno)) => Some(errno),
            Err(Failure::Stop(_)) => None,
        }
    }

    #[test]
    fn the_shortest_clock_wins_in_both_generations() {
        for (layout, generation) in [
            (PREVIEW0, Generation::Preview0),
            (PREVIEW1, Generation::Preview1),
        ] {
            let mut memory = vec![0; 4096];
            clock(&mut memory, layout, 0, 3_600_000_000_000);
            clock(&mut memory, layout, 1, 1_000_000);
            let result = call(&mut memory, &mut unlimited(), generation, 0, 2);
            assert_eq!(result, Some(SUCCESS));
            assert_eq!(memory[COUNT_OUT as usize], 1);
            assert_eq!(memory[EVENTS as usize], 8, "userdata of the second");
        }
    }

    #[test]
    fn a_long_sleep_ends_at_the_deadline() {
        let mut memory = vec![0; 4096];
        clock(&mut memory, PREVIEW1, 0, 3_600_000_000_000);
        let mut io = io(&Recorder::default(), Duration::from_millis(20));
        assert_eq!(call(&mut memory, &mut io, Generation::Preview1, 0, 1), None);
        assert_eq!(io.stopped(), Some(DEADLINE));
    }

    #[test]
    fn descriptors_are_ready_at_once_beside_a_clock() {
        let mut memory = vec![0; 4096];
        clock(&mut memory, PREVIEW1, 0, 3_600_000_000_000);
        memory[PREVIEW1.size + TAG] = 1;
        assert_eq!(
            call(&mut memory, &mut unlimited(), Generation::Preview1, 0, 2),
            Some(SUCCESS)
        );
        assert_eq!(memory[COUNT_OUT as usize], 1);
        assert_eq!(memory[EVENTS as usize + 10], 1);
    }

    #[test]
    fn events_may_take_the_place_of_their_subscriptions() {
        let mut memory = vec![0; 4096];
        for index in 0..3 {
            clock(&mut memory, PREVIEW1, index, 0);
        }
        let arguments = [0, 0, 3, COUNT_OUT];
        let polled = poll_oneoff(
            &mut memory,
            &mut unlimited(),
            Clock::new(),
            Generation::Preview1,
            arguments,
        );
        assert!(polled.is_ok());
        assert_eq!(memory[COUNT_OUT as usize], 3);
        let userdata = [0, 1, 2].map(|index| memory[index * EVENT_SIZE]);
        assert_eq!(userdata, [7, 8, 9]);
    }

    #[test]
    fn hostile_arguments_are_refused() {
        let mut memory = vec![0; 4096];
        let mut io = unlimited();
        assert_eq!(
            call(&mut memory, &mut io, Generation::Preview1, 0, 0),
            Some(Errno::INVALID)
        );
        assert_eq!(
            call(&mut memory, &mut io, Generation::Preview1, 0, u32::MAX),
            Some(Errno::INVALID)
        );
        assert_eq!(
            call(&mut memory, &mut io, Generation::Preview1, 0, 100),
            Some(Errno::FAULT)
        );
        let outside = call(&mut memory, &mut io, Generation::Preview1, u32::MAX, 1);
        assert_eq!(outside, Some(Errno::FAULT));
    }
}
