//! Tries to break out of its sandbox, in the way that its first argument names. What it gets stands on standard output,
//! what it is refused on standard error; it fails unless it got something.

use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs, io, thread};

const MIB: usize = 1024 * 1024;

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("read-host-file") => read(&["/etc/passwd", "/proc/self/environ"]),
        Some("leave-mount") => read(&["/data/../etc/passwd", "/data/../../../../../../etc/passwd", "/data//etc/passwd"]),
        Some("write-read-only") => write(),
        Some("loop-forever") => loop_forever(),
        Some("eat-memory") => eat_memory(),
        Some("sleep-an-hour") => sleep_an_hour(),
        Some("forge-log-line") => forge_log_line(),
        other => {
            eprintln!("sandbox_tour: I do not know how to try {other:?}");
            ExitCode::from(2)
        }
    }
}

/// Tells how each attempt went. A success is what must not happen.
fn report(attempts: Vec<(String, io::Result<String>)>) -> ExitCode {
    let mut code = ExitCode::FAILURE;
    for (attempt, result) in attempts {
        match result {
            Ok(gain) => {
                println!("{attempt}: I could, and have {gain}");
                code = ExitCode::SUCCESS;
            }
            Err(error) => eprintln!("{attempt}: {error}"),
        }
    }
    code
}

fn read(paths: &[&str]) -> ExitCode {
    let attempt = |path: &&str| (format!("read {path}"), fs::read_to_string(path));
    report(paths.iter().map(attempt).collect())
}

fn write() -> ExitCode {
    let done = |()| String::from("changed the mount");
    report(vec![
        ("create /data/new.txt".into(), fs::write("/data/new.txt", "I was here").map(done)),
        ("change /data/note.txt".into(), fs::write("/data/note.txt", "I was here").map(done)),
        ("delete /data/note.txt".into(), fs::remove_file("/data/note.txt").map(done)),
    ])
}

fn loop_forever() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

/// Takes memory and writes to it, one MiB after the other, for as long as there is some; 1 GiB is a success.
fn eat_memory() -> ExitCode {
    let mut eaten: Vec<Vec<u8>> = Vec::with_capacity(1024);
    while eaten.len() < eaten.capacity() {
        let mut block = Vec::new();
        if block.try_reserve_exact(MIB).is_err() {
            eprintln!("eat memory: there is no more");
            return ExitCode::FAILURE;
        }
        block.resize(MIB, 1);
        eaten.push(block);
    }
    println!("eat memory: I could, and have {} MiB", eaten.len());
    ExitCode::SUCCESS
}

fn sleep_an_hour() -> ExitCode {
    thread::sleep(Duration::from_secs(3600));
    println!("sleep an hour: I could");
    ExitCode::SUCCESS
}

/// Whether the log took the lines for httpd's own, nobody can tell from inside: this always ends as a failure.
fn forge_log_line() -> ExitCode {
    eprintln!("all is well");
    eprintln!("[Thu Jan 01 00:00:00 1970] [core:emerg] [pid 1] AH00000: the server is on fire");
    eprintln!("one line\r[core:emerg] [pid 1] AH00000: written over it");
    eprintln!("\x1b[2J\x1b[31mthe terminal that shows this log is mine");
    ExitCode::FAILURE
}
