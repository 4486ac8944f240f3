//! Reads HTTP/1 answers off a socket, without hiding how they were sent or that they were cut off.

use std::io::{self, Read};
use std::net::TcpStream;

/// How a body says where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
    Ended,
}

/// Head of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What came next of a body.
pub(crate) enum Next {
    Data(Vec<u8>),
    /// The body ended as announced.
    End,
    /// The connection ended before the body did.
    Cut,
}

pub(crate) struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    framing: Framing,
    /// Bytes left of the current chunk.
    chunk_left: u64,
    /// Whether the connection ended with a reset, which without announced framing is the only sign of a cut.
    was_reset: bool,
}

impl Reader {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            framing: Framing::Ended,
            chunk_left: 0,
            was_reset: false,
        }
    }

    /// Reads one head; an error means that no whole head arrived.
    pub(crate) fn head(&mut self, method: &str) -> io::Result<Head> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
            if !self.fill()? {
                let got = String::from_utf8_lossy(&self.buffer).into_owned();
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("the connection ended before the answer's head did: {got:?}"),
                ));
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + 4);
        let head = parse_head(&text)?;
        self.framing = framing(method, &head)?;
        self.chunk_left = 0;
        Ok(head)
    }

    /// Waits for the next piece of the body.
    pub(crate) fn next(&mut self) -> io::Result<Next> {
        match self.framing {
            Framing::Ended | Framing::Length(0) => Ok(Next::End),
            Framing::Length(left) => self.take(left).map(|data| match data {
                Some(data) => {
                    self.framing = Framing::Length(left - data.len() as u64);
                    Next::Data(data)
                }
                None => Next::Cut,
            }),
            Framing::Chunked => self.next_of_chunked(),
            Framing::UntilClose => Ok(match self.take(u64::MAX)? {
                Some(data) => Next::Data(data),
                None if self.was_reset => Next::Cut,
                None => Next::End,
            }),
        }
    }

    fn next_of_chunked(&mut self) -> io::Result<Next> {
        if self.chunk_left == 0 {
            let Some(line) = self.line()? else {
                return Ok(Next::Cut);
            };
            let digits = line.split(';').next().unwrap_or("").trim();
            self.chunk_left = u64::from_str_radix(digits, 16)
                .map_err(|_| io::Error::other(format!("not a chunk size: {line:?}")))?;
            if self.chunk_left == 0 {
                return self.trailers();
            }
        }
        let Some(data) = self.take(self.chunk_left)? else {
            return Ok(Next::Cut);
        };
        self.chunk_left -= data.len() as u64;
        if self.chunk_left == 0 && self.line()?.is_none() {
            return Ok(Next::Cut);
        }
        Ok(Next::Data(data))
    }

    fn trailers(&mut self) -> io::Result<Next> {
        loop {
            match self.line()? {
                None => return Ok(Next::Cut),
                Some(line) if line.is_empty() => {
                    self.framing = Framing::Ended;
                    return Ok(Next::End);
                }
                Some(_) => {}
            }
        }
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..at]).into_owned();
                self.buffer.drain(..at + 2);
                return Ok(Some(line));
            }
            if !self.fill_body()? {
                return Ok(None);
            }
        }
    }

    /// At least one byte and at most `most`; nothing at the end of the connection.
    fn take(&mut self, most: u64) -> io::Result<Option<Vec<u8>>> {
        if self.buffer.is_empty() && !self.fill_body()? {
            return Ok(None);
        }
        let count = usize::try_from(most)
            .unwrap_or(usize::MAX)
            .min(self.buffer.len());
        if count == self.buffer.len() {
            return Ok(Some(std::mem::take(&mut self.buffer)));
        }
        Ok(Some(self.buffer.drain(..count).collect()))
    }

    /// Everything that follows.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.fill_body()? {}
        Ok(std::mem::take(&mut self.buffer))
    }

    /// Like `fill`; a reset in the middle of a body is the way in which a server aborts, not a failure of the test.
    fn fill_body(&mut self) -> io::Result<bool> {
        match self.fill() {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                self.was_reset = true;
                Ok(false)
            }
            other => other,
        }
    }

    fn fill(&mut self) -> io::Result<bool> {
        let mut piece = vec![0; 64 * 1024];
        let count = loop {
            match self.stream.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count > 0)
    }
}

fn parse_head(text: &str) -> io::Result<Head> {
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut words = first.splitn(3, ' ');
    let malformed = || io::Error::other(format!("not a status line: {first:?}"));
    if !words.next().unwrap_or_default().starts_with("HTTP/1.") {
        return Err(malformed());
    }
    let status = words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(malformed)?;
    let reason = words.next().unwrap_or_default().to_owned();
    let headers = lines
        .map(|line| {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| io::Error::other(format!("not a header: {line:?}")))?;
            Ok((name.to_owned(), value.trim().to_owned()))
        })
        .collect::<io::Result<_>>()?;
    Ok(Head {
        status,
        reason,
        headers,
    })
}

fn framing(method: &str, head: &Head) -> io::Result<Framing> {
    let value = |wanted: &str| {
        head.headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_str())
    };
    if method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304 {
        return Ok(Framing::Ended);
    }
    if value("Transfer-Encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Ok(Framing::Chunked);
    }
    match value("Content-Length") {
        None => Ok(Framing::UntilClose),
        Some(length) => {
            let length = length
                .parse()
                .map_err(|_| io::Error::other(format!("not a length: {length:?}")))?;
            Ok(Framing::Length(length))
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
