//! What is seen on a terminal, and what a log gets instead.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::sandbox::{Outcome, Sandbox, file_artifact};
use crate::server::{Reply, Server};

/// A pseudo-terminal: the side that is read here, and the side that a program writes to.
fn terminal() -> (File, File) {
    let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let program = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&program, size).unwrap();
    (master.into(), program)
}

/// What was written until the last writer closed its side, which Linux reports as an error.
fn read_all(mut terminal: File) -> String {
    let mut text = Vec::new();
    let _ = terminal.read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}

fn slow_server() -> Server {
    Server::start(|_| Reply::Drip {
        body: vec![b'x'; 1000],
        piece: 250,
        pause: Duration::from_millis(300),
    })
}

fn sandbox(server: &Server) -> Sandbox {
    let sandbox =
        Sandbox::with_manifest(&file_artifact("thing", &[b'x'; 1000], &[&server.url("/t")]));
    sandbox.set("TERM", "xterm")
}

#[test]
fn a_terminal_gets_bars_that_move() {
    let server = slow_server();
    let sandbox = sandbox(&server);
    let (screen, stderr) = terminal();
    let child = sandbox.command(&[]).stderr(stderr).spawn().unwrap();
    let seen = read_all(screen);
    let outcome = Outcome::from(child).succeeded();
    assert!(outcome.stdout.starts_with("thing: fetched from http://"));
    assert!(seen.contains("thing from http://127.0.0.1:"), "{seen:?}");
    for percent in [" 25 % [", " 50 % ["] {
        assert!(seen.contains(percent), "no '{percent}' in {seen:?}");
    }
    assert!(seen.contains("500 B of 1.00 kB"), "{seen:?}");
}

#[test]
fn a_log_gets_plain_lines() {
    let server = slow_server();
    let outcome = sandbox(&server).run(&[]).succeeded();
    assert_eq!(
        outcome.stderr,
        format!("  fetching thing from {} (1.0 kB)\n", server.url("/t"))
    );
}

#[test]
fn quiet_is_silent_on_a_terminal_too() {
    let server = slow_server();
    let sandbox = sandbox(&server);
    let (screen, stderr) = terminal();
    let child = sandbox
        .command(&["--quiet"])
        .stderr(stderr)
        .spawn()
        .unwrap();
    let seen = read_all(screen);
    Outcome::from(child).succeeded();
    assert_eq!(seen, "");
}
