//! A command on a terminal of its own, on which a test types.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::termios::{Winsize, tcsetwinsize};
use tempfile::TempDir;

use crate::paths::program;
use crate::process::wait_child;

const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A terminal and what runs on it.
pub struct Terminal {
    /// script(1) makes the terminal; what is written to its input is typed there.
    script: Child,
    folder: TempDir,
}

impl Terminal {
    /// Runs a line of shell.
    pub fn run(command: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let output = File::create(folder.path().join("output")).expect("the folder is ours");
        let mut script = Command::new(program("env", "coreutils"));
        for (name, _) in env::vars_os().filter(|(name, _)| is_cargos(name)) {
            script.env_remove(name);
        }
        // Whatever started the tests in the background may ignore Ctrl-C; on a new terminal nothing does.
        let script = script
            .arg("--default-signal")
            .arg(program("script", "bsdutils"))
            .args(["--quiet", "--return", "--command", command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a file can be cloned"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .expect("script runs");
        Self { script, folder }
    }

    /// What has been printed so far.
    pub fn output(&self) -> String {
        let bytes = fs::read(self.folder.path().join("output")).expect("the output is readable");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn type_in(&mut self, keys: &[u8]) {
        let input = self.script.stdin.as_mut().expect("the input is ours");
        input
            .write_all(keys)
            .and_then(|()| input.flush())
            .expect("the terminal takes input");
    }

    /// Makes the terminal so many rows high.
    pub fn resize(&self, rows: u16) {
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.device())
            .expect("the terminal can be opened");
        let size = Winsize {
            ws_row: rows,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&terminal, size).expect("the terminal can be resized");
    }

    /// What its first process has for input.
    fn device(&self) -> PathBuf {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.script.id()))
            .expect("/proc is readable");
        let first = children
            .split_whitespace()
            .next()
            .expect("script runs a shell");
        fs::read_link(format!("/proc/{first}/fd/0")).expect("the shell has an input")
    }

    /// The exit status of what ran on it, once that has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.script.try_wait().expect("a child can be waited for")
    }
}

/// Whether Cargo sets this variable for the tests that it runs. On a new terminal there is none, and build scripts that look
/// at them would run again.
pub(crate) fn is_cargos(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    name == "CARGO" || name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_")
}

impl Drop for Terminal {
    /// What still runs is asked to stop: the end of its terminal alone may leave it behind.
    fn drop(&mut self) {
        if let Some(input) = self.script.stdin.as_mut() {
            let _ = input.write_all(b"\x03");
        }
        let _ = wait_child(&mut self.script, STOP_LIMIT);
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
