//! Several helpers at a time, as many as there are cores, watched by the one thread of the parent.

use super::Prepared;
use super::helper::Process;
use crate::error::Result;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::collections::VecDeque;

/// A module to compile, and its place among all that were asked for.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) index: usize,
    pub(super) module: &'a Prepared,
}

/// Modules that are compiled, or initialised. Dropped before the end, it ends what still runs.
pub(super) struct SideBySide<'a, S> {
    /// Starts what is done with a module, on so many threads.
    start: S,
    cores: usize,
    waiting: VecDeque<Job<'a>>,
    running: Vec<(Job<'a>, Process)>,
}

impl<'a, S: Fn(&Prepared, usize) -> Result<Process>> SideBySide<'a, S> {
    /// The largest first: it would be alone at the end otherwise.
    pub(super) fn new(mut jobs: Vec<Job<'a>>, cores: usize, start: S) -> Self {
        jobs.sort_by_key(|job| std::cmp::Reverse(job.module.size));
        SideBySide {
            start,
            cores: cores.max(1),
            waiting: jobs.into(),
            running: Vec::new(),
        }
    }

    /// Starts the next one when there is a core for it.
    pub(super) fn start_next(&mut self) -> Result<Option<Job<'a>>> {
        if self.running.len() >= self.cores {
            return Ok(None);
        }
        let Some(next) = self.waiting.pop_front() else {
            return Ok(None);
        };
        // Each one compiles functions side by side, too.
        let at_a_time = self.cores.min(self.running.len() + 1 + self.waiting.len());
        let process = (self.start)(next.module, self.cores / at_a_time)
            .map_err(|error| error.at(next.index))?;
        self.running.push((next, process));
        Ok(Some(next))
    }

    /// Starts no more. Returns what was not started.
    pub(super) fn start_no_more(&mut self) -> Vec<Job<'a>> {
        std::mem::take(&mut self.waiting).into()
    }

    /// Waits until one has ended. `None`: none is running.
    pub(super) fn wait(&mut self) -> Option<(Job<'a>, Process)> {
        loop {
            let index = self.next_to_speak()?;
            if !self.running[index].1.listen() {
                return Some(self.running.swap_remove(index));
            }
        }
    }

    /// Waits until one says something or ends.
    fn next_to_speak(&self) -> Option<usize> {
        let running = self.running.iter();
        let mut ears: Vec<_> = running
            .map(|(_, process)| PollFd::from_borrowed_fd(process.ear(), PollFlags::IN))
            .collect();
        while !ears.is_empty() {
            match poll(&mut ears, None) {
                Ok(_) | Err(Errno::INTR) => {}
                // Listening to any of them blocks until it speaks: slower, but right.
                Err(_) => return Some(0),
            }
            let speaks = ears.iter().position(|ear| !ear.revents().is_empty());
            if speaks.is_some() {
                return speaks;
            }
        }
        None
    }
}
