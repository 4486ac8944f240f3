//! A request to be sent.

use std::net::SocketAddr;

use crate::exchange::Exchange;
use crate::response::Response;

enum Body {
    None,
    Bytes(Vec<u8>),
    /// `Transfer-Encoding: chunked`; the test sends the chunks itself.
    Chunked,
}

/// Builds a request; [`send`](Self::send) does it all, [`open`](Self::open) leaves the body to the test.
pub struct Request {
    address: SocketAddr,
    method: String,
    target: String,
    version: &'static str,
    host: String,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Request {
    /// A request to any address; [`Server::request`](crate::Server::request) is the usual way.
    pub fn new(address: SocketAddr, method: &str, target: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            target: target.to_owned(),
            version: "HTTP/1.1",
            host: address.to_string(),
            headers: Vec::new(),
            body: Body::None,
        }
    }

    /// Adds a header; repeated names are sent repeatedly.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Speaks to the virtual host of this name.
    pub fn host(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    /// Sends the request as HTTP/1.0.
    pub fn http10(mut self) -> Self {
        self.version = "HTTP/1.0";
        self
    }

    /// Sends these bytes with their `Content-Length`.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Bytes(bytes.into());
        self
    }

    /// Announces a chunked body, which the test sends through [`Exchange::send_chunk`].
    pub fn chunked(mut self) -> Self {
        self.body = Body::Chunked;
        self
    }

    /// Sends a form as a browser does.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        self.header("Content-Type", "application/x-www-form-urlencoded")
            .body(pairs.join("&"))
    }

    /// Connects and sends the head, and the body where it is known.
    pub fn open(self) -> Exchange {
        let mut head = format!(
            "{} {} {}\r\nHost: {}\r\n",
            self.method, self.target, self.version, self.host
        );
        if !self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("Connection"))
        {
            head.push_str("Connection: close\r\n");
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match &self.body {
            Body::None => {}
            Body::Bytes(bytes) => head.push_str(&format!("Content-Length: {}\r\n", bytes.len())),
            Body::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
        }
        head.push_str("\r\n");
        let mut exchange = Exchange::connect(self.address, &self.method);
        exchange.send(head.as_bytes());
        if let Body::Bytes(bytes) = &self.body {
            exchange.send(bytes);
        }
        exchange
    }

    /// Sends the request and waits for the whole answer.
    pub fn send(self) -> Response {
        self.open().finish()
    }
}

/// Percent-encodes for a form or a query.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
