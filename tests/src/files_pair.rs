//! One program that works on files, two ways to run it: for comparing what the host and the sandbox answer.

use std::collections::HashMap;
use std::process::{Command, Stdio};

use crate::conf::endpoint;
use crate::files_fixture;
use crate::httpd::Mpm;
use crate::paths::{guest, native};
use crate::process::printed;
use crate::server::Server;
use crate::site::{Site, as_child_user, within_mounts};

/// What httpd finds around itself.
#[derive(Clone, Copy)]
pub struct Surroundings {
    pub mpm: Mpm,
    /// Commands of a shell that mount file systems into the working folder, which is the current one. They take root, and
    /// run in a mount namespace of their own: when httpd ends, nothing is left of them.
    pub mounts: Option<&'static str>,
    /// Whether the kernel has this system call for httpd.
    pub openat2: bool,
}

impl Surroundings {
    /// The machine as it is.
    pub const fn new(mpm: Mpm) -> Self {
        Self {
            mpm,
            mounts: None,
            openat2: true,
        }
    }
}

/// Programs behind an httpd, and their native builds, which run as the user of httpd's children. Each run works in a
/// folder of its own, all of them filled alike.
pub struct FilesPair {
    server: Server,
    surroundings: Surroundings,
}

/// What came of one operation.
pub struct Answers {
    /// `program: operation`; the second one of a name ends in ` (2)`.
    pub name: String,
    pub native: Option<String>,
    pub sandbox: Option<String>,
}

impl FilesPair {
    /// An httpd with an endpoint for each program.
    #[track_caller]
    pub fn start(surroundings: Surroundings, programs: &[&str]) -> Self {
        let mut site = Site::new();
        let mut conf = String::new();
        for name in programs {
            site.executable(&format!("bin/{name}"), &native(name));
            for side in [HOST, WASM] {
                files_fixture::fill(&site, &work(side, name));
            }
            let folder = site.path(&work(WASM, name));
            // Absolute links name the folder as the host does: the guest finds it there too.
            let mapped = format!("WasmMapDir / {folder}\nWasmDir {folder}\nWasmAllowSymlinks On");
            conf += &endpoint(&format!("/{name}"), &guest(name), &mapped);
        }
        if let Some(mounts) = surroundings.mounts {
            let folders = programs.iter().map(|name| site.path(&work(WASM, name)));
            site.runner = within_mounts(mounts, folders);
        }
        if !surroundings.openat2 {
            let launcher = native("without_openat2");
            site.runner.push(launcher.display().to_string());
        }
        let server = site.httpd(conf).mpm(surroundings.mpm).start();
        Self {
            server,
            surroundings,
        }
    }

    /// Runs a program both ways.
    #[track_caller]
    pub fn answers(&self, name: &str) -> Vec<Answers> {
        let native = answers(&self.run_native(name));
        assert_prepared(&native);
        let sandbox = answers(&self.server.get(&format!("/{name}")).expect(200).text());
        let mut of_sandbox: HashMap<_, _> = sandbox.iter().cloned().collect();
        let mut both: Vec<_> = native
            .into_iter()
            .map(|(operation, answer)| Answers {
                name: format!("{name}: {operation}"),
                native: Some(answer),
                sandbox: of_sandbox.remove(&operation),
            })
            .collect();
        // What only the sandbox did, in its order.
        let rest = sandbox
            .into_iter()
            .filter(|(operation, _)| of_sandbox.contains_key(operation));
        both.extend(rest.map(|(operation, answer)| Answers {
            name: format!("{name}: {operation}"),
            native: None,
            sandbox: Some(answer),
        }));
        both
    }

    fn run_native(&self, name: &str) -> String {
        let folder = self.server.path(&work(HOST, name));
        let mounted = self
            .surroundings
            .mounts
            .map(|mounts| within_mounts(mounts, [folder.clone()].into_iter()));
        let binary = self.server.path(&format!("bin/{name}"));
        let words = mounted.into_iter().flatten().chain(as_child_user());
        let mut words = words.chain([binary]);
        let mut command = Command::new(words.next().expect("the program is the last word"));
        command.args(words).current_dir(folder);
        printed(command.stdin(Stdio::null()))
    }
}

/// What the program could not make for itself it could not look at either.
#[track_caller]
fn assert_prepared(native: &[(String, String)]) {
    let failed = native
        .iter()
        .find(|(operation, _)| operation.starts_with("cannot prepare"));
    assert!(failed.is_none(), "the native run {failed:?}");
}

/// The sides, in words of one length: no length of a path may tell them apart.
const HOST: &str = "host";
const WASM: &str = "wasm";

/// The working folder of a program, in the site's.
fn work(side: &str, name: &str) -> String {
    format!("{side}/{name}/work")
}

/// Operations and answers, in their order; the operations' names made unique.
fn answers(output: &str) -> Vec<(String, String)> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    let mut lines = Vec::new();
    for line in output.lines() {
        let (operation, answer) = line.rsplit_once(" -> ").unwrap_or((line, ""));
        let time = times.entry(operation).or_default();
        *time += 1;
        let name = match time {
            1 => operation.to_owned(),
            _ => format!("{operation} ({time})"),
        };
        lines.push((name, answer.to_owned()));
    }
    lines
}
