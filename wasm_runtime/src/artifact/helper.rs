//! One process of `wasm-precompile`: the parent of the web server must neither make an engine nor start threads.

use super::Prepared;
use super::footer::{Findings, Metadata, read_footer};
use super::memory_file;
use super::order::Given;
use super::snapshot::Snapshot;
use crate::digest;
use crate::engine::settings::{SETTING_VARIABLES, Target};
use crate::error::{Error, Result};
use crate::precompile::{EXIT_INVALID_MODULE, MAX_CPU_SECONDS};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Bytes that are kept of what a helper says: its last line counts.
const MAX_SAID: usize = 64 << 10;

/// How many threads the compiler uses; it reads this variable itself.
const THREADS: &str = "RAYON_NUM_THREADS";

/// A running helper. Dropped, it is ended.
pub(super) struct Process {
    helper: PathBuf,
    module: PathBuf,
    /// What its initialiser was given, if it runs one.
    given: Option<Given>,
    child: Child,
    stderr: ChildStderr,
    said: Vec<u8>,
    output: File,
}

/// Checks a module without compiling it.
pub(super) fn check(prepared: &Prepared) -> Result<Findings> {
    let helper = &prepared.helper;
    let mut process = work_on_code(prepared, &["--check"], 1)?;
    while process.listen() {}
    let mut output = process.finish()?;
    let read = output
        .rewind()
        .and_then(|()| Ok(serde_json::from_reader(BufReader::new(output))?));
    read.map_err(|_| delivered_nothing(helper))
}

/// Starts compiling a module, or its snapshot where there is one.
pub(super) fn compile(prepared: &Prepared, threads: usize) -> Result<Process> {
    work_on_code(prepared, &["--output", "-"], threads)
}

fn work_on_code(prepared: &Prepared, work: &[&str], threads: usize) -> Result<Process> {
    let Some(snapshot) = prepared.snapshot.get() else {
        let module = prepared.module.as_os_str();
        return start(prepared, threads, |command| {
            command.args(work).arg(module).stdin(Stdio::null());
        });
    };
    let wasm = snapshot.open().map_err(failed)?;
    let wasm = wasm.ok_or_else(|| failed(io::Error::other("the snapshot is gone")))?;
    start(prepared, threads, |command| {
        command.args(work).args(["--snapshot", "-"]).stdin(wasm);
    })
}

/// Starts the initialiser of a module, in a process that gives up the rights of root before it reads the module. It may take no
/// more than `time_left`.
pub(super) fn initialize(
    prepared: &Prepared,
    threads: usize,
    time_left: Duration,
) -> Result<Process> {
    let Some(mut order) = prepared.order() else {
        return Err(Error::InvalidArgument("the module has no initialiser"));
    };
    order.time = order.time.min(time_left);
    let mut line = serde_json::to_vec(&order).expect("an order is plain data");
    line.push(b'\n');
    // What is secret in it (variables) is on no command line, which everybody can read. The module is read here: whom the process
    // becomes may not be able to.
    let mut input = memory_file::create().map_err(failed)?;
    let filled = input.write_all(&line).and_then(|()| {
        let mut module = File::open(&prepared.module)?;
        let sha256 = digest::copy_hashed(&mut module, &mut input)?;
        input.rewind()?;
        Ok(sha256)
    });
    if filled.map_err(failed)? != prepared.sha256 {
        return Err(failed(io::Error::other("it was changed meanwhile")));
    }
    let mut process = start(prepared, threads, |command| {
        command.args(["--initialize", "--output", "-"]).stdin(input);
    })?;
    process.given = Some(order.given);
    Ok(process)
}

fn start(
    prepared: &Prepared,
    threads: usize,
    set_up: impl FnOnce(&mut Command),
) -> Result<Process> {
    let Prepared { helper, module, .. } = prepared;
    let output = memory_file::create().map_err(failed)?;
    let spawned = output.try_clone().and_then(|stdout| {
        let mut command = Command::new(helper);
        command
            .args(["--target", Target::Native.name()])
            .current_dir("/")
            .env_clear()
            .env(THREADS, threads.to_string())
            .stdout(stdout)
            .stderr(Stdio::piped());
        for name in SETTING_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        set_up(&mut command);
        command.spawn()
    });
    let mut child = spawned.map_err(|error| {
        Error::Compile(format!(
            "cannot run {} to compile it: {error}",
            helper.display()
        ))
    })?;
    Ok(Process {
        helper: helper.to_owned(),
        module: module.to_owned(),
        given: None,
        stderr: child.stderr.take().expect("it was asked for"),
        child,
        said: Vec::new(),
        output,
    })
}

fn failed(error: io::Error) -> Error {
    Error::Compile(error.to_string())
}

impl Process {
    /// Becomes readable when the process speaks or ends.
    pub(super) fn ear(&self) -> BorrowedFd<'_> {
        self.stderr.as_fd()
    }

    /// Takes what the process says; blocks until it says something. `false`: it has ended.
    pub(super) fn listen(&mut self) -> bool {
        let mut piece = [0; 1024];
        match self.stderr.read(&mut piece) {
            Ok(0) => false,
            Ok(count) => {
                self.said.extend_from_slice(&piece[..count]);
                let surplus = self.said.len().saturating_sub(MAX_SAID);
                self.said.drain(..surplus);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        }
    }

    /// The content of an artifact file, in a memory file that is not sealed yet, with its metadata and the length of the
    /// code. To be called when the process has ended.
    pub(super) fn compiled(self) -> Result<(File, Metadata, u64)> {
        let helper = self.helper.clone();
        let file = self.finish()?;
        match read_footer(&file) {
            Ok(Some((metadata, code_length))) => Ok((file, metadata, code_length)),
            Ok(None) | Err(_) => Err(delivered_nothing(&helper)),
        }
    }

    /// The snapshot that an initialiser led to. To be called when the process has ended. What it says was given by a process that
    /// ran a guest: only what was asked for is taken.
    pub(super) fn snapshot(mut self) -> Result<Snapshot> {
        let (helper, given) = (self.helper.clone(), self.given.take());
        let snapshot = Snapshot::from_helper(&mut self.finish()?).map_err(failed)?;
        if given.as_ref() != Some(&snapshot.facts.given) {
            return Err(delivered_nothing(&helper));
        }
        Ok(snapshot)
    }

    fn finish(mut self) -> Result<File> {
        let status = self.child.wait().map_err(failed)?;
        if !status.success() {
            return Err(self.failure(status));
        }
        self.output.try_clone().map_err(failed)
    }

    fn failure(&self, status: ExitStatus) -> Error {
        let module = self.module.display();
        let text = String::from_utf8_lossy(&self.said);
        let line = text.lines().next_back().unwrap_or("no reason given");
        let line = line.trim_start_matches("wasm-precompile: ");
        if status.code() == Some(EXIT_INVALID_MODULE) {
            // Whoever reads the error names the file, together with the line of the configuration.
            let reason = line.strip_prefix(&format!("{module}: ")).unwrap_or(line);
            return Error::Module(reason.to_owned());
        }
        let cause = match status.signal() {
            Some(signal) => format!(
                "{} was ended by signal {signal} (it may use {MAX_CPU_SECONDS} s of CPU time) {line}",
                self.helper.display()
            ),
            None => line.to_owned(),
        };
        Error::Compile(format!("{module}: {}", cause.trim_end()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both do nothing after it was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn delivered_nothing(helper: &Path) -> Error {
    Error::Compile(format!(
        "{} did not deliver what it was asked for",
        helper.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Facts;
    use std::sync::OnceLock;

    fn prepared(helper: &str) -> Prepared {
        Prepared {
            module: "/m.wasm".into(),
            size: 0,
            sha256: String::new(),
            facts: Facts::default(),
            helper: helper.into(),
            cache_directory: None,
            was_refused: false,
            preinit: None,
            snapshot: OnceLock::new(),
            without: OnceLock::new(),
            warnings: Vec::new(),
            made: OnceLock::new(),
        }
    }

    fn compiled(helper: &str) -> Error {
        let process = compile(&prepared(helper), 1);
        let compiled = process.and_then(|mut process| {
            while process.listen() {}
            process.compiled()
        });
        compiled.unwrap_err()
    }

    #[test]
    fn a_missing_helper_is_named() {
        let error = compiled("/nowhere/helper");
        assert!(error.to_string().contains("/nowhere/helper"), "{error}");
    }

    #[test]
    fn the_end_of_what_a_helper_says_is_kept() {
        let script = "yes x | head -c 1000000 >&2; echo the last line >&2; exit 1";
        let mut shell = Command::new("/bin/sh");
        let mut child = shell
            .args(["-c", script])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut process = Process {
            helper: "/bin/sh".into(),
            module: "/m.wasm".into(),
            given: None,
            stderr: child.stderr.take().unwrap(),
            child,
            said: Vec::new(),
            output: memory_file::create().unwrap(),
        };
        while process.listen() {}
        assert_eq!(process.said.len(), MAX_SAID);
        let error = process.finish().unwrap_err().to_string();
        assert!(error.ends_with("the last line"), "{error}");
    }

    #[test]
    fn a_helper_that_fails_or_delivers_nothing_is_an_error() {
        let failed = compiled("/bin/false");
        assert!(failed.to_string().contains("no reason given"), "{failed}");
        let silent = compiled("/bin/true");
        assert!(silent.to_string().contains("did not deliver"), "{silent}");
        let silent = check(&prepared("/bin/true")).unwrap_err();
        assert!(silent.to_string().contains("did not deliver"), "{silent}");
    }
}
