//! The one background thread of a process that runs guests: it sees to it that they end.

use super::queue::Queue;
use super::watch::Watches;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use wasmtime::Engine;

/// How often, at least, the thread does something about running guests. Bounds the delay of a deadline in compute-bound code.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// How often at most: processor time is used up more slowly than time passes, and a cut may have to be tried again.
const LEAST: Duration = Duration::from_millis(1);

/// Lets every running guest look at its deadline, by advancing the engine's epoch. Ends with the engine.
pub(crate) fn advance_epochs(engine: &Engine, queue: &Arc<Queue>) -> std::io::Result<()> {
    let engine = engine.weak();
    start(queue, move |_| {
        engine.upgrade()?.increment_epoch();
        Some(TICK)
    })
}

/// Looks at every running guest that is watched, the next time when the first of them may have to end.
pub(crate) fn look_at(watches: &Arc<Watches>, queue: &Arc<Queue>) -> std::io::Result<()> {
    let watches = Arc::clone(watches);
    start(queue, move |queue| {
        let next = watches.look(queue);
        Some(next.clamp(LEAST, TICK))
    })
}

/// Starts the thread. It rests while no guest runs, and ends when the queue is stopped and empty. `tick` tells how long it is until the
/// next one, or that none is needed any more.
fn start(
    queue: &Arc<Queue>,
    tick: impl Fn(&Queue) -> Option<Duration> + Send + 'static,
) -> std::io::Result<()> {
    let queue = Arc::clone(queue);
    thread::Builder::new()
        .name("wasm-ticker".to_owned())
        .spawn(move || {
            let mut rest = TICK;
            while queue.wait_until_active() {
                thread::sleep(rest);
                let Some(next) = tick(&queue) else {
                    return;
                };
                rest = next;
            }
        })
        .map(drop)
}
