//! `path_*`.

use super::descriptors::times;
use super::{Answer, Call};
use crate::host::abi::{self, Errno, FOLLOW};
use crate::host::files::Open;
use crate::run::Sandbox;

impl Call<'_> {
    pub(in crate::host) fn path_create_directory(
        &mut self,
        fd: u32,
        path: u32,
        length: u32,
    ) -> Answer {
        let path = self.memory.path(path, length)?;
        self.sandbox.observe_attempt(fd, path);
        let Sandbox { files, io, .. } = &mut *self.sandbox;
        Ok(files.create_directory(fd, path, &mut io.budget)?)
    }

    pub(in crate::host) fn path_filestat_get(
        &mut self,
        fd: u32,
        flags: u32,
        path: u32,
        length: u32,
        out: u32,
    ) -> Answer {
        let path = self.memory.path(path, length)?;
        self.sandbox.observe(fd, path, flags & FOLLOW != 0);
        let Sandbox { files, io, .. } = &mut *self.sandbox;
        let stat =
            files.again(|files| files.stat_path(fd, path, flags & FOLLOW != 0, &io.budget))?;
        Ok(self
            .memory
            .write(out, &abi::filestat(&stat, self.generation))?)
    }

    #[expect(clippy::too_many_arguments, reason = "WASI's own list")]
    pub(in crate::host) fn path_filestat_set_times(
        &mut self,
        fd: u32,
        flags: u32,
        path: u32,
        length: u32,
        access: u64,
        modification: u64,
        which: u32,
    ) -> Answer {
        let path = self.memory.path(path, length)?;
        let times = times(access, modification, which)?;
        self.sandbox.observe(fd, path, flags & FOLLOW != 0);
        Ok(self
            .sandbox
            .files
            .set_times_path(fd, path, flags & FOLLOW != 0, times)?)
    }

    #[expect(clippy::too_many_arguments, reason = "WASI's own list")]
    pub(in crate::host) fn path_link(
        &mut self,
        old_fd: u32,
        old_flags: u32,
        old_path: u32,
        old_length: u32,
        new_fd: u32,
        new_path: u32,
        new_length: u32,
    ) -> Answer {
        if old_flags & FOLLOW != 0 {
            return Err(Errno::INVALID.into());
        }
        let old = self.memory.path(old_path, old_length)?;
        let new = self.memory.path(new_path, new_length)?;
        self.sandbox.observe_attempt(old_fd, old);
        self.sandbox.observe_attempt(new_fd, new);
        let Sandbox { files, io, .. } = &mut *self.sandbox;
        Ok(files.link((old_fd, old), (new_fd, new), &mut io.budget)?)
    }

    #[expect(clippy::too_many_arguments, reason = "WASI's own list")]
    pub(in crate::host) fn path_open(
        &mut self,
        fd: u32,
        flags: u32,
        path: u32,
        length: u32,
        oflags: u32,
        rights: u64,
        _inheriting: u64,
        fdflags: u32,
        out: u32,
    ) -> Answer {
        let path = self.memory.path(path, length)?;
        let how = Open {
            follow: flags & FOLLOW != 0,
            oflags: u16::try_from(oflags).map_err(|_| Errno::INVALID)?,
            rights,
            fdflags: u16::try_from(fdflags).map_err(|_| Errno::INVALID)?,
        };
        self.sandbox.observe(fd, path, how.follow);
        let Sandbox {
            files,
            io,
            observer,
            ..
        } = &mut *self.sandbox;
        let opened = files.open(fd, path, how, &mut io.budget)?;
        if let Some(observer) = observer {
            observer.open(files, fd, path, opened);
        }
        Ok(self.memory.write_u32(out, opened)?)
    }

    pub(in crate::host) fn path_readlink(
        &mut self,
        fd: u32,
        path: u32,
        length: u32,
        buffer: u32,
        room: u32,
        out: u32,
    ) -> Answer {
        let path = self.memory.path(path, length)?.to_vec();
        let buffer = self.memory.bytes_mut(buffer, room)?;
        self.sandbox.observe(fd, &path, false);
        let Sandbox { files, io, .. } = &mut *self.sandbox;
        let used = files.again(|files| files.readlink(fd, &path, buffer, &io.budget))?;
        Ok(self
            .memory
            .write_u32(out, u32::try_from(used).unwrap_or(u32::MAX))?)
    }

    pub(in crate::host) fn path_remove_directory(
        &mut self,
        fd: u32,
        path: u32,
        length: u32,
    ) -> Answer {
        let path = self.memory.path(path, length)?;
        self.sandbox.observe_attempt(fd, path);
        Ok(self.sandbox.files.remove_directory(fd, path)?)
    }

    pub(in crate::host) fn path_rename(
        &mut self,
        old_fd: u32,
        old_path: u32,
        old_length: u32,
        new_fd: u32,
        new_path: u32,
        new_length: u32,
    ) -> Answer {
        let old = self.memory.path(old_path, old_length)?;
        let new = self.memory.path(new_path, new_length)?;
        self.sandbox.observe_attempt(old_fd, old);
        self.sandbox.observe_attempt(new_fd, new);
        Ok(self.sandbox.files.rename((old_fd, old), (new_fd, new))?)
    }

    pub(in crate::host) fn path_symlink(
        &mut self,
        content: u32,
        content_length: u32,
        fd: u32,
        path: u32,
        length: u32,
    ) -> Answer {
        let content = self.memory.path(content, content_length)?;
        let path = self.memory.path(path, length)?;
        self.sandbox.observe_attempt(fd, path);
        let Sandbox { files, io, .. } = &mut *self.sandbox;
        Ok(files.symlink(content, fd, path, &mut io.budget)?)
    }

    pub(in crate::host) fn path_unlink_file(&mut self, fd: u32, path: u32, length: u32) -> Answer {
        let path = self.memory.path(path, length)?;
        self.sandbox.observe_attempt(fd, path);
        Ok(self.sandbox.files.unlink(fd, path)?)
    }
}
