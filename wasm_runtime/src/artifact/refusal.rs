//! A note from the children to their parent: this code cannot be loaded.
//!
//! A child has no right to write into the cache, and its parent cannot try code out: it has no engine. So the parent makes
//! this before it forks, and looks at it when it starts children again.

use super::memory_file;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A memory file that is shared with all children: anything in it is the note.
#[derive(Debug)]
pub(super) struct Refusal(File);

impl Refusal {
    pub(super) fn new() -> io::Result<Self> {
        memory_file::create().map(Refusal)
    }

    pub(super) fn note(&self) {
        // Without the note the code is tried again; the child has logged the failure in any case.
        let _ = self.0.write_all_at(b"!", 0);
    }

    pub(super) fn is_noted(&self) -> bool {
        self.0.metadata().is_ok_and(|found| found.len() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reaches_whoever_shares_the_file() {
        let parent = Refusal::new().unwrap();
        let child = Refusal(parent.0.try_clone().unwrap());
        assert!(!parent.is_noted());
        child.note();
        child.note();
        assert!(parent.is_noted());
    }
}
