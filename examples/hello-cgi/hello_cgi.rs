//! A CGI program: the request arrives in the environment and on standard input; the response goes to standard output,
//! headers first, then an empty line, then the body.

use std::env;
use std::io::{self, Read, Write};

/// The most of a request's body that is shown again.
const ECHO_LIMIT: u64 = 64 * 1024;

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn main() -> io::Result<()> {
    let mut body = Vec::new();
    io::stdin().take(ECHO_LIMIT).read_to_end(&mut body)?;

    let mut out = io::stdout().lock();
    write!(out, "Content-Type: text/plain; charset=utf-8\r\n\r\n")?;
    writeln!(out, "method: {}", variable("REQUEST_METHOD"))?;
    writeln!(out, "query:  {}", variable("QUERY_STRING"))?;
    writeln!(out, "body:   {} bytes", body.len())?;
    out.write_all(&body)
}
