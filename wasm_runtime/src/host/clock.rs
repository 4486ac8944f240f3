//! The guest's monotonic clock: it begins with the run, or goes on where a snapshot was taken.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wasmtime_wasi::HostMonotonicClock;

/// Where the clock of a snapshot stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Nanoseconds on the guest's clock.
    monotonic: u64,
    /// Nanoseconds since 1970, on the host's.
    real: u64,
}

/// A clock that never goes backwards, for one run or from a snapshot on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// What it showed then.
    at_start: Duration,
}

impl Clock {
    /// Zero is now.
    pub(crate) fn new() -> Self {
        Clock::after(Frozen::default(), 0)
    }

    /// Goes on from a snapshot, as much later as it is now.
    pub(crate) fn thawed(frozen: Frozen) -> Self {
        Clock::after(frozen, real().saturating_sub(frozen.real))
    }

    fn after(frozen: Frozen, later: u64) -> Self {
        Clock {
            started: Instant::now(),
            at_start: Duration::from_nanos(frozen.monotonic.saturating_add(later)),
        }
    }

    pub(crate) fn frozen(&self) -> Frozen {
        Frozen {
            monotonic: nanoseconds(self.shown()),
            real: real(),
        }
    }

    fn shown(&self) -> Duration {
        self.at_start.saturating_add(self.started.elapsed())
    }

    /// When it will show, or did show, this time; `None`: never.
    pub(crate) fn instant(&self, shown: Duration) -> Option<Instant> {
        self.started
            .checked_add(shown.saturating_sub(self.at_start))
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        nanoseconds(self.shown())
    }
}

/// On the host's clock. Before 1970 it is 1970.
fn real() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    nanoseconds(since.unwrap_or_default())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thawed_clock_is_never_behind_the_frozen_one() {
        let frozen = Clock::new().frozen();
        assert!(Clock::thawed(frozen).now() >= frozen.monotonic);
        let hour = 3_600_000_000_000;
        let earlier = Frozen {
            monotonic: 7,
            real: frozen.real - hour,
        };
        assert!(Clock::thawed(earlier).now() >= 7 + hour);
        // The host's clock was set back since.
        let later = Frozen {
            monotonic: 7,
            real: frozen.real + hour,
        };
        let shown = Clock::thawed(later).now();
        assert!((7..hour).contains(&shown), "{shown}");
    }
}
