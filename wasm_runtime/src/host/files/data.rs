//! Reading, writing and the size of open files. The position is the host's own.

use super::times::{Times, timestamps};
use super::{Files, Kind, to_host};
use crate::host::abi::{Errno, fdflags};
use crate::host::scratch::content;
use crate::run::budget::Budget;
use rustix::fd::BorrowedFd;
use rustix::fs::{
    Advice, FallocateFlags, OFlags, SeekFrom, fadvise, fallocate, fcntl_getfl, fcntl_setfl,
    fdatasync, fstat, fsync, ftruncate, futimens, seek,
};
use rustix::io::{IoSlice, IoSliceMut, pread, preadv, pwritev, readv, writev};
use std::num::NonZeroU64;

/// Where a position is counted from.
#[derive(Clone, Copy)]
pub(crate) enum Whence {
    Start,
    Current,
    End,
}

fn write_at(
    file: BorrowedFd<'_>,
    pieces: &[IoSlice<'_>],
    offset: Option<u64>,
) -> Result<usize, Errno> {
    Ok(match offset {
        Some(offset) => pwritev(file, pieces, offset)?,
        None => writev(file, pieces)?,
    })
}

/// What is to be counted; not asked where nothing is.
fn counted(counts: bool, ask: impl FnOnce() -> Result<u64, Errno>) -> Result<u64, Errno> {
    if counts { ask() } else { Ok(0) }
}

/// How far behind the end of a file something lies.
fn behind_end(file: BorrowedFd<'_>, offset: u64) -> Result<u64, Errno> {
    Ok(offset.saturating_sub(content(&fstat(file)?)))
}

/// Bytes between the end of a file and where writing begins. They take no room yet, but whoever has made a hole can fill it a
/// byte here and there, and each takes a block.
fn hole_before(file: BorrowedFd<'_>, offset: Option<u64>) -> Result<u64, Errno> {
    let start = match offset {
        // The host refuses it.
        Some(offset) if i64::try_from(offset).is_err() => return Ok(0),
        Some(offset) => offset,
        None => seek(file, SeekFrom::Current(0))?,
    };
    let hole = behind_end(file, start)?;
    if hole > 0 && fcntl_getfl(file)?.contains(OFlags::APPEND) {
        return Ok(0);
    }
    Ok(hole)
}

/// The first `length` bytes of all pieces.
fn beginning<'a>(pieces: &'a [IoSlice<'_>], mut length: usize) -> Vec<IoSlice<'a>> {
    let cut = |piece: &'a IoSlice<'_>| {
        let here = piece.len().min(length);
        length -= here;
        IoSlice::new(&piece[..here])
    };
    pieces.iter().map(cut).collect()
}

impl Files {
    /// The host's descriptor of a file. A directory is told by `directory`, as the host does.
    fn file(&self, fd: u32, directory: Errno) -> Result<BorrowedFd<'_>, Errno> {
        let descriptor = self.table.get(fd)?;
        match descriptor.kind {
            Kind::File => descriptor.host(),
            Kind::Directory { .. } => Err(directory),
            Kind::Stdin | Kind::Stdout | Kind::Stderr => Err(Errno::NOT_SEEKABLE),
        }
    }

    /// Reads into pieces that do not overlap; at the position, or from `offset`.
    pub(crate) fn read(
        &self,
        fd: u32,
        pieces: &mut [IoSliceMut<'_>],
        offset: Option<u64>,
    ) -> Result<usize, Errno> {
        let file = self.file(fd, Errno::IS_DIRECTORY)?;
        Ok(match (offset, pieces) {
            (Some(offset), [piece]) => pread(file, &mut piece[..], offset)?,
            (Some(offset), pieces) => preadv(file, pieces, offset)?,
            (None, pieces) => readv(file, pieces)?,
        })
    }

    /// Writes at the position, or from `offset`; as much as may be added. A hole before it counts.
    pub(crate) fn write(
        &self,
        fd: u32,
        pieces: &[IoSlice<'_>],
        offset: Option<u64>,
        budget: &mut Budget,
    ) -> Result<usize, Errno> {
        let file = self.file(fd, Errno::BAD_DESCRIPTOR)?;
        let account = self.table.get(fd)?.terms.account;
        let wanted: usize = pieces.iter().map(|piece| piece.len()).sum();
        let counts = wanted > 0 && budget.counts(account);
        let hole = counted(counts, || hole_before(file, offset))?;
        let all = hole.saturating_add(wanted as u64);
        let fits = self.table.may_add(account, all, budget)?;
        if wanted > 0 && fits <= hole {
            return Err(Errno::NO_SPACE);
        }
        let written = if fits == all {
            write_at(file, pieces, offset)?
        } else {
            write_at(file, &beginning(pieces, (fits - hole) as usize), offset)?
        };
        budget.added(account, hole + written as u64);
        Ok(written)
    }

    /// Moves the position; returns it, from the start.
    pub(crate) fn seek(&self, fd: u32, offset: i64, whence: Whence) -> Result<u64, Errno> {
        let file = self.file(fd, Errno::IS_DIRECTORY)?;
        let target = match whence {
            Whence::Start => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::INVALID)?),
            Whence::Current => SeekFrom::Current(offset),
            Whence::End => SeekFrom::End(offset),
        };
        Ok(seek(file, target)?)
    }

    /// Cuts or enlarges a file. All of what is new counts, although much of it may be a hole.
    pub(crate) fn set_size(&self, fd: u32, size: u64, budget: &mut Budget) -> Result<(), Errno> {
        let file = self.file(fd, Errno::INVALID)?;
        let account = self.table.get(fd)?.terms.account;
        let added = counted(budget.counts(account), || behind_end(file, size))?;
        self.table
            .grow(account, added, budget, || Ok(ftruncate(file, size)?))
    }

    /// Makes sure that there is room from `offset` on, and the file is that long.
    pub(crate) fn allocate(
        &self,
        fd: u32,
        offset: u64,
        length: u64,
        budget: &mut Budget,
    ) -> Result<(), Errno> {
        let file = self.file(fd, Errno::BAD_DESCRIPTOR)?;
        let account = self.table.get(fd)?.terms.account;
        let hole = counted(budget.counts(account), || behind_end(file, offset))?;
        let added = hole.saturating_add(length);
        self.table.grow(account, added, budget, || {
            Ok(fallocate(file, FallocateFlags::empty(), offset, length)?)
        })
    }

    /// A hint about what will be read; `advice` in WASI's numbers.
    pub(crate) fn advise(
        &self,
        fd: u32,
        offset: u64,
        length: u64,
        advice: u8,
    ) -> Result<(), Errno> {
        let file = self.file(fd, Errno::BAD_DESCRIPTOR)?;
        let advice = match advice {
            0 => Advice::Normal,
            1 => Advice::Sequential,
            2 => Advice::Random,
            3 => Advice::WillNeed,
            4 => Advice::DontNeed,
            5 => Advice::NoReuse,
            _ => return Err(Errno::INVALID),
        };
        Ok(fadvise(file, offset, NonZeroU64::new(length), advice)?)
    }

    /// Waits until data, and with `metadata` the rest too, are on the disk.
    pub(crate) fn sync(&self, fd: u32, metadata: bool) -> Result<(), Errno> {
        let descriptor = self.table.get(fd)?;
        let host = match descriptor.kind {
            Kind::Stdin | Kind::Stdout | Kind::Stderr => return Err(Errno::INVALID),
            Kind::File => descriptor.shared_host()?,
            Kind::Directory { .. } => descriptor.readable()?,
        };
        if metadata {
            fsync(host)?;
        } else {
            fdatasync(host)?;
        }
        Ok(())
    }

    pub(crate) fn set_times(&self, fd: u32, times: Times) -> Result<(), Errno> {
        let times = timestamps(times)?;
        let descriptor = self.table.get(fd)?;
        let host = descriptor.host()?;
        if descriptor.terms.read_only {
            return Err(Errno::NOT_PERMITTED);
        }
        match descriptor.kind {
            Kind::File => Ok(futimens(host, &times)?),
            _ => Ok(rustix::fs::utimensat(
                host,
                "",
                &times,
                rustix::fs::AtFlags::EMPTY_PATH,
            )?),
        }
    }

    /// Sets what can be set after opening: whether writing appends.
    pub(crate) fn set_flags(&mut self, fd: u32, flags: u16) -> Result<(), Errno> {
        if flags & !fdflags::ALL != 0 {
            return Err(Errno::INVALID);
        }
        let descriptor = self.table.get_mut(fd)?;
        if let Kind::File = descriptor.kind {
            let appends = to_host(flags) & OFlags::APPEND;
            fcntl_setfl(descriptor.host()?, appends | OFlags::NONBLOCK)?;
        }
        descriptor.nonblocking = flags & fdflags::NONBLOCK != 0;
        Ok(())
    }
}
