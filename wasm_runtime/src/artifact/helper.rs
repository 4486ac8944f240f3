//! Runs `wasm-precompile`: the parent of the web server must neither make an engine nor start threads.

use super::footer::{Metadata, read_footer};
use super::memory_file;
use crate::engine::settings::{BACKTRACE_DETAILS, Target};
use crate::error::{Error, Result};
use crate::precompile::{EXIT_INVALID_MODULE, MAX_CPU_SECONDS};
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Compiles `module` and returns the content of its artifact file, in a memory file that is not sealed yet, with its
/// metadata and the length of the code.
pub(super) fn compile(helper: &Path, module: &Path) -> Result<(File, Metadata, u64)> {
    let file = memory_file::create().map_err(|error| Error::Compile(error.to_string()))?;
    let output = run(helper, module, &file)?;
    if !output.status.success() {
        return Err(failure(module, &output));
    }
    match read_footer(&file) {
        Ok(Some((metadata, code_length))) => Ok((file, metadata, code_length)),
        Ok(None) | Err(_) => Err(Error::Compile(format!(
            "{} did not deliver compiled code",
            helper.display()
        ))),
    }
}

fn run(helper: &Path, module: &Path, output: &File) -> Result<Output> {
    let started = output.try_clone().and_then(|stdout| {
        let mut command = Command::new(helper);
        command
            .args(["--target", Target::Native.name(), "--output", "-"])
            .arg(module)
            .current_dir("/")
            .env_clear()
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped());
        if let Some(value) = std::env::var_os(BACKTRACE_DETAILS) {
            command.env(BACKTRACE_DETAILS, value);
        }
        command.spawn()?.wait_with_output()
    });
    started.map_err(|error| cannot_start(helper, &error))
}

fn cannot_start(helper: &Path, error: &io::Error) -> Error {
    Error::Compile(format!(
        "cannot run {} to compile it: {error}",
        helper.display()
    ))
}

fn failure(module: &Path, output: &Output) -> Error {
    let message = last_line(&output.stderr);
    if output.status.code() == Some(EXIT_INVALID_MODULE) {
        return Error::Module(message);
    }
    let cause = match output.status.signal() {
        Some(signal) => format!(
            "the compiler was ended by signal {signal} (it may use {MAX_CPU_SECONDS} s of CPU time) {message}"
        ),
        None => message,
    };
    Error::Compile(format!("{}: {}", module.display(), cause.trim_end()))
}

fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().next_back().unwrap_or("no reason given");
    line.trim_start_matches("wasm-precompile: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_helper_is_named() {
        let error = compile(Path::new("/nowhere/helper"), Path::new("/m.wasm")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/helper"), "{error}");
    }

    #[test]
    fn a_helper_that_fails_or_delivers_nothing_is_an_error() {
        let failed = compile(Path::new("/bin/false"), Path::new("/m.wasm")).unwrap_err();
        assert!(failed.to_string().contains("no reason given"), "{failed}");
        let silent = compile(Path::new("/bin/true"), Path::new("/m.wasm")).unwrap_err();
        assert!(silent.to_string().contains("did not deliver"), "{silent}");
    }
}
