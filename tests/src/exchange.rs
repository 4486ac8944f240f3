//! One request and its answer, under the test's control: send a bit, read a bit.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::sockopt;

use crate::reader::{Head, Next, Reader};
use crate::response::{Piece, Response};

/// How long a test waits for the next byte before it gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// A request under way.
pub struct Exchange {
    stream: TcpStream,
    reader: Reader,
    method: String,
    started: Instant,
    head: Option<Head>,
    interim: Vec<u16>,
    pieces: Vec<Piece>,
    complete: Option<bool>,
}

impl Exchange {
    pub(crate) fn connect(address: SocketAddr, method: &str) -> Self {
        let started = Instant::now();
        let stream = TcpStream::connect_timeout(&address, PATIENCE)
            .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a timeout can be set");
        stream
            .set_write_timeout(Some(PATIENCE))
            .expect("a timeout can be set");
        stream.set_nodelay(true).expect("TCP_NODELAY can be set");
        let reader = Reader::new(stream.try_clone().expect("a socket can be cloned"));
        Self {
            stream,
            reader,
            method: method.to_owned(),
            started,
            head: None,
            interim: Vec::new(),
            pieces: Vec::new(),
            complete: None,
        }
    }

    /// Sends raw bytes. A server may well stop reading early: that is for the answer to show, not an error.
    pub fn send(&mut self, bytes: &[u8]) -> &mut Self {
        if let Err(error) = self.stream.write_all(bytes) {
            let kind = error.kind();
            assert!(
                matches!(
                    kind,
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                ),
                "cannot send: {error}"
            );
        }
        self
    }

    /// Sends one chunk of a chunked body.
    pub fn send_chunk(&mut self, data: &[u8]) -> &mut Self {
        let mut framed = format!("{:x}\r\n", data.len()).into_bytes();
        framed.extend_from_slice(data);
        framed.extend_from_slice(b"\r\n");
        self.send(&framed)
    }

    /// Ends a chunked body.
    pub fn end_chunks(&mut self) -> &mut Self {
        self.send(b"0\r\n\r\n")
    }

    /// Time since the connection was made.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits for the head of the final answer and tells its status.
    pub fn status(&mut self) -> u16 {
        self.read_head(false);
        self.head.as_ref().expect("the head was just read").status
    }

    /// Waits for an interim answer such as `100 Continue`, or for the final one, whichever is first.
    pub fn next_status(&mut self) -> u16 {
        self.read_head(true)
    }

    fn read_head(&mut self, interim_too: bool) -> u16 {
        let status = self.try_read_head(interim_too);
        status.unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_read_head(&mut self, interim_too: bool) -> io::Result<u16> {
        loop {
            if let Some(head) = &self.head {
                return Ok(head.status);
            }
            let head = self.reader.head(&self.method)?;
            if head.status >= 200 {
                self.head = Some(head);
                continue;
            }
            self.interim.push(head.status);
            if interim_too {
                return Ok(head.status);
            }
        }
    }

    /// Waits for the next piece of the body; nothing at its end.
    pub fn next_piece(&mut self) -> Option<Piece> {
        self.read_head(false);
        if self.complete.is_some() {
            return None;
        }
        let next = self
            .reader
            .next()
            .unwrap_or_else(|error| panic!("cannot read the body: {error}"));
        match next {
            Next::Data(data) => Some(Piece {
                at: self.started.elapsed(),
                data,
            }),
            Next::End => {
                self.complete = Some(true);
                None
            }
            Next::Cut => {
                self.complete = Some(false);
                None
            }
        }
    }

    /// Reads on until the body so far contains `text`; panics when it ends without.
    pub fn read_until(&mut self, text: &str) -> Duration {
        loop {
            let seen: Vec<u8> = self
                .pieces
                .iter()
                .flat_map(|piece| piece.data.clone())
                .collect();
            if String::from_utf8_lossy(&seen).contains(text) {
                return self.elapsed();
            }
            match self.next_piece() {
                Some(piece) => self.pieces.push(piece),
                None => panic!(
                    "{text:?} never came; got {:?}",
                    String::from_utf8_lossy(&seen)
                ),
            }
        }
    }

    /// Reads the rest without keeping it; returns its length and whether it ended as announced.
    pub fn drain(&mut self) -> (u64, bool) {
        let mut length = 0;
        while let Some(piece) = self.next_piece() {
            length += piece.data.len() as u64;
        }
        (length, self.complete == Some(true))
    }

    /// Reads the rest of the answer.
    pub fn finish(mut self) -> Response {
        self.next_answer()
    }

    /// Reads the answer of a server whose process may die meanwhile; nothing where the connection ended before the head did.
    pub fn finish_if_alive(mut self) -> Option<Response> {
        match self.try_read_head(false) {
            Ok(_) => Some(self.next_answer()),
            Err(error) => {
                let kind = error.kind();
                assert!(
                    matches!(
                        kind,
                        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
                    ),
                    "{error}"
                );
                None
            }
        }
    }

    /// Reads the rest of this answer; another one on the same connection may be read after it.
    pub fn next_answer(&mut self) -> Response {
        while let Some(piece) = self.next_piece() {
            self.pieces.push(piece);
        }
        let head = self.head.take().expect("the head was read");
        Response {
            status: head.status,
            reason: head.reason,
            headers: head.headers,
            pieces: std::mem::take(&mut self.pieces),
            complete: self.complete.take() == Some(true),
            interim: std::mem::take(&mut self.interim),
            took: self.started.elapsed(),
        }
    }

    /// Sends one more request, the last, on the same connection.
    pub fn ask(&mut self, method: &str, target: &str) -> &mut Self {
        let host = self.stream.peer_addr().expect("the socket is connected");
        method.clone_into(&mut self.method);
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        self.send(head.as_bytes())
    }

    /// Reads what else the server sends until it closes the connection.
    pub fn rest(mut self) -> Vec<u8> {
        self.reader
            .rest()
            .unwrap_or_else(|error| panic!("cannot read on: {error}"))
    }

    /// Closes the sending side only.
    pub fn close_sending(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Goes away as a killed browser does: unread data and all, with a reset.
    pub fn reset(self) {
        sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO))
            .expect("SO_LINGER can be set");
    }
}
