//! Where things lie, and how the project's scripts are run.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

/// The project's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate lies in the project's root folder")
}

/// The folder for what servers read and write: `MOD_WASM_STAGE`, or one that all users of the server can reach.
pub(crate) fn stages() -> PathBuf {
    if let Some(folder) = env::var_os("MOD_WASM_STAGE") {
        return folder.into();
    }
    if rustix::process::geteuid().is_root() {
        return "/var/cache/mod_wasm-bench".into();
    }
    let caches = env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    caches.join("mod_wasm-bench")
}

/// A script or file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    root().join(path)
}

/// A command with these arguments.
pub(crate) fn command<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = A>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs a command to its end; what it says goes to standard error, and an end that is no success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    // Standard output is for tables.
    let status = command
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("cannot run {}", name(command)))?;
    ensure!(status.success(), "{} failed: {status}", name(command));
    Ok(())
}

/// The same for a command whose standard output is wanted: returned without the line's end.
pub(crate) fn printed(command: &mut Command) -> Result<String> {
    let output = output(command.stderr(Stdio::inherit()))?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        name(command),
        output.status
    );
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}

/// Runs a command to its end, whatever that is.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", name(command)))
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// Tells what is being done.
pub(crate) fn say(what: &str) {
    eprintln!("==> {what}");
}
