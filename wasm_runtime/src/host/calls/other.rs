//! Waiting, random numbers, and sockets, of which there are none.

use super::{Answer, Call, STEP};
use crate::host::abi::Errno;
use crate::host::poll;

impl Call<'_> {
    pub(in crate::host) fn poll_oneoff(
        &mut self,
        subscriptions: u32,
        events: u32,
        count: u32,
        out: u32,
    ) -> Answer {
        let arguments = [subscriptions, events, count, out];
        let Call {
            memory,
            sandbox,
            generation,
        } = self;
        poll::poll_oneoff(
            memory.0,
            &mut sandbox.io,
            sandbox.clock,
            *generation,
            arguments,
        )
    }

    /// Straight into the guest's memory: the engine's own would make as much memory of the host first.
    pub(in crate::host) fn random_get(&mut self, buffer: u32, length: u32) -> Answer {
        for piece in self.memory.bytes_mut(buffer, length)?.chunks_mut(STEP) {
            if length as usize > STEP {
                self.sandbox.io.check()?;
            }
            self.sandbox.random.fill(piece);
        }
        Ok(())
    }

    pub(in crate::host) fn sock_accept(&mut self, fd: u32, _flags: u32, _out: u32) -> Answer {
        self.no_socket(fd)
    }

    pub(in crate::host) fn sock_recv(
        &mut self,
        fd: u32,
        _vectors: u32,
        _count: u32,
        _flags: u32,
        _out: u32,
        _out_flags: u32,
    ) -> Answer {
        self.no_socket(fd)
    }

    pub(in crate::host) fn sock_send(
        &mut self,
        fd: u32,
        _vectors: u32,
        _count: u32,
        _flags: u32,
        _out: u32,
    ) -> Answer {
        self.no_socket(fd)
    }

    pub(in crate::host) fn sock_shutdown(&mut self, fd: u32, _how: u32) -> Answer {
        self.no_socket(fd)
    }

    fn no_socket(&self, fd: u32) -> Answer {
        self.sandbox.files.kind(fd)?;
        Err(Errno::NOT_SOCKET.into())
    }
}
