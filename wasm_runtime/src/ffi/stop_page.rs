//! The page by which a run is ended: its code loads from it again and again, and traps once nobody may.

use std::io;
use wasmtime::{AsContext, Memory};

/// The bytes of a memory that nothing but checks of its run's code ever loads from.
#[derive(Debug)]
pub(crate) struct StopPage {
    address: usize,
    size: usize,
}

impl StopPage {
    /// The page that is `memory`, which never grows. It is that until the store is dropped, and before that it has to be given back.
    pub(crate) fn of(memory: &Memory, store: impl AsContext) -> Self {
        StopPage {
            address: memory.data_ptr(&store).addr(),
            size: memory.data_size(&store),
        }
    }

    /// The next load traps.
    ///
    /// # Errors
    /// The host's: a process has only so many mappings (`ENOMEM`). The page is there as before.
    pub(crate) fn take_away(&self) -> io::Result<()> {
        self.protect(libc::PROT_NONE)
    }

    /// What the engine takes for granted when it makes the memory ready for another run.
    ///
    /// # Errors
    /// As [`StopPage::take_away`].
    pub(crate) fn give_back(&self) -> io::Result<()> {
        self.protect(libc::PROT_READ | libc::PROT_WRITE)
    }

    fn protect(&self, protection: libc::c_int) -> io::Result<()> {
        let start = std::ptr::without_provenance_mut(self.address);
        // SAFETY: the mapping is that of a memory in a store that is still there: whoever is watched (`engine::watch`) ends being it, and
        // waits for this call, before its store is dropped (`guest::command`). No reference leads into it: the instance exports it by a
        // name that no host function asks for. What loads from it is compiled code alone, whose faults the engine turns into traps.
        let result = unsafe { libc::mprotect(start, self.size, protection) };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
