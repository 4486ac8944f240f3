//! How many system calls a request takes: counted by strace, apart from everything that is timed.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::dirs::{command, stages};
use crate::load;
use crate::proc;
use crate::server::Server;
use crate::work::Case;

/// How long strace may take to find all threads.
const ATTACH_LIMIT: Duration = Duration::from_secs(10);

/// System calls of a server that is only looked at: strace interrupts those that wait, and counts them.
pub(crate) fn idle(server: &Server) -> Result<u64> {
    count(server, || Ok(()))
}

/// System calls for a request, of all the server's processes and those that they start.
pub(crate) fn per_request(server: &Server, case: &Case, idle: u64) -> Result<f64> {
    let calls = count(server, || load::ask(server, case, case.counted))?;
    Ok(calls.saturating_sub(idle) as f64 / f64::from(case.counted))
}

fn count(server: &Server, work: impl FnOnce() -> Result<()>) -> Result<u64> {
    let summary = stages().join("strace");
    let mut strace = attach(server, &summary)?;
    let result = work();
    let ended = detach(&mut strace);
    let text = fs::read_to_string(&summary);
    let _ = fs::remove_file(&summary);
    result.and(ended)?;
    total(&text?).context("strace told no total")
}

fn attach(server: &Server, summary: &Path) -> Result<Child> {
    let processes = server.group.processes()?;
    let mut strace = command(
        "strace",
        [
            "-q",
            "--follow-forks",
            "--summary-only",
            "--summary-columns=calls,name",
            "--output",
        ],
    );
    strace.arg(summary);
    for process in &processes {
        strace.arg(format!("--attach={process}"));
    }
    let child = strace
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot run strace")?;
    let limit = Instant::now() + ATTACH_LIMIT;
    while !processes.iter().all(|&process| proc::is_traced(process)) {
        ensure!(Instant::now() < limit, "strace does not get at httpd");
        sleep(Duration::from_millis(5));
    }
    Ok(child)
}

/// Interrupted, strace lets go of the processes and writes its summary.
fn detach(strace: &mut Child) -> Result<()> {
    let pid = i32::try_from(strace.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.context("strace has a process id")?, Signal::INT)
        .context("strace ended by itself")?;
    strace.wait()?;
    Ok(())
}

/// The last line of the summary adds up; where nothing was called there is none.
fn total(summary: &str) -> Option<u64> {
    if summary.is_empty() {
        return Some(0);
    }
    let line = summary
        .lines()
        .rev()
        .find(|line| line.ends_with(" total"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_ends_with_a_total() {
        let summary = "    calls syscall\n--------- ----------------\n      120 read\n        1 total_x\n--------- ----------------\n      121 total\n";
        assert_eq!(total(summary), Some(121));
        assert_eq!(total(""), Some(0));
        assert_eq!(total("nothing of that kind\n"), None);
    }
}
