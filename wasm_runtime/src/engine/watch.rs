//! Runs that are ended by their page: the ticker looks at each of them while it computes, and takes the page away when it is to end.

use super::queue::Queue;
use crate::ffi::stop_page::StopPage;
use crate::host::{CONNECTION_CHECK, Client, Stop};
use crate::run::budget::Times;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a client may seem to have left while output waits for it: it may only have closed its own half, which shows once the guest
/// writes more and all of it is sent.
const GRACE: Duration = Duration::from_millis(500);

/// All runs that are watched.
#[derive(Default)]
pub(crate) struct Watches(Mutex<Vec<Arc<Watch>>>);

/// One run.
struct Watch {
    page: StopPage,
    times: Times,
    client: Client,
    /// Locked while the page is taken away or given back: whoever ends a run waits for that.
    state: Mutex<State>,
}

/// The page is there, but for a run that was cut.
#[derive(Debug)]
enum State {
    Running(ClientChecks),
    Cut(Stop),
    Over,
}

#[derive(Debug)]
struct ClientChecks {
    next: Instant,
    /// Since when it has seemed to have left.
    left_since: Option<Instant>,
}

/// A run is watched while this is there. Its page is given back at the end, so it has to go before the store of the run.
pub(crate) struct Watched {
    watches: Arc<Watches>,
    watch: Arc<Watch>,
}

impl Watches {
    /// Watches a run from now on.
    pub(crate) fn begin(self: &Arc<Self>, page: StopPage, times: Times, client: Client) -> Watched {
        let watch = Arc::new(Watch {
            page,
            times,
            client,
            state: Mutex::new(State::Running(ClientChecks {
                next: Instant::now() + CONNECTION_CHECK,
                left_since: None,
            })),
        });
        lock(&self.0).push(Arc::clone(&watch));
        Watched {
            watches: Arc::clone(self),
            watch,
        }
    }

    /// Cuts the runs that are to end. No time of another one runs out before the time that is returned.
    pub(crate) fn look(&self, queue: &Queue) -> Duration {
        // A run that is looked at keeps no other from beginning or ending.
        let watches = lock(&self.0).clone();
        let left = watches.iter().map(|watch| watch.look(queue));
        left.min().unwrap_or(Duration::MAX)
    }
}

impl Watch {
    /// Returns how long the run has at least.
    fn look(&self, queue: &Queue) -> Duration {
        let mut state = lock(&self.state);
        let State::Running(checks) = &mut *state else {
            return Duration::MAX;
        };
        let Some(stop) = self.why_stop(queue, checks) else {
            return self.times.left();
        };
        // Where the process has too many mappings, the next look tries again.
        if self.page.take_away().is_err() {
            return Duration::ZERO;
        }
        *state = State::Cut(stop);
        Duration::MAX
    }

    fn why_stop(&self, queue: &Queue, checks: &mut ClientChecks) -> Option<Stop> {
        if queue.is_stopped() {
            return Some(Stop::ServerStopping);
        }
        if let Some(limit) = self.times.over() {
            return Some(Stop::Limit(limit));
        }
        let now = Instant::now();
        if now < checks.next {
            return None;
        }
        checks.next = now + CONNECTION_CHECK;
        self.has_left(checks, now).then_some(Stop::ClientGone)
    }

    fn has_left(&self, checks: &mut ClientChecks, now: Instant) -> bool {
        if !self.client.has_left() {
            checks.left_since = None;
            return false;
        }
        let since = *checks.left_since.get_or_insert(now);
        !self.client.is_owed() || now - since >= GRACE
    }

    fn end(&self) -> Option<Stop> {
        let mut state = lock(&self.state);
        let State::Cut(stop) = std::mem::replace(&mut *state, State::Over) else {
            return None;
        };
        if self.page.give_back().is_err() {
            // The engine would write to the page, or give it to a run that then ends at once.
            std::process::abort();
        }
        Some(stop)
    }
}

impl Watched {
    /// Ends being watched. Why the run was cut, if it was.
    pub(crate) fn end(self) -> Option<Stop> {
        self.watch.end()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.end();
        lock(&self.watches.0).retain(|watch| !Arc::ptr_eq(watch, &self.watch));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::streams::tests::{Recorder, io};
    use crate::run::Limit;
    use wasmtime::{Engine, Memory, MemoryType, Store};

    const TIME: Stop = Stop::Limit(Limit::Time);

    /// A run whose page is this memory.
    struct Run {
        store: Store<()>,
        memory: Memory,
        recorder: Recorder,
        watches: Arc<Watches>,
        queue: Arc<Queue>,
    }

    impl Run {
        fn new() -> Self {
            let mut store = Store::new(&Engine::default(), ());
            let memory = Memory::new(&mut store, MemoryType::new(1, Some(1))).unwrap();
            Run {
                store,
                memory,
                recorder: Recorder::default(),
                watches: Arc::default(),
                queue: Queue::new(1),
            }
        }

        fn watched(&self, time: Duration, output: &[u8]) -> Watched {
            let mut io = io(&self.recorder, time);
            io.write(output).unwrap();
            let page = StopPage::of(&self.memory, &self.store);
            self.watches.begin(page, io.budget.times(), io.client())
        }

        fn look(&self) {
            self.watches.look(&self.queue);
        }

        /// The process would end here if the page was away.
        fn touch_page(&mut self) {
            self.memory.data_mut(&mut self.store)[0] = 1;
        }
    }

    #[test]
    fn a_run_that_is_cut_says_why_and_has_its_page_again() {
        let mut run = Run::new();
        let watched = run.watched(Duration::ZERO, b"");
        run.look();
        run.look();
        assert_eq!(watched.end(), Some(TIME));
        run.touch_page();
        assert!(lock(&run.watches.0).is_empty());
    }

    #[test]
    fn a_run_whose_thread_panics_has_its_page_again() {
        let mut run = Run::new();
        let watched = run.watched(Duration::ZERO, b"");
        run.look();
        drop(watched);
        run.touch_page();
    }

    #[test]
    fn a_run_that_is_over_is_not_cut() {
        let mut run = Run::new();
        let watched = run.watched(Duration::ZERO, b"");
        let watch = Arc::clone(&watched.watch);
        assert_eq!(watched.end(), None);
        // As by a look that began before.
        watch.look(&run.queue);
        run.touch_page();
        assert_eq!(watch.end(), None);
    }

    #[test]
    fn the_next_look_is_due_when_the_first_time_runs_out() {
        let run = Run::new();
        let look = || run.watches.look(&run.queue);
        assert_eq!(look(), Duration::MAX);
        let hour = Duration::from_secs(3600);
        let first = run.watched(hour, b"");
        let second = run.watched(2 * hour, b"");
        assert!(look() <= hour && look() > hour / 2);
        first.end();
        assert!(look() > hour);
        second.end();
        assert_eq!(look(), Duration::MAX);
    }

    #[test]
    fn a_run_with_time_left_goes_on_until_the_server_stops() {
        let mut run = Run::new();
        let watched = run.watched(Duration::MAX, b"");
        run.look();
        run.touch_page();
        run.queue.stop();
        run.look();
        assert_eq!(watched.end(), Some(Stop::ServerStopping));
    }

    /// Looks until the run is cut; how long that took, and why.
    fn cut(run: &Run, watched: Watched) -> (Duration, Option<Stop>) {
        let start = Instant::now();
        while matches!(*lock(&watched.watch.state), State::Running(_)) {
            run.look();
        }
        (start.elapsed(), watched.end())
    }

    #[test]
    fn a_client_that_is_owed_something_may_have_closed_its_half_only() {
        let run = Run::new();
        run.recorder.0.lock().unwrap().half_closed = true;
        let (_, stop) = cut(&run, run.watched(Duration::MAX, b""));
        assert_eq!(stop, Some(Stop::ClientGone));
        let (time, stop) = cut(&run, run.watched(Duration::MAX, b"answer"));
        assert_eq!(stop, Some(Stop::ClientGone));
        assert!(time >= GRACE, "{time:?}");
    }

    #[test]
    fn a_host_that_is_in_a_call_is_not_asked() {
        let run = Run::new();
        run.recorder.0.lock().unwrap().gone = true;
        let watched = run.watched(Duration::MAX, b"");
        let client = watched.watch.client.clone();
        let call = client.host();
        std::thread::sleep(2 * CONNECTION_CHECK);
        run.look();
        assert!(matches!(*lock(&watched.watch.state), State::Running(_)));
        drop(call);
        let (_, stop) = cut(&run, watched);
        assert_eq!(stop, Some(Stop::ClientGone));
    }
}
