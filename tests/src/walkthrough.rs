//! A page of the documentation, followed as a reader would: its files are written, its commands run, their output compared.
//!
//! The words behind the language of a fenced block say what it is: `file=NAME`, `run`, `output` (of the `run` before it), or `show`,
//! for the reader only.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::{Block, Document, fetched, free_port, module, program, root, run_within};

/// The clone that the pages name, and the module where it is installed.
const CLONE: &str = "/home/you/mod_wasm";
const MODULE: &str = "/usr/lib/apache2/modules/mod_wasm.so";
const RUNNER: &str = "/usr/local/bin/wasm-run";
const PORT: &str = "8081";

/// A start may compile PHP, on a machine that does other things too.
const COMMAND_LIMIT: Duration = Duration::from_secs(400);

/// A folder in which a page is followed. A server that was left running in it is stopped at the end.
pub struct Walkthrough {
    page: Document,
    dir: TempDir,
    /// What the page says, and what stands for it here.
    places: Vec<(&'static str, String)>,
}

/// What was done of a page.
pub struct Followed {
    pub ran: usize,
    pub compared: usize,
}

/// The name of the file whose content a block is.
fn file<'a>(block: &Block<'a>) -> Option<&'a str> {
    let mut words = block.words.iter();
    words.find_map(|word| word.strip_prefix("file="))
}

impl Walkthrough {
    /// `folder` is the reader's, as the page names it. `programs` are needed, each with the package that has it.
    pub fn of(page: &str, folder: &'static str, programs: &[(&str, &str)]) -> Self {
        for (name, package) in programs {
            program(name, package);
        }
        let dir = tempfile::Builder::new()
            .prefix("mod-wasm-reader-")
            .tempdir_in("/tmp")
            .expect("/tmp is writable");
        // httpd's children have to get through when root runs the test.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))
            .expect("the folder is ours");
        let shown = |path: &Path| path.display().to_string();
        let places = vec![
            (folder, shown(dir.path())),
            (CLONE, shown(root())),
            (MODULE, shown(&module("mod_wasm.so"))),
            (RUNNER, shown(&module("wasm-run"))),
            (PORT, free_port().to_string()),
        ];
        let page = Document::read(page);
        Self { page, dir, places }
    }

    /// What the page tells to fetch; a failure where it is not there.
    pub fn fetched(&self) -> Vec<&str> {
        let lines = self.page.text().lines();
        let names: Vec<_> = lines
            .filter_map(|line| line.split_once("/scripts/fetch-apps "))
            .flat_map(|(_, names)| names.split(' '))
            .collect();
        for name in &names {
            fetched(name);
        }
        names
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// What the page says, with the places of this run.
    pub fn here(&self, text: &str) -> String {
        let places = self.places.iter();
        places.fold(text.to_owned(), |text, (said, here)| {
            text.replace(said, here)
        })
    }

    /// Follows the page from its first block to its last.
    pub fn follow(&self) -> Followed {
        let mut followed = Followed {
            ran: 0,
            compared: 0,
        };
        let mut printed = String::new();
        for block in self.page.blocks() {
            if let Some(name) = file(&block) {
                fs::write(self.path().join(name), self.here(block.text))
                    .unwrap_or_else(|error| panic!("{name} cannot be written: {error}"));
            } else if block.is("run") {
                printed = self.run(block.text);
                followed.ran += 1;
            } else if block.is("output") {
                let line = block.line;
                assert_eq!(printed, self.here(block.text), "line {line} of the page");
                followed.compared += 1;
            } else {
                let line = block.line;
                assert!(block.is("show"), "line {line}: a block without a mark");
            }
        }
        followed
    }

    /// Runs commands as a shell does, in the folder, and returns what they printed.
    pub fn run(&self, commands: &str) -> String {
        let commands = self.here(commands);
        let outputs = ["stdout", "stderr"]
            .map(|name| File::create(self.path().join(name)).expect("the folder is ours"));
        let [stdout, stderr] = outputs;
        let status = run_within(
            Command::new("/bin/sh")
                .args(["-eu", "-c", &commands])
                .current_dir(self.path())
                .stdin(Stdio::null())
                .stdout(stdout)
                .stderr(stderr),
            COMMAND_LIMIT,
        );
        let said =
            |name: &str| fs::read_to_string(self.path().join(name)).expect("the output is text");
        assert!(
            status.success(),
            "these commands failed:\n{commands}\nThey said:\n{}{}\nThe log:\n{}",
            said("stdout"),
            said("stderr"),
            fs::read_to_string(self.path().join("error.log")).unwrap_or_default(),
        );
        said("stdout")
    }

    /// Warnings and errors in httpd's log, but for those that have one of these words.
    pub fn complaints(&self, expected: &[&str]) -> Vec<String> {
        let log = fs::read_to_string(self.path().join("error.log")).expect("httpd made its log");
        let complains = |line: &&str| {
            let levels = [":error]", ":crit]", ":warn]"];
            levels.iter().any(|level| line.contains(level))
                && !expected.iter().any(|words| line.contains(words))
        };
        log.lines().filter(complains).map(str::to_owned).collect()
    }
}

impl Drop for Walkthrough {
    fn drop(&mut self) {
        let Ok(pid) = fs::read_to_string(self.path().join("httpd.pid")) else {
            return;
        };
        let _ = Command::new("/bin/kill").arg(pid.trim()).status();
    }
}
