//! `poll_oneoff` of our own, for both generations of WASI.
//!
//! The engine's version sleeps in one piece when blocking is allowed, beyond every deadline. This one flushes the
//! response, waits in slices, and looks at the deadline, the client and the server between them.

use super::abi::{Errno, Generation};
use super::calls::Failure;
use super::streams::RunIo;
use std::time::{Duration, Instant, SystemTime};

/// Most subscriptions in one call: a guest must not make the host allocate at will.
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

/// One call. `memory` is the guest's, `started` the zero of its monotonic clock.
pub(super) fn poll_oneoff(
    memory: &mut [u8],
    io: &mut RunIo,
    started: Instant,
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
    let list = parse(memory, layout, started, subscriptions as usize, count).ok_or(Errno::FAULT)?;
    if let Some(earliest) = earliest(&list) {
        io.flush()?;
        io.sleep_until(earliest)?;
    }
    let ready = write_events(memory, events as usize, &list);
    let stored = ready.and_then(|ready| {
        let target = memory.get_mut(count_out as usize..)?.get_mut(..4)?;
        target.copy_from_slice(&ready.to_le_bytes());
        Some(())
    });
    Ok(stored.ok_or(Errno::FAULT)?)
}

fn parse(
    memory: &[u8],
    layout: Layout,
    started: Instant,
    start: usize,
    count: usize,
) -> Option<Vec<Subscription>> {
    let bytes = memory.get(start..)?.get(..count * layout.size)?;
    bytes
        .chunks_exact(layout.size)
        .map(|chunk| {
            Some(Subscription {
                userdata: field(chunk, 0)?,
                tag: chunk[TAG],
                wait: wait_of(chunk, layout, started)?,
            })
        })
        .collect()
}

fn field<const N: usize>(chunk: &[u8], offset: usize) -> Option<[u8; N]> {
    chunk.get(offset..offset + N)?.try_into().ok()
}

fn wait_of(chunk: &[u8], layout: Layout, started: Instant) -> Option<Wait> {
    match chunk[TAG] {
        TAG_CLOCK => {}
        1..=TAG_FD_WRITE => return Some(Wait::Ready),
        _ => return Some(Wait::Invalid),
    }
    let id = u32::from_le_bytes(field(chunk, layout.clock_id)?);
    let timeout = Duration::from_nanos(u64::from_le_bytes(field(chunk, layout.clock_timeout)?));
    let absolute = u16::from_le_bytes(field(chunk, layout.clock_flags)?) & FLAG_ABSOLUTE != 0;
    let now = Instant::now();
    let until = match (id, absolute) {
        (CLOCK_REALTIME | CLOCK_MONOTONIC, false) => now.checked_add(timeout),
        (CLOCK_MONOTONIC, true) => started.checked_add(timeout),
        (CLOCK_REALTIME, true) => {
            let today = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.checked_add(timeout.saturating_sub(today.unwrap_or_default()))
        }
        _ => return Some(Wait::Invalid),
    };
    Some(until.map_or(Wait::Invalid, Wait::Until))
}

/// The time at which the first subscription is ready; `None` when one is ready already.
fn earliest(list: &[Subscription]) -> Option<Instant> {
    let times: Option<Vec<Instant>> = list
        .iter()
        .map(|subscription| match subscription.wait {
            Wait::Until(time) => Some(time),
            Wait::Ready | Wait::Invalid => None,
        })
        .collect();
    times?.into_iter().min()
}

fn write_events(memory: &mut [u8], start: usize, list: &[Subscription]) -> Option<u32> {
    let now = Instant::now();
    let mut ready = 0;
    for subscription in list {
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
        match poll_oneoff(memory, io, Instant::now(), generation, arguments) {
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
