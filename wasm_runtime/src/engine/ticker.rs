//! The one background thread of a process that runs guests: it sees to it that they end.

use super::queue::Queue;
use super::watch::Watches;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use wasmtime::Engine;

/// How often the thread does something about running guests. Bounds the delay of a deadline in compute-bound code.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Lets every running guest look at its deadline, by advancing the engine's epoch. Ends with the engine.
pub(crate) fn advance_epochs(engine: &Engine, queue: &Arc<Queue>) -> std::io::Result<()> {
    let engine = engine.weak();
    start(queue, move |_| match engine.upgrade() {
        Some(engine) => {
            engine.increment_epoch();
            true
        }
        None => false,
    })
}

/// Looks at every running guest that is watched.
pub(crate) fn look_at(watches: &Arc<Watches>, queue: &Arc<Queue>) -> std::io::Result<()> {
    let watches = Arc::clone(watches);
    start(queue, move |queue| {
        watches.look(queue);
        true
    })
}

/// Starts the thread. It rests while no guest runs, and ends when the queue is stopped and empty, or `tick` says so.
fn start(
    queue: &Arc<Queue>,
    tick: impl Fn(&Queue) -> bool + Send + 'static,
) -> std::io::Result<()> {
    let queue = Arc::clone(queue);
    thread::Builder::new()
        .name("wasm-ticker".to_owned())
        .spawn(move || {
            while queue.wait_until_active() {
                thread::sleep(TICK);
                if !tick(&queue) {
                    return;
                }
            }
        })
        .map(drop)
}
