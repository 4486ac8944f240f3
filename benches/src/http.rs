//! A client that keeps its connection: it asks, and takes the whole answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use httparse::{EMPTY_HEADER, Response, Status};

/// Longer than any page takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.body
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }
}

/// How a body says where it ends.
#[derive(Debug, PartialEq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

#[derive(Debug, PartialEq)]
struct Head {
    length: usize,
    status: u16,
    framing: Framing,
    closes: bool,
}

pub(crate) struct Client {
    address: SocketAddr,
    limit: Duration,
    /// A line of the request, or nothing.
    cookie: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self::impatient(address, LIMIT)
    }

    /// A client that takes a silence of this length for an error.
    pub(crate) fn impatient(address: SocketAddr, limit: Duration) -> Self {
        Self {
            address,
            limit,
            cookie: String::new(),
            stream: None,
            buffer: Vec::new(),
        }
    }

    pub(crate) fn with_cookie(mut self, cookie: Option<&String>) -> Self {
        self.cookie = cookie.map_or_else(String::new, |cookie| format!("Cookie: {cookie}\r\n"));
        self
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        let answer = self.try_get(path);
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    fn try_get(&mut self, path: &str) -> Result<Answer> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\n{}\r\n",
            self.address, self.cookie
        );
        self.buffer.clear();
        self.connection()?.write_all(request.as_bytes())?;
        let head = self.head()?;
        self.buffer.drain(..head.length);
        let body = match head.framing {
            Framing::Length(length) => self.fixed(length)?,
            Framing::Chunked => self.chunked()?,
            Framing::UntilClose => self.rest()?,
        };
        ensure!(self.buffer.is_empty(), "more came than the answer");
        if head.closes {
            self.stream = None;
        }
        Ok(Answer {
            status: head.status,
            body,
        })
    }

    fn connection(&mut self) -> Result<&mut TcpStream> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address, self.limit)?,
        };
        Ok(self.stream.insert(stream))
    }

    /// Reads some more; false at the end of the connection.
    fn fill(&mut self) -> Result<bool> {
        let mut piece = [0; 16 * 1024];
        let stream = self.stream.as_mut().context("there is no connection")?;
        let got = stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..got]);
        Ok(got > 0)
    }

    fn fill_to(&mut self, length: usize) -> Result<()> {
        while self.buffer.len() < length {
            ensure!(self.fill()?, "the connection ended before the answer did");
        }
        Ok(())
    }

    fn head(&mut self) -> Result<Head> {
        loop {
            if let Some(head) = parse_head(&self.buffer)? {
                return Ok(head);
            }
            self.fill_to(self.buffer.len() + 1)?;
        }
    }

    fn fixed(&mut self, length: usize) -> Result<Vec<u8>> {
        self.fill_to(length)?;
        Ok(self.buffer.drain(..length).collect())
    }

    fn chunked(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let Status::Complete((start, size)) = httparse::parse_chunk_size(&self.buffer)
                .map_err(|_| anyhow::anyhow!("a chunk begins in a wrong way"))?
            else {
                self.fill_to(self.buffer.len() + 1)?;
                continue;
            };
            let end = start + usize::try_from(size)?;
            self.fill_to(end + 2)?;
            ensure!(
                &self.buffer[end..end + 2] == b"\r\n",
                "a chunk ends in a wrong way"
            );
            body.extend_from_slice(&self.buffer[start..end]);
            self.buffer.drain(..end + 2);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn rest(&mut self) -> Result<Vec<u8>> {
        while self.fill()? {}
        Ok(std::mem::take(&mut self.buffer))
    }
}

fn connect(address: SocketAddr, limit: Duration) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    Ok(stream)
}

/// Nothing where the head is not complete yet.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let mut headers = [EMPTY_HEADER; 64];
    let mut response = Response::new(&mut headers);
    let Status::Complete(length) = response.parse(bytes).context("this is no answer in HTTP")?
    else {
        return Ok(None);
    };
    let has = |name: &str, value: &str| {
        response.headers.iter().any(|header| {
            header.name.eq_ignore_ascii_case(name)
                && header.value.eq_ignore_ascii_case(value.as_bytes())
        })
    };
    let announced = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let framing = if has("transfer-encoding", "chunked") {
        Framing::Chunked
    } else if let Some(header) = announced {
        let text = std::str::from_utf8(header.value)?;
        Framing::Length(text.trim().parse().context("a wrong Content-Length")?)
    } else {
        Framing::UntilClose
    };
    let Some(status) = response.code else {
        bail!("an answer without a status");
    };
    Ok(Some(Head {
        length,
        status,
        closes: framing == Framing::UntilClose || has("connection", "close"),
        framing,
    }))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one request after the other on one connection with these bytes, and returns what a client makes of them.
    fn asked(answers: &[&[&str]]) -> Vec<Result<Answer>> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = Client::new(listener.local_addr().unwrap());
        thread::scope(|scope| {
            scope.spawn(|| serve(&listener, answers));
            answers.iter().map(|_| client.get("/")).collect()
        })
    }

    fn serve(listener: &TcpListener, answers: &[&[&str]]) {
        let mut reader = BufReader::new(listener.accept().unwrap().0);
        for pieces in answers {
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line).unwrap();
            }
            for piece in *pieces {
                reader.get_mut().write_all(piece.as_bytes()).unwrap();
                thread::sleep(Duration::from_millis(2));
            }
        }
    }

    fn bodies(results: Vec<Result<Answer>>) -> Vec<String> {
        results
            .into_iter()
            .map(|result| String::from_utf8(result.unwrap().body).unwrap())
            .collect()
    }

    #[test]
    fn answers_follow_each_other_on_one_connection() {
        let results = asked(&[
            &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "llo"],
            &[
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                "2\r\nde\r\n0\r\n",
                "\r\n",
            ],
            &["HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nthe rest"],
        ]);
        assert_eq!(bodies(results), ["hello", "abcde", "the rest"]);
    }

    #[test]
    fn an_answer_that_is_cut_off_is_an_error() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "HTTP/1.1 200 OK\r\nContent-Le",
        ] {
            let error = asked(&[&[answer]]).remove(0).err().unwrap();
            let text = error.to_string();
            assert!(text.contains("ended before the answer"), "{text}");
        }
    }

    #[test]
    fn more_than_the_answer_is_an_error() {
        let results = asked(&[&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello"]]);
        assert!(results[0].is_err());
    }

    #[test]
    fn the_status_is_told() {
        let results = asked(&[&["HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"]]);
        let answer = results[0].as_ref().unwrap();
        assert_eq!(answer.status, 503);
        assert!(answer.contains("us") && !answer.contains("idle"));
    }
}
