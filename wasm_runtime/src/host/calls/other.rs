//! Waiting, and sockets, of which there are none.

use super::{Answer, Call};
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
            sandbox.started,
            *generation,
            arguments,
        )
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
