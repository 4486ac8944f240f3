//! `fd_*`.

use super::{Answer, Call, Failure, STEP};
use crate::host::abi::{self, Errno, FDSTAT_SIZE, Generation, PRESTAT_SIZE};
use crate::host::files::{Files, Kind, Times, Whence};
use crate::host::memory::Memory;
use crate::host::streams::RunIo;
use crate::run::Sandbox;
use rustix::io::{IoSlice, IoSliceMut};
use std::ops::Range;

impl Call<'_> {
    pub(in crate::host) fn fd_advise(
        &mut self,
        fd: u32,
        offset: u64,
        length: u64,
        advice: u32,
    ) -> Answer {
        let advice = u8::try_from(advice).map_err(|_| Errno::INVALID)?;
        Ok(self.sandbox.files.advise(fd, offset, length, advice)?)
    }

    pub(in crate::host) fn fd_allocate(&mut self, fd: u32, offset: u64, length: u64) -> Answer {
        let Sandbox { files, io, .. } = &mut *self.sandbox;
        Ok(files.allocate(fd, offset, length, &mut io.budget)?)
    }

    pub(in crate::host) fn fd_close(&mut self, fd: u32) -> Answer {
        self.sandbox.files.close(fd)?;
        if let Some(observer) = &mut self.sandbox.observer {
            observer.close(fd);
        }
        Ok(())
    }

    pub(in crate::host) fn fd_datasync(&mut self, fd: u32) -> Answer {
        Ok(self.sandbox.files.sync(fd, false)?)
    }

    pub(in crate::host) fn fd_sync(&mut self, fd: u32) -> Answer {
        Ok(self.sandbox.files.sync(fd, true)?)
    }

    pub(in crate::host) fn fd_fdstat_get(&mut self, fd: u32, out: u32) -> Answer {
        let mut status = self.sandbox.files.status(fd)?;
        if self.is_terminal(fd)? {
            status.kind = abi::CHARACTER_DEVICE;
        }
        let mut bytes = [0; FDSTAT_SIZE];
        bytes[0] = status.kind;
        bytes[2..4].copy_from_slice(&status.flags.to_le_bytes());
        bytes[8..16].copy_from_slice(&status.rights.to_le_bytes());
        bytes[16..24].copy_from_slice(&status.inherited.to_le_bytes());
        Ok(self.memory.write(out, &bytes)?)
    }

    fn is_terminal(&self, fd: u32) -> Result<bool, Errno> {
        let stream = match self.sandbox.files.kind(fd)? {
            Kind::Stdin => 0,
            Kind::Stdout => 1,
            Kind::Stderr => 2,
            Kind::File | Kind::Directory { .. } => return Ok(false),
        };
        Ok(self.sandbox.io.is_terminal(stream))
    }

    pub(in crate::host) fn fd_fdstat_set_flags(&mut self, fd: u32, flags: u32) -> Answer {
        let flags = u16::try_from(flags).map_err(|_| Errno::INVALID)?;
        Ok(self.sandbox.files.set_flags(fd, flags)?)
    }

    /// Rights cannot be given up one by one: what a descriptor can do was decided when it was opened.
    pub(in crate::host) fn fd_fdstat_set_rights(
        &mut self,
        fd: u32,
        _base: u64,
        _inheriting: u64,
    ) -> Answer {
        self.sandbox.files.kind(fd)?;
        Err(Errno::NOT_SUPPORTED.into())
    }

    pub(in crate::host) fn fd_filestat_get(&mut self, fd: u32, out: u32) -> Answer {
        let Sandbox {
            files, observer, ..
        } = &mut *self.sandbox;
        if let Some(observer) = observer {
            observer.look_at_open(files, fd);
        }
        match self.sandbox.files.stat(fd)? {
            Some(stat) => self
                .memory
                .write(out, &abi::filestat(&stat, self.generation))?,
            None => self
                .memory
                .write(out, &abi::filestat_of_stream(self.generation))?,
        }
        Ok(())
    }

    pub(in crate::host) fn fd_filestat_set_size(&mut self, fd: u32, size: u64) -> Answer {
        let Sandbox { files, io, .. } = &mut *self.sandbox;
        Ok(files.set_size(fd, size, &mut io.budget)?)
    }

    pub(in crate::host) fn fd_filestat_set_times(
        &mut self,
        fd: u32,
        access: u64,
        modification: u64,
        which: u32,
    ) -> Answer {
        let times = times(access, modification, which)?;
        Ok(self.sandbox.files.set_times(fd, times)?)
    }

    pub(in crate::host) fn fd_pread(
        &mut self,
        fd: u32,
        vectors: u32,
        count: u32,
        offset: u64,
        out: u32,
    ) -> Answer {
        let pieces = self.memory.vectors(vectors, count)?;
        let read = self.read_file(fd, &pieces, Some(offset))?;
        Ok(self.memory.write_u32(out, size(read))?)
    }

    pub(in crate::host) fn fd_pwrite(
        &mut self,
        fd: u32,
        vectors: u32,
        count: u32,
        offset: u64,
        out: u32,
    ) -> Answer {
        let pieces = self.memory.vectors(vectors, count)?;
        let written = self.write_file(fd, &pieces, Some(offset))?;
        Ok(self.memory.write_u32(out, size(written))?)
    }

    pub(in crate::host) fn fd_read(
        &mut self,
        fd: u32,
        vectors: u32,
        count: u32,
        out: u32,
    ) -> Answer {
        let pieces = self.memory.vectors(vectors, count)?;
        let read = match self.sandbox.files.kind(fd)? {
            Kind::Stdin => self.read_body(&pieces)?,
            Kind::Stdout | Kind::Stderr => return Err(Errno::BAD_DESCRIPTOR.into()),
            Kind::File | Kind::Directory { .. } => self.read_file(fd, &pieces, None)?,
        };
        Ok(self.memory.write_u32(out, size(read))?)
    }

    pub(in crate::host) fn fd_write(
        &mut self,
        fd: u32,
        vectors: u32,
        count: u32,
        out: u32,
    ) -> Answer {
        let pieces = self.memory.vectors(vectors, count)?;
        let written = match self.sandbox.files.kind(fd)? {
            Kind::Stdin => return Err(Errno::BAD_DESCRIPTOR.into()),
            Kind::Stdout => self.write_stream(&pieces, RunIo::write)?,
            Kind::Stderr => self.write_stream(&pieces, RunIo::write_error)?,
            Kind::File | Kind::Directory { .. } => self.write_file(fd, &pieces, None)?,
        };
        Ok(self.memory.write_u32(out, size(written))?)
    }

    pub(in crate::host) fn fd_prestat_get(&mut self, fd: u32, out: u32) -> Answer {
        let path = self.sandbox.files.mount_path(fd)?;
        let mut bytes = [0; PRESTAT_SIZE];
        bytes[4..].copy_from_slice(&size(path.len()).to_le_bytes());
        Ok(self.memory.write(out, &bytes)?)
    }

    pub(in crate::host) fn fd_prestat_dir_name(&mut self, fd: u32, out: u32, room: u32) -> Answer {
        let path = self.sandbox.files.mount_path(fd)?;
        if path.len() > room as usize {
            return Err(Errno::NAME_TOO_LONG.into());
        }
        Ok(self.memory.write(out, path.as_bytes())?)
    }

    pub(in crate::host) fn fd_readdir(
        &mut self,
        fd: u32,
        buffer: u32,
        room: u32,
        cookie: u64,
        out: u32,
    ) -> Answer {
        let buffer = self.memory.bytes_mut(buffer, room)?;
        let Sandbox {
            files,
            io,
            observer,
            ..
        } = &mut *self.sandbox;
        if let Some(observer) = observer {
            observer.list(files, fd);
        }
        let used = files.list(fd, buffer, cookie, io)?;
        Ok(self.memory.write_u32(out, size(used))?)
    }

    pub(in crate::host) fn fd_renumber(&mut self, from: u32, to: u32) -> Answer {
        self.sandbox.files.renumber(from, to)?;
        if let Some(observer) = &mut self.sandbox.observer {
            observer.renumber(from, to);
        }
        Ok(())
    }

    pub(in crate::host) fn fd_seek(
        &mut self,
        fd: u32,
        offset: i64,
        whence: u32,
        out: u32,
    ) -> Answer {
        let whence = match (self.generation, whence) {
            (Generation::Preview1, 0) | (Generation::Preview0, 2) => Whence::Start,
            (Generation::Preview1, 1) | (Generation::Preview0, 0) => Whence::Current,
            (Generation::Preview1, 2) | (Generation::Preview0, 1) => Whence::End,
            _ => return Err(Errno::INVALID.into()),
        };
        let position = self.sandbox.files.seek(fd, offset, whence)?;
        Ok(self.memory.write_u64(out, position)?)
    }

    pub(in crate::host) fn fd_tell(&mut self, fd: u32, out: u32) -> Answer {
        let position = self.sandbox.files.seek(fd, 0, Whence::Current)?;
        Ok(self.memory.write_u64(out, position)?)
    }

    /// Some of the request's body: as much as there is, up to the first piece.
    fn read_body(&mut self, pieces: &[Range<usize>]) -> Result<usize, Failure> {
        let Some(piece) = pieces.first() else {
            return Ok(0);
        };
        let buffer = &mut self.memory.0[piece.clone()];
        Ok(self.sandbox.io.read(buffer)?)
    }

    fn write_stream(
        &mut self,
        pieces: &[Range<usize>],
        write: impl Fn(&mut RunIo, &[u8]) -> Result<(), crate::host::Stop>,
    ) -> Result<usize, Failure> {
        for piece in pieces {
            write(&mut self.sandbox.io, &self.memory.0[piece.clone()])?;
        }
        Ok(total(pieces))
    }

    fn read_file(
        &mut self,
        fd: u32,
        pieces: &[Range<usize>],
        offset: Option<u64>,
    ) -> Result<usize, Failure> {
        let Call {
            memory, sandbox, ..
        } = self;
        if let Some(read) = read_at_once(&sandbox.files, memory, fd, pieces, offset) {
            return Ok(read?);
        }
        in_steps(pieces, |piece, done| {
            sandbox.io.check()?;
            let buffer = IoSliceMut::new(&mut memory.0[piece]);
            Ok(sandbox
                .files
                .read(fd, &mut [buffer], behind(offset, done)?)?)
        })
    }

    fn write_file(
        &mut self,
        fd: u32,
        pieces: &[Range<usize>],
        offset: Option<u64>,
    ) -> Result<usize, Failure> {
        let Call {
            memory, sandbox, ..
        } = self;
        if total(pieces) <= STEP {
            let slices: Vec<IoSlice<'_>> = pieces
                .iter()
                .map(|piece| IoSlice::new(&memory.0[piece.clone()]))
                .collect();
            let Sandbox { files, io, .. } = &mut **sandbox;
            return Ok(files.write(fd, &slices, offset, &mut io.budget)?);
        }
        in_steps(pieces, |piece, done| {
            sandbox.io.check()?;
            let slice = IoSlice::new(&memory.0[piece]);
            let Sandbox { files, io, .. } = &mut **sandbox;
            Ok(files.write(fd, &[slice], behind(offset, done)?, &mut io.budget)?)
        })
    }
}

/// What a C library usually asks for, one or two pieces that do not overlap, by one system call. `None` where that cannot be.
fn read_at_once(
    files: &Files,
    memory: &mut Memory<'_>,
    fd: u32,
    pieces: &[Range<usize>],
    offset: Option<u64>,
) -> Option<Result<usize, Errno>> {
    if total(pieces) > STEP {
        return None;
    }
    match pieces {
        [] => Some(files.read(fd, &mut [], offset)),
        [piece] => {
            let buffer = IoSliceMut::new(&mut memory.0[piece.clone()]);
            Some(files.read(fd, &mut [buffer], offset))
        }
        [first, second] => {
            let buffers = memory
                .0
                .get_disjoint_mut([first.clone(), second.clone()])
                .ok()?;
            Some(files.read(fd, &mut buffers.map(IoSliceMut::new), offset))
        }
        _ => None,
    }
}

/// Transfers piece by piece, none larger than [`STEP`], until one is not filled. What was done before an error counts; the
/// guest meets the error with its next call.
fn in_steps(
    pieces: &[Range<usize>],
    mut transfer: impl FnMut(Range<usize>, usize) -> Result<usize, Failure>,
) -> Result<usize, Failure> {
    let mut done = 0;
    for piece in pieces {
        let mut start = piece.start;
        while start < piece.end {
            let step = start..piece.end.min(start + STEP);
            let wanted = step.len();
            let count = match transfer(step, done) {
                Err(Failure::Errno(_)) if done > 0 => return Ok(done),
                count => count?,
            };
            done += count;
            start += count;
            if count < wanted {
                return Ok(done);
            }
        }
    }
    Ok(done)
}

fn total(pieces: &[Range<usize>]) -> usize {
    pieces.iter().map(Range::len).sum()
}

fn behind(offset: Option<u64>, done: usize) -> Result<Option<u64>, Errno> {
    offset
        .map(|offset| offset.checked_add(done as u64).ok_or(Errno::INVALID))
        .transpose()
}

pub(super) fn times(access: u64, modification: u64, which: u32) -> Result<Times, Errno> {
    Ok(Times {
        access,
        modification,
        which: u16::try_from(which).map_err(|_| Errno::INVALID)?,
    })
}

/// A count that fits: no memory is larger than 4 GiB.
fn size(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
