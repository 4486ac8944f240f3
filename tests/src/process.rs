//! Processes: who is a child of whom, who still runs, and bounded waiting.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::terminal::is_cargos;

/// Waits until `condition` holds; panics with `what` after `limit`.
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < limit,
            "waited {limit:?} in vain until {what}"
        );
        sleep(Duration::from_millis(10));
    }
}

/// Copies a program. A process of its own writes the file: what a test that starts a program at this moment inherits would keep it
/// open for writing, and then it cannot be run (`ETXTBSY`).
#[track_caller]
pub fn copy_program(from: &Path, to: &Path) {
    printed(Command::new("cp").arg(from).arg(to));
}

/// Runs a command to its end, and returns what it printed; panics when it fails.
#[track_caller]
pub fn printed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(
        output.status.success(),
        "{command:?} failed with {}:\n{stdout}{stderr}",
        output.status
    );
    stdout
}

/// Takes from a command what Cargo tells the tests that it runs, so that what it builds is not built anew.
pub fn outside_cargo(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_cargos(name)) {
        command.env_remove(name);
    }
    command
}

/// Runs a command whose output goes to files or nowhere, and kills it when it takes longer than `limit`.
pub fn run_within(command: &mut Command, limit: Duration) -> ExitStatus {
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    match wait_child(&mut child, limit) {
        Some(status) => status,
        None => {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{command:?} took longer than {limit:?}");
        }
    }
}

/// Exit status of `child`, or nothing when it still runs after `limit`.
pub(crate) fn wait_child(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        if start.elapsed() > limit {
            return None;
        }
        sleep(Duration::from_millis(5));
    }
}

/// Sends `signal`; a process that is gone already is no error.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    let _ = kill_process(pid, signal);
}

/// State letter and parent of a process, from `/proc`.
fn state(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows the last one is regular.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether the process runs; a zombie that nobody collects counts as gone.
pub fn alive(pid: u32) -> bool {
    state(pid).is_some_and(|(letter, _)| letter != 'Z' && letter != 'X')
}

/// Living children of `parent`, in ascending order.
pub fn children(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc is readable");
    let mut children: Vec<u32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&pid| state(pid).is_some_and(|(letter, of)| of == parent && letter != 'Z'))
        .collect();
    children.sort_unstable();
    children
}

/// Whether a connection to this local port is open or being closed. `/proc/net/tcp` has the state in hexadecimal after
/// both addresses; `0A` is a listening socket, `06` is what the kernel alone remembers.
pub(crate) fn has_connections(port: u16) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").expect("/proc is readable");
    let local = format!(":{port:04X}");
    table.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (Some(address), _, Some(state)) = (fields.next(), fields.next(), fields.next()) else {
            return false;
        };
        address.ends_with(&local) && state != "0A" && state != "06"
    })
}

fn status_kib(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .unwrap_or_else(|error| panic!("process {pid} is gone: {error}"));
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix(field)?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or_else(|| panic!("/proc/{pid}/status has no {field}"))
}

/// Memory that the process has resident now, in KiB.
pub fn resident_memory_kib(pid: u32) -> u64 {
    status_kib(pid, "VmRSS:")
}

/// Page faults of a living process so far for which nothing was read from a disk.
pub fn page_faults(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .unwrap_or_else(|error| panic!("process {pid} is gone: {error}"));
    // The name in parentheses may hold anything; what follows the last one is regular.
    let faults = stat
        .rsplit_once(')')
        .and_then(|(_, fields)| fields.split_whitespace().nth(7)?.parse().ok());
    faults.unwrap_or_else(|| panic!("/proc/{pid}/stat has no page faults: {stat}"))
}

/// The most memory that the process ever had resident, in KiB.
pub fn peak_memory_kib(pid: u32) -> u64 {
    status_kib(pid, "VmHWM:")
}
