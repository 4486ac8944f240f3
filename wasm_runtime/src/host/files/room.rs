//! Where a run's files take room: what is added is counted, and what was removed from the scratch directory makes room again.

use super::table::Table;
use crate::host::abi::Errno;
use crate::host::scratch::{Scratch, content};
use crate::run::Limit;
use crate::run::budget::Budget;
use rustix::fs::fstat;
use std::collections::HashSet;

impl Table {
    /// As [`Budget::may_add`].
    pub(super) fn may_add(
        &self,
        account: Limit,
        bytes: u64,
        budget: &mut Budget,
    ) -> Result<u64, Errno> {
        self.recount(account, bytes, budget)?;
        budget.may_add(account, bytes)
    }

    /// As [`Budget::grow`].
    pub(super) fn grow<T>(
        &self,
        account: Limit,
        bytes: u64,
        budget: &mut Budget,
        operation: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.recount(account, bytes, budget)?;
        budget.grow(account, bytes, operation)
    }

    /// Everything that is written counts, what writes over something or is removed again as well. So before something is refused
    /// in the scratch directory, what is really there is counted.
    fn recount(&self, account: Limit, bytes: u64, budget: &mut Budget) -> Result<(), Errno> {
        let Some(scratch) = &self.scratch else {
            return Ok(());
        };
        if account != Limit::Scratch || budget.has_room(account, bytes) {
            return Ok(());
        }
        let there = self.measure(scratch, budget)?;
        budget.set_used(account, there);
        Ok(())
    }

    /// When time is over meanwhile, nothing else matters: the guest is ended before it gets on.
    fn measure(&self, scratch: &Scratch, budget: &mut Budget) -> Result<u64, Errno> {
        let named = scratch.measure(|| budget.check_times().is_ok())?;
        Ok(named.saturating_add(self.unnamed()))
    }

    /// Bytes of scratch files that have no name any more and are still open.
    fn unnamed(&self) -> u64 {
        let mut known = HashSet::new();
        let open = self.iter();
        let scratch = open.filter(|descriptor| descriptor.terms.account == Limit::Scratch);
        scratch
            .filter_map(|descriptor| {
                let stat = fstat(descriptor.host().ok()?).ok()?;
                (stat.st_nlink == 0 && known.insert(stat.st_ino)).then(|| content(&stat))
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::abi::{fdflags, oflags, rights};
    use crate::host::files::{Files, Open, Terms};
    use crate::host::scratch::Slots;
    use crate::run::Limits;
    use crate::run::budget::ENTRY;
    use rustix::io::IoSlice;
    use std::fs;

    const MOUNT: u32 = 3;
    const SCRATCH: u32 = 4;

    const NEW: Open = Open {
        follow: true,
        oflags: oflags::CREATE,
        rights: rights::FD_READ | rights::FD_WRITE,
        fdflags: 0,
    };

    /// A run with a mount and a scratch directory, the only one of its server.
    struct Run {
        place: tempfile::TempDir,
        files: Files,
        budget: Budget,
    }

    impl Run {
        /// May have this much in its scratch directory.
        fn new(scratch: u64) -> Self {
            let place = tempfile::tempdir().unwrap();
            for folder in ["mount", "slots"] {
                fs::create_dir(place.path().join(folder)).unwrap();
            }
            let mut budget = Budget::new(Limits {
                scratch,
                descriptors: 64,
                ..Limits::UNLIMITED
            });
            let mut files = Files::new(true);
            let host = fs::File::open(place.path().join("mount")).unwrap();
            let terms = Terms {
                read_only: false,
                account: Limit::Written,
            };
            files.mount("/", host.into(), terms, &mut budget).unwrap();
            let slots = Slots::open(&place.path().join("slots"), 1, &mut Vec::new());
            files.mount_scratch("/tmp", &slots, &mut budget).unwrap();
            Run {
                place,
                files,
                budget,
            }
        }

        fn open(&mut self, name: &[u8]) -> Result<u32, Errno> {
            self.files.open(SCRATCH, name, NEW, &mut self.budget)
        }

        fn write(&mut self, fd: u32, bytes: usize) -> Result<usize, Errno> {
            let data = vec![b'x'; bytes];
            let pieces = [IoSlice::new(&data)];
            self.files.write(fd, &pieces, None, &mut self.budget)
        }

        fn slots(&self) -> usize {
            fs::read_dir(self.place.path().join("slots"))
                .unwrap()
                .count()
        }
    }

    #[test]
    fn a_slot_is_taken_at_the_first_use_and_empty_after_the_run() {
        let mut run = Run::new(1 << 20);
        assert_eq!(run.files.mount_path(SCRATCH), Ok("/tmp"));
        assert!(run.files.status(SCRATCH).is_ok());
        assert_eq!(run.slots(), 0);
        let file = run.open(b"file").unwrap();
        run.write(file, 10).unwrap();
        run.files
            .create_directory(SCRATCH, b"folder", &mut run.budget)
            .unwrap();
        let slot = run.place.path().join("slots/0");
        assert_eq!(fs::read_dir(&slot).unwrap().count(), 2);
        run.files = Files::new(false);
        assert_eq!(fs::read_dir(&slot).unwrap().count(), 0);
    }

    #[test]
    fn what_is_removed_makes_room_once_it_is_closed() {
        let mut run = Run::new(ENTRY + 10_000);
        let file = run.open(b"file").unwrap();
        assert_eq!(run.write(file, 20_000), Ok(10_000));
        assert_eq!(run.write(file, 1), Err(Errno::NO_SPACE));
        run.files.unlink(SCRATCH, b"file").unwrap();
        assert_eq!(
            run.write(file, 8_000),
            Ok(4_096),
            "its entry is gone, its content is not"
        );
        run.files.close(file).unwrap();
        let file = run.open(b"file").unwrap();
        assert_eq!(run.write(file, 10_000), Ok(10_000));
        assert_eq!(run.open(b"other"), Err(Errno::NO_SPACE));
        let exceeded = run.budget.into_exceeded();
        assert!(exceeded.iter().all(|known| known.limit == Limit::Scratch));
        assert_eq!(exceeded.len(), 1);
    }

    #[test]
    fn writing_the_same_place_again_and_again_takes_no_more_room() {
        let mut run = Run::new(ENTRY + 100_000);
        let file = run.open(b"file").unwrap();
        for _ in 0..50 {
            run.files
                .seek(file, 0, crate::host::files::Whence::Start)
                .unwrap();
            assert_eq!(run.write(file, 40_000), Ok(40_000));
        }
        assert!(run.budget.into_exceeded().is_empty());
    }

    /// Otherwise a byte in each block would take 4,096 times what is counted.
    #[test]
    fn a_hole_counts_when_it_is_made_by_writing_or_allocating() {
        let size = 100_000;
        let mut run = Run::new(ENTRY + size);
        let file = run.open(b"file").unwrap();
        let at = |run: &mut Run, offset| {
            let piece = [IoSlice::new(b"xyz")];
            run.files.write(file, &piece, Some(offset), &mut run.budget)
        };
        assert_eq!(at(&mut run, size), Err(Errno::NO_SPACE));
        assert_eq!(at(&mut run, u64::MAX), Err(Errno::INVALID));
        run.files
            .seek(file, 1 << 40, crate::host::files::Whence::Start)
            .unwrap();
        assert_eq!(run.write(file, 1), Err(Errno::NO_SPACE));
        assert_eq!(run.write(file, 0), Ok(0));
        let allocated = run.files.allocate(file, size, 1, &mut run.budget);
        assert_eq!(allocated, Err(Errno::NO_SPACE));
        assert_eq!(at(&mut run, size - 2), Ok(2), "what fits");
        run.files.set_size(file, 10, &mut run.budget).unwrap();
        assert_eq!(at(&mut run, 0), Ok(3), "it lies in the file");
        run.files.set_flags(file, fdflags::APPEND).unwrap();
        assert_eq!(run.write(file, 1), Ok(1), "it is appended");
    }

    #[test]
    fn entries_are_bounded_and_come_back() {
        let mut run = Run::new(10 * ENTRY);
        for number in 0..30u8 {
            let name = [b'a' + number];
            let made = run.files.create_directory(SCRATCH, &name, &mut run.budget);
            assert_eq!(made, Ok(()), "{number}");
            if number >= 9 {
                let oldest = [b'a' + number - 9];
                run.files.remove_directory(SCRATCH, &oldest).unwrap();
            }
        }
        assert!(run.budget.into_exceeded().is_empty());
    }

    #[test]
    fn nothing_moves_between_a_mount_and_the_scratch_directory_uncounted() {
        let mut run = Run::new(1 << 20);
        run.open(b"inside").unwrap();
        fs::write(run.place.path().join("mount/outside"), "content").unwrap();
        let mut try_both = |from: (u32, &[u8]), to: (u32, &[u8])| {
            let renamed = run.files.rename(from, to);
            (renamed, run.files.link(from, to, &mut run.budget))
        };
        let refused = (Err(Errno::CROSS_DEVICE), Err(Errno::CROSS_DEVICE));
        assert_eq!(try_both((SCRATCH, b"inside"), (MOUNT, b"new")), refused);
        assert_eq!(try_both((MOUNT, b"outside"), (SCRATCH, b"new")), refused);
        let within = try_both((SCRATCH, b"inside"), (SCRATCH, b"new"));
        assert_eq!(within, (Ok(()), Err(Errno::NO_ENTRY)));
    }

    #[test]
    fn what_a_link_in_a_mount_leads_to_counts_as_what_lies_here() {
        let mut run = Run::new(2 * ENTRY);
        let link = run.place.path().join("mount/link");
        std::os::unix::fs::symlink("/tmp", link).unwrap();
        let through = |run: &mut Run, name: &[u8]| {
            let opened = run.files.open(MOUNT, name, NEW, &mut run.budget)?;
            run.files.close(opened)
        };
        assert_eq!(through(&mut run, b"link/a"), Ok(()));
        assert_eq!(through(&mut run, b"link/b"), Ok(()));
        assert_eq!(through(&mut run, b"link/c"), Err(Errno::NO_SPACE));
        run.files.unlink(SCRATCH, b"a").unwrap();
        assert_eq!(through(&mut run, b"link/c"), Ok(()));
        let mut rename = |to| run.files.rename((MOUNT, b"link/b"), to);
        assert_eq!(rename((MOUNT, b"b")), Err(Errno::CROSS_DEVICE));
        assert_eq!(rename((SCRATCH, b"renamed")), Ok(()));
    }

    #[test]
    fn a_run_that_finds_all_slots_taken_has_no_room() {
        let mut run = Run::new(1 << 20);
        let slots = Slots::open(&run.place.path().join("slots"), 1, &mut Vec::new());
        let mut second = Files::new(false);
        second
            .mount_scratch("/tmp", &slots, &mut run.budget)
            .unwrap();
        run.open(b"file").unwrap();
        assert_eq!(second.found_no_scratch_of(), None);
        for _ in 0..2 {
            let made = second.create_directory(3, b"folder", &mut run.budget);
            assert_eq!(made, Err(Errno::NO_SPACE));
        }
        assert_eq!(second.found_no_scratch_of(), Some(1));
        assert_eq!(run.files.found_no_scratch_of(), None);
    }
}
