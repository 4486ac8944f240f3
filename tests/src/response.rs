//! What a server answered.

use std::time::Duration;

/// One piece of a body as it came from the socket, and when.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Time since the request was begun.
    pub at: Duration,
    pub data: Vec<u8>,
}

/// An answer, whole or cut off.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub reason: String,
    /// Names as sent, in order; repeated ones stay apart.
    pub headers: Vec<(String, String)>,
    pub pieces: Vec<Piece>,
    /// Whether the framing ended as announced. `false`: the server aborted the connection.
    pub complete: bool,
    /// Status codes of the interim answers (100, 103) that came first.
    pub interim: Vec<u16>,
    /// Time since the request was begun until the last byte.
    pub took: Duration,
}

impl Response {
    /// The body, whatever has arrived of it.
    pub fn body(&self) -> Vec<u8> {
        self.pieces
            .iter()
            .flat_map(|piece| piece.data.iter().copied())
            .collect()
    }

    /// Length of the body that has arrived.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.data.len()).sum()
    }

    /// Whether no byte of a body has arrived.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole body as text; panics when the answer was cut off.
    pub fn text(&self) -> String {
        assert!(self.complete, "the answer was cut off: {self:?}");
        self.partial_text()
    }

    /// What has arrived of the body, as text.
    pub fn partial_text(&self) -> String {
        String::from_utf8_lossy(&self.body()).into_owned()
    }

    /// First value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_values(name).into_iter().next()
    }

    /// All values of a header in the order sent.
    pub fn header_values(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Panics unless the answer is whole and has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert!(
            self.status == status && self.complete,
            "expected a complete {status}, got {}{}: {:?}\n{}",
            self.status,
            if self.complete { "" } else { ", cut off" },
            self.headers,
            self.partial_text(),
        );
        self
    }

    /// Time at which the body had `text` in it; panics when it never had.
    #[track_caller]
    pub fn arrival(&self, text: &str) -> Duration {
        let mut seen = String::new();
        for piece in &self.pieces {
            seen.push_str(&String::from_utf8_lossy(&piece.data));
            if seen.contains(text) {
                return piece.at;
            }
        }
        panic!("{text:?} never arrived in {seen:?}");
    }
}
