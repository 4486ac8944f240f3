//! The one background thread of a serving process: it advances the engine's epoch, at which every running guest looks
//! at its deadline.

use super::queue::Queue;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use wasmtime::Engine;

/// How often a running guest is asked to look up. Bounds the delay of a deadline in compute-bound code.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Starts the thread. It rests while no guest runs, and ends when the queue is stopped and empty.
pub(crate) fn start(engine: &Engine, queue: &Arc<Queue>) -> std::io::Result<()> {
    let engine = engine.weak();
    let queue = Arc::clone(queue);
    thread::Builder::new()
        .name("wasm-epoch".to_owned())
        .spawn(move || {
            while queue.wait_until_active() {
                thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else {
                    return;
                };
                engine.increment_epoch();
            }
        })
        .map(drop)
}
