//! A web server on 127.0.0.1 that answers, lies, stalls or breaks off, as each test wants.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// No wait in these tests may last for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a client asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The request target as it was sent.
    pub(crate) target: String,
    /// The whole head, for looking at header fields.
    pub(crate) head: String,
    /// How many requests came before this one.
    pub(crate) number: usize,
}

impl Request {
    /// The byte at which the client wants to begin, if it names one.
    pub(crate) fn range(&self) -> Option<usize> {
        let head = self.head.to_lowercase();
        let (_, value) = head.split_once("\r\nrange: bytes=")?;
        value.split_once('-')?.0.parse().ok()
    }
}

pub(crate) enum Reply {
    /// 200 with this body and its true length.
    Ok(Vec<u8>),
    /// 200 with this type and body.
    Typed(&'static str, String),
    /// 200 with a length that is not that of the body; then the connection closes.
    Promise {
        length: usize,
        body: Vec<u8>,
    },
    /// The part of this body that was asked for: 206, 416 when there is none; 200 when no part was asked for.
    Ranged(Vec<u8>),
    /// 206 with this body, which is said to begin there.
    Part {
        start: usize,
        body: Vec<u8>,
    },
    /// 200 without a length; the body goes on for as long as the client listens.
    Endless,
    /// A status without a body.
    Status(u16),
    Redirect(String),
    /// 200, half of the body, then silence.
    Stall(Vec<u8>),
    /// Silence from the beginning.
    Silence,
    /// The head of an answer, a byte at a time and without end.
    DripHead,
    /// 200 and the body, in pieces of this size with a pause after each.
    Drip {
        body: Vec<u8>,
        piece: usize,
        pause: Duration,
    },
}

pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(answer, |stream| Ok(Box::new(stream)))
    }

    /// `wrap` may put TLS around each connection.
    pub(crate) fn start_with(
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> io::Result<Box<dyn Connection>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let handler = Arc::new((answer, wrap));
        let thread = thread::spawn({
            let (requests, stop) = (requests.clone(), stop.clone());
            move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let (requests, stop, handler) =
                        (requests.clone(), stop.clone(), handler.clone());
                    // A connection that breaks is the client's business: what the client made of it is tested.
                    thread::spawn(move || {
                        let _ = serve(stream?, &requests, &stop, &handler.0, &handler.1);
                        io::Result::Ok(())
                    });
                }
            }
        });
        Self {
            port,
            requests,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .map(|request| request.target)
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener up, so that it sees the flag.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

pub(crate) trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

fn serve(
    stream: TcpStream,
    requests: &Mutex<Vec<Request>>,
    stop: &AtomicBool,
    answer: &impl Fn(&Request) -> Reply,
    wrap: &impl Fn(TcpStream) -> io::Result<Box<dyn Connection>>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut stream = wrap(stream)?;
    let head = read_head(&mut stream)?;
    let target = head.split(' ').nth(1).unwrap_or_default().to_string();
    let request = {
        let mut requests = requests.lock().unwrap();
        let request = Request {
            target,
            head,
            number: requests.len(),
        };
        requests.push(request.clone());
        request
    };
    let reply = match answer(&request) {
        Reply::Ranged(body) => ranged(request.range(), body),
        reply => reply,
    };
    send(&mut stream, reply, stop)?;
    stream.flush()
}

fn read_head(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn ranged(start: Option<usize>, body: Vec<u8>) -> Reply {
    match start {
        None => Reply::Ok(body),
        Some(start) if start >= body.len() => Reply::Status(416),
        Some(start) => Reply::Part {
            start,
            body: body[start..].into(),
        },
    }
}

fn send(stream: &mut impl Write, reply: Reply, stop: &AtomicBool) -> io::Result<()> {
    match reply {
        Reply::Ok(body) => send_body(stream, body.len(), &body),
        Reply::Typed(content_type, body) => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            )
        }
        Reply::Ranged(_) => unreachable!("resolved by the caller, who knows the request"),
        Reply::Part { start, body } => {
            let end = start + body.len();
            write!(
                stream,
                "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\n\
                 Content-Range: bytes {start}-{}/{end}\r\nConnection: close\r\n\r\n",
                body.len(),
                end - 1
            )?;
            stream.write_all(&body)
        }
        Reply::Promise { length, body } => send_body(stream, length, &body),
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            while !stop.load(Ordering::SeqCst) {
                stream.write_all(&[b'x'; 65536])?;
            }
            Ok(())
        }
        Reply::Status(status) => {
            write!(
                stream,
                "HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        Reply::Redirect(to) => {
            write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        Reply::Stall(body) => {
            send_body(stream, body.len(), &body[..body.len() / 2])?;
            stay_silent(stop);
            Ok(())
        }
        Reply::Silence => {
            stay_silent(stop);
            Ok(())
        }
        Reply::DripHead => {
            let endless = b"HTTP/1.1 200 OK\r\nX: ".iter().chain([b'x'; 1000].iter());
            let head: Vec<u8> = endless.copied().collect();
            drip(stream, &head, 1, Duration::from_millis(100), stop)
        }
        Reply::Drip { body, piece, pause } => {
            send_body(stream, body.len(), b"")?;
            drip(stream, &body, piece, pause, stop)
        }
    }
}

fn send_body(stream: &mut impl Write, length: usize, body: &[u8]) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)?;
    stream.flush()
}

fn drip(
    stream: &mut impl Write,
    bytes: &[u8],
    piece: usize,
    pause: Duration,
    stop: &AtomicBool,
) -> io::Result<()> {
    for piece in bytes.chunks(piece) {
        if stop.load(Ordering::SeqCst) {
            return Ok(());
        }
        stream.write_all(piece)?;
        stream.flush()?;
        thread::sleep(pause);
    }
    Ok(())
}

fn stay_silent(stop: &AtomicBool) {
    let pause = Duration::from_millis(50);
    for _ in 0..PATIENCE.as_millis() / pause.as_millis() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        thread::sleep(pause);
    }
}
