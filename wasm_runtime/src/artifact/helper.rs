//! One process of `wasm-precompile`: the parent of the web server must neither make an engine nor start threads.

use super::footer::{Findings, Metadata, read_footer};
use super::memory_file;
use super::snapshot::Snapshot;
use super::{Prepared, User};
use crate::engine::settings::{BACKTRACE_DETAILS, Target};
use crate::error::{Error, Result};
use crate::precompile::{EXIT_INVALID_MODULE, MAX_CPU_SECONDS};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

/// How many threads the compiler uses; it reads this variable itself.
const THREADS: &str = "RAYON_NUM_THREADS";

/// A running helper. Dropped, it is ended.
pub(super) struct Process {
    helper: PathBuf,
    module: PathBuf,
    child: Child,
    stderr: ChildStderr,
    said: Vec<u8>,
    output: File,
}

/// Checks a module without compiling it.
pub(super) fn check(prepared: &Prepared) -> Result<Findings> {
    let helper = &prepared.helper;
    let mut process = Process::start(prepared, &["--check"], 1)?;
    while process.listen() {}
    let mut output = process.finish()?;
    let read = output
        .rewind()
        .and_then(|()| Ok(serde_json::from_reader(BufReader::new(output))?));
    read.map_err(|_| delivered_nothing(helper))
}

/// Starts compiling a module, or its snapshot where there is one.
pub(super) fn compile(prepared: &Prepared, threads: usize) -> Result<Process> {
    Process::start(prepared, &["--output", "-"], threads)
}

/// Starts the initialiser of a module, in a process that gives up the rights of root before it reads anything.
pub(super) fn initialize(prepared: &Prepared, threads: usize) -> Result<Process> {
    let (Some(preinit), Some(initializer)) = (&prepared.preinit, prepared.initializer()) else {
        return Err(Error::InvalidArgument("the module has no initialiser"));
    };
    let mut work: Vec<OsString> = ["--initialize", initializer, "--output", "-"]
        .map(OsString::from)
        .into();
    let mut option = |name: &str, value: Vec<u8>| {
        work.push(name.into());
        work.push(OsString::from_vec(value));
    };
    option("--timeout", preinit.timeout_ms.to_string().into());
    option("--memory", preinit.memory.to_string().into());
    for mount in &preinit.mounts {
        option(
            "--mount",
            [mount.guest.as_bytes(), b"=", &mount.host].concat(),
        );
    }
    for host in preinit.table.hosts_writable() {
        option("--writable", host.clone());
    }
    for variable in &preinit.env {
        option("--env", variable.clone());
    }
    if let Some(User {
        user,
        group,
        groups,
    }) = &preinit.user
    {
        let numbers: Vec<String> = [*user, *group]
            .iter()
            .chain(groups)
            .map(u32::to_string)
            .collect();
        option("--user", numbers.join(":").into());
    }
    Process::start(prepared, &work, threads)
}

impl Process {
    fn start(prepared: &Prepared, work: &[impl AsRef<OsStr>], threads: usize) -> Result<Self> {
        let Prepared { helper, module, .. } = prepared;
        let snapshot = prepared.snapshot.get();
        let input = match snapshot.map(|snapshot| snapshot.open()).transpose() {
            Ok(snapshot) => snapshot.map_or_else(Stdio::null, Stdio::from),
            Err(error) => return Err(Error::Compile(error.to_string())),
        };
        let output = memory_file::create().map_err(|error| Error::Compile(error.to_string()))?;
        let spawned = output.try_clone().and_then(|stdout| {
            let mut command = Command::new(helper);
            command
                .args(["--target", Target::Native.name()])
                .args(work)
                .arg(if snapshot.is_some() {
                    Path::new("-")
                } else {
                    module
                })
                .current_dir("/")
                .env_clear()
                .env(THREADS, threads.to_string())
                .stdin(input)
                .stdout(stdout)
                .stderr(Stdio::piped());
            if let Some(value) = std::env::var_os(BACKTRACE_DETAILS) {
                command.env(BACKTRACE_DETAILS, value);
            }
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
            stderr: child.stderr.take().expect("it was asked for"),
            child,
            said: Vec::new(),
            output,
        })
    }

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

    /// The snapshot that an initialiser led to, and the content of its file. To be called when the process has ended.
    pub(super) fn snapshot(self) -> Result<(Snapshot, File)> {
        let mut file = self.finish()?;
        Ok((Snapshot::from_file(&mut file)?, file))
    }

    fn finish(mut self) -> Result<File> {
        let status = self
            .child
            .wait()
            .map_err(|error| Error::Compile(error.to_string()))?;
        if !status.success() {
            return Err(self.failure(status));
        }
        self.output
            .try_clone()
            .map_err(|error| Error::Compile(error.to_string()))
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
                "the compiler was ended by signal {signal} (it may use {MAX_CPU_SECONDS} s of CPU time) {line}"
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
    fn a_helper_that_fails_or_delivers_nothing_is_an_error() {
        let failed = compiled("/bin/false");
        assert!(failed.to_string().contains("no reason given"), "{failed}");
        let silent = compiled("/bin/true");
        assert!(silent.to_string().contains("did not deliver"), "{silent}");
        let silent = check(&prepared("/bin/true")).unwrap_err();
        assert!(silent.to_string().contains("did not deliver"), "{silent}");
    }
}
