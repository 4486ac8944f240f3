//! A folder of its own for each test: manifest, target folder, and the tool run in a bare environment.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub(crate) struct Sandbox {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
        }
    }

    pub(crate) fn with_manifest(text: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write_manifest(text);
        sandbox
    }

    pub(crate) fn write_manifest(&self, text: &str) {
        fs::write(self.path("apps.toml"), text).unwrap();
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A path in the target folder.
    pub(crate) fn fetched(&self, below: &str) -> PathBuf {
        self.path("fetched").join(below)
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.fetched(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    /// Everything in the target folder but the tool's lock, sorted.
    pub(crate) fn remains(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (folder, prefix) in [(self.fetched(""), ""), (self.fetched(".cache"), ".cache/")] {
            let entries = fs::read_dir(folder).into_iter().flatten();
            names.extend(
                entries.map(|entry| format!("{prefix}{}", entry.unwrap().file_name().display())),
            );
        }
        names.retain(|name| name != ".cache" && name != ".cache/.lock");
        names.sort();
        names
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).into()
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// The tool with pipes for its output, ready to start.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fetch-apps"));
        command
            .args(["--manifest", "apps.toml", "--timeout", "2"])
            .args(arguments)
            .current_dir(self.folder.path())
            // No proxy, registry or npm of the machine may take part.
            .env_clear()
            .env("PATH", self.path("bin"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl From<Child> for Outcome {
    fn from(child: Child) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        Self {
            status: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

impl Outcome {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.status, Some(0), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn failed_with(self, status: i32, message: &str) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        assert!(self.stderr.contains(message), "no '{message}' in {self:#?}");
        self
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A default artifact; `more` are further lines, among them `unpack` and `sources`.
pub(crate) fn artifact(name: &str, content: &[u8], more: &str) -> String {
    let sha256 = sha256(content);
    format!(
        "[[artifact]]\nname = '{name}'\nabout = 'a test'\nversion = '1'\nlicense = 'MIT'\ndefault = true\n\
         sha256 = '{sha256}'\n{more}\n"
    )
}

/// An artifact that is a plain file from web addresses, of known size.
pub(crate) fn file_artifact(name: &str, content: &[u8], urls: &[&str]) -> String {
    let more = format!(
        "size = {}\nunpack = 'none'\nfile = 'file'\n{}",
        content.len(),
        https_sources(urls)
    );
    artifact(name, content, &more)
}

pub(crate) fn https_sources(urls: &[&str]) -> String {
    let sources: Vec<_> = urls
        .iter()
        .map(|url| format!("{{ type = 'https', url = '{url}' }}"))
        .collect();
    format!("sources = [{}]", sources.join(", "))
}

pub(crate) fn tarball(name: &str, package: &str, content: &[u8]) -> String {
    let sha256 = sha256(content);
    format!("[tarball.{name}]\npackage = '{package}'\nversion = '1.2.3'\nsha256 = '{sha256}'\n")
}
