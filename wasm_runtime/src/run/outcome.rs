//! How a run ended.

use super::Exceeded;
use crate::host::Stop;

/// How a run ended. Messages are one line.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// The entry point returned (0), or the guest called `proc_exit`.
    Exited(i32),
    Trapped {
        message: String,
        /// The guest's call stack, a line for each frame, if it was asked for.
        backtrace: String,
    },
    Stopped {
        stop: Stop,
        /// What the run was doing, or empty.
        doing: String,
    },
    QueueTimeout,
    /// The module needs more memory than allowed before it can start.
    MemoryLimit(String),
    MountFailed(String),
    NoEntryPoint(String),
    StartFailed(String),
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    pub ending: Ending,
    /// Output that the host was not given yet: the end of the response.
    pub tail: Vec<u8>,
    /// The limits that the run came up against, whether or not they ended it.
    pub exceeded: Vec<Exceeded>,
}

impl Outcome {
    pub(super) fn not_started(ending: Ending) -> Self {
        Outcome {
            ending,
            tail: Vec::new(),
            exceeded: Vec::new(),
        }
    }
}
