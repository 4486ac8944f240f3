//! `docs/tutorial.md`, run as a reader would: its files are written, its commands run, their output compared.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use mod_wasm_tests::{Block, Document, fetched, free_port, module, program, root, run_within};
use tempfile::TempDir;

/// The places that the page names, and what stands for them here.
const FOLDER: &str = "/home/you/wasm-tutorial";
const CLONE: &str = "/home/you/mod_wasm";
const MODULE: &str = "/usr/lib/apache2/modules/mod_wasm.so";
const PORT: &str = "8081";

/// The name of the file whose content a block is.
fn file<'a>(block: &Block<'a>) -> Option<&'a str> {
    let mut words = block.words.iter();
    words.find_map(|word| word.strip_prefix("file="))
}

const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// What the page tells to fetch.
fn artifacts(page: &Document) -> Vec<&str> {
    let lines = page.text().lines();
    lines
        .filter_map(|line| line.split_once("/scripts/fetch-apps "))
        .flat_map(|(_, names)| names.split(' '))
        .collect()
}

/// The reader's folder. A server that was left running in it is stopped at the end.
struct Reader {
    dir: TempDir,
}

impl Reader {
    fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("mod-wasm-tutorial-")
            .tempdir_in("/tmp")
            .expect("/tmp is writable");
        // httpd's children have to get through when root runs the test.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))
            .expect("the folder is ours");
        Self { dir }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs commands as a shell does, and returns what they printed.
    fn run(&self, commands: &str) -> String {
        let outputs = ["stdout", "stderr"]
            .map(|name| File::create(self.path().join(name)).expect("the folder is ours"));
        let [stdout, stderr] = outputs;
        let status = run_within(
            Command::new("/bin/sh")
                .args(["-eu", "-c", commands])
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
            "these commands failed:\n{commands}\nThey said:\n{}{}",
            said("stdout"),
            said("stderr")
        );
        said("stdout")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Ok(pid) = fs::read_to_string(self.path().join("httpd.pid")) else {
            return;
        };
        let _ = Command::new("/bin/kill").arg(pid.trim()).status();
    }
}

#[test]
fn the_tutorial_works_as_written() {
    for (name, package) in [
        ("clang", "clang"),
        ("rustc", "rustc"),
        ("curl", "curl"),
        ("apache2", "apache2-bin"),
    ] {
        program(name, package);
    }
    let page = Document::read("docs/tutorial.md");
    let artifacts = artifacts(&page);
    assert!(artifacts.len() >= 4, "{artifacts:?}");
    for artifact in artifacts {
        fetched(artifact);
    }
    let reader = Reader::new();
    let port = free_port().to_string();
    let here = |text: &str| {
        text.replace(FOLDER, &reader.path().display().to_string())
            .replace(CLONE, &root().display().to_string())
            .replace(MODULE, &module("mod_wasm.so").display().to_string())
            .replace(PORT, &port)
    };
    let (mut ran, mut compared) = (0, 0);
    let mut printed = String::new();
    for block in page.blocks() {
        if let Some(name) = file(&block) {
            fs::write(reader.path().join(name), here(block.text)).expect("the folder is ours");
        } else if block.is("run") {
            printed = reader.run(&here(block.text));
            ran += 1;
        } else if block.is("output") {
            assert_eq!(printed, here(block.text), "line {} of the page", block.line);
            compared += 1;
        } else {
            assert!(
                block.is("show"),
                "line {}: a block without a mark",
                block.line
            );
        }
    }
    assert!(
        ran >= 14 && compared >= 5,
        "{ran} blocks ran, {compared} were compared"
    );

    let log = fs::read_to_string(reader.path().join("error.log")).expect("httpd made its log");
    for level in [":error]", ":crit]", ":warn]"] {
        assert!(!log.contains(level), "an unexpected line in {log}");
    }
}
