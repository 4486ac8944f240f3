//! Guests as commands: `wasm-run`, and what came of it.

use std::process::{Child, Command, Output, Stdio};

use crate::paths::{cache_dir, guest, module};

/// `wasm-run` without any argument, and without input.
pub fn bare() -> Command {
    let mut command = Command::new(module("wasm-run"));
    command.stdin(Stdio::null());
    command
}

/// A guest, with the cache that all tests share.
pub fn wasm_run(options: &[&str], stem: &str, arguments: &[&str]) -> Command {
    let mut command = bare();
    command.arg("--cache-dir").arg(cache_dir());
    command.args(options).arg(guest(stem)).args(arguments);
    command
}

/// Runs it to its end.
pub fn output(command: &mut Command) -> Output {
    command.output().expect("wasm-run runs")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts this exit status, and all of this on the first line of standard error, which begins with the program's name.
#[track_caller]
pub fn fails(code: i32, command: &mut Command, causes: &[&str]) -> Output {
    let output = output(command);
    let said = stderr(&output);
    let line = said.lines().next().unwrap_or_default();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(line.starts_with("wasm-run: "), "{said}");
    assert!(causes.iter().all(|cause| line.contains(cause)), "{said}");
    output
}

/// Starts it with pipes for its standard streams.
pub fn start(command: &mut Command) -> Child {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    piped.stderr(Stdio::piped()).spawn().expect("wasm-run runs")
}
