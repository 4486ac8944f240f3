//! A load on a server: a few connections, each of which asks as soon as it has its answer.
//!
//! It is made here rather than by a tool such as wrk because an answer that is on its way when the time is over is waited
//! for. A tool that drops it would leave the server's processor time with no request to count it for, which is much where
//! a page takes longer than a second; and it would not look at what the answers say.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::http::Client;
use crate::server::Server;
use crate::work::Case;

pub(crate) struct Load {
    /// How long each answer took, sorted.
    pub(crate) times: Vec<Duration>,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
}

/// Each connection asks as often as the case wants at least, and no more after `duration`.
pub(crate) fn apply(
    server: &Server,
    case: &Case,
    connections: u16,
    duration: Duration,
) -> Result<Load> {
    let begin = Instant::now();
    let results: Vec<Result<Vec<Duration>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| ask_until(server, case, begin + duration)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("a connection's thread panicked")))
            })
            .collect()
    });
    let elapsed = begin.elapsed();
    let mut times = Vec::new();
    for result in results {
        times.extend(result?);
    }
    times.sort_unstable();
    Ok(Load { times, elapsed })
}

fn ask_until(server: &Server, case: &Case, end: Instant) -> Result<Vec<Duration>> {
    let mut client = client(server, case);
    let mut times = Vec::new();
    let mut begin = Instant::now();
    loop {
        case.check(&client.get(case.path)?)?;
        let now = Instant::now();
        times.push(now - begin);
        if now >= end && times.len() >= case.least {
            return Ok(times);
        }
        begin = now;
    }
}

/// So many requests, one after the other, on one connection.
pub(crate) fn ask(server: &Server, case: &Case, requests: u32) -> Result<()> {
    let mut client = client(server, case);
    for _ in 0..requests {
        case.check(&client.get(case.path)?)?;
    }
    Ok(())
}

fn client(server: &Server, case: &Case) -> Client {
    let cookie = server.cookie.as_ref().filter(|_| case.as_admin);
    Client::new(server.address).with_cookie(cookie)
}
