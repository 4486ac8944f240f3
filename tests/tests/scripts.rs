//! The commands that a newcomer types.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use mod_wasm_tests::{
    Request, Terminal, free_port, module, outside_cargo, printed, program, root, wait_until,
};
use tempfile::TempDir;

fn scratch() -> TempDir {
    let dir = tempfile::Builder::new()
        .prefix("mod-wasm-scripts-")
        .tempdir_in("/tmp")
        .expect("/tmp is writable");
    // The server's user has to get through.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("the folder is ours");
    dir
}

/// `make demo` on a terminal of its own.
struct Demo {
    terminal: Terminal,
    port: u16,
}

impl Demo {
    /// Starts it; what it serves is staged below this folder.
    fn start(dir: &Path) -> Self {
        module("mod_wasm.so");
        let port = free_port();
        let terminal = Terminal::run(&format!(
            "PORT={port} MOD_WASM_STAGE={}/stage exec make --no-print-directory -C {} demo",
            dir.display(),
            root().display()
        ));
        Self { terminal, port }
    }

    fn output(&self) -> String {
        self.terminal.output()
    }

    fn wait_until_it_runs(&mut self) {
        wait_until(
            "the demo says that it runs",
            Duration::from_secs(900),
            || {
                let ended = self.terminal.ended();
                assert!(
                    ended.is_none(),
                    "the demo ended with {ended:?}:\n{}",
                    self.output()
                );
                self.output().contains("mod_wasm is running")
            },
        );
    }

    fn get(&self, target: &str) -> String {
        Request::new(SocketAddr::from(([127, 0, 0, 1], self.port)), "GET", target)
            .send()
            .expect(200)
            .text()
    }

    /// Presses Ctrl-C and waits until nothing is left.
    fn stops(&mut self) {
        self.terminal.type_in(b"\x03");
        wait_until("the demo has ended", Duration::from_secs(60), || {
            self.terminal.ended().is_some()
        });
        assert!(self.output().contains("stopped"), "{}", self.output());
        let answers = TcpStream::connect(("127.0.0.1", self.port)).is_ok();
        assert!(!answers, "somebody still listens");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the demo said:\n{}", self.output());
        }
    }
}

/// A clone may lie in a folder that only its owner enters: what the server reads must not lead back there.
/// What the demos store (`data/`) is closed to others on purpose.
fn everything_is_staged(stage: &Path) {
    for (question, tests) in [
        ("links", &["-type", "l"][..]),
        (
            "files closed to others",
            &[
                "-type",
                "f",
                "-not",
                "-path",
                "*/cache/*",
                "-not",
                "-path",
                "*/data/*",
                "-not",
                "-perm",
                "-o=r",
            ],
        ),
        (
            "folders closed to others",
            &[
                "-type",
                "d",
                "-not",
                "-path",
                "*/cache*",
                "-not",
                "-path",
                "*/data/*",
                "-not",
                "-path",
                "*/run/*/scratch*",
                "-not",
                "-perm",
                "-o=rx",
            ],
        ),
        ("writable for others", &["-perm", "/022"]),
        (
            "configuration that leads back",
            &["-name", "*.conf", "-exec", "grep", "-lF", CLONE, "{}", "+"],
        ),
    ] {
        let clone = root().display().to_string();
        let tests = tests
            .iter()
            .map(|word| if *word == CLONE { clone.as_str() } else { word });
        let found = Command::new(program("find", "findutils"))
            .arg(stage)
            .args(tests)
            .output()
            .expect("find runs");
        let said = String::from_utf8_lossy(&found.stdout);
        assert!(
            said.is_empty() && found.stderr.is_empty(),
            "{question}:\n{said}{found:?}"
        );
    }
}

/// Stands for the project's folder in a command.
const CLONE: &str = "CLONE";

/// What the landing page links to and the demo prints.
const DEMOS: &[&str] = &[
    "/hello-wasm",
    "/list-dir",
    "/started-once",
    "/sandbox",
    "/php-hello",
    "/php-info",
    "/php-worker/",
    "/hello-python",
    "/hello-python-cgi",
    "/http-request-viewer",
    "/search-word-count",
    "/prettyfy",
    "/wordpress/",
];

#[test]
fn the_demo_starts_survives_a_resize_stops_on_ctrl_c_and_starts_again() {
    let dir = scratch();
    let mut demo = Demo::start(dir.path());
    demo.wait_until_it_runs();
    wait_until("WordPress is installed", Duration::from_secs(120), || {
        demo.output().contains("WordPress is installed")
    });
    let landing = demo.get("/");
    for address in DEMOS {
        let path = address.trim_end_matches('/');
        assert!(
            landing.contains(&format!("href=\"{path}\"")),
            "the landing page does not list {path}"
        );
        assert!(
            demo.output().contains(&format!(":{}{path}", demo.port)),
            "{path} is not printed"
        );
        demo.get(address);
    }
    assert!(demo.get("/php-info").contains("PHP Version 8.4"));

    for rows in [20, 40, 60] {
        demo.terminal.resize(rows);
        thread::sleep(Duration::from_millis(300));
        demo.get("/hello-wasm");
    }

    everything_is_staged(&dir.path().join("stage"));

    demo.stops();

    // Everything is there now: the second time it only starts.
    let mut again = Demo::start(dir.path());
    again.wait_until_it_runs();
    again.get("/php-hello");
    again.get("/wordpress/");
    let said = again.output();
    assert!(
        !said.to_lowercase().contains("compiling"),
        "something was compiled again:\n{said}"
    );
    assert!(
        !said.contains("WordPress is installed"),
        "WordPress was installed again:\n{said}"
    );
    again.stops();
}

#[test]
fn a_taken_port_is_told_before_anything_is_done() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener
        .local_addr()
        .expect("a listener has an address")
        .port();
    let output = Command::new(root().join("scripts/demo"))
        .env("PORT", port.to_string())
        .env("MOD_WASM_STAGE", scratch().path().join("stage"))
        .output()
        .expect("scripts/demo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        said.contains(&format!("port {port} is taken")) && said.contains("PORT="),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn make_help_lists_every_target() {
    let output = Command::new(program("make", "make"))
        .arg("-C")
        .arg(root())
        .arg("help")
        .output()
        .expect("make runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let makefile = fs::read_to_string(root().join("Makefile")).expect("the Makefile is readable");
    let targets: Vec<&str> = makefile
        .lines()
        .filter_map(|line| line.strip_prefix(".PHONY: "))
        .flat_map(str::split_whitespace)
        .collect();
    assert!(targets.len() > 10, "{targets:?}");
    for target in targets {
        assert!(
            text.contains(&format!("make {target} ")),
            "make help does not list {target}"
        );
    }
}

#[test]
fn every_script_explains_itself() {
    let files = |folder| fs::read_dir(root().join(folder)).expect("the folder is readable");
    for entry in files("scripts").chain(files("benches")) {
        let path = entry.expect("the folder is readable").path();
        let executable = path.is_file()
            && path
                .metadata()
                .expect("the folder is readable")
                .permissions()
                .mode()
                & 0o111
                != 0;
        if !executable {
            continue;
        }
        let output = outside_cargo(&mut Command::new(&path))
            .arg("--help")
            .output()
            .expect("a script runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.to_lowercase().contains("usage"),
            "{} --help: {output:?}",
            path.display()
        );
    }
}

/// A `docker` without an engine is the usual mistake.
#[test]
fn a_sum_names_what_was_not_run() {
    let scratch = scratch();
    let log = scratch.path().join("log");
    let said = "not run: something\n";
    let text =
        format!("test result: ok. 3 passed; 1 failed\n{said}{said}test result: ok. 2 passed");
    fs::write(&log, text).expect("the folder is ours");
    let script = format!(
        ". {}; summarize 0 {} || true",
        root().join("scripts/summary.sh").display(),
        log.display()
    );
    let sum = printed(Command::new("bash").args(["-c", &script]));
    assert_eq!(sum, format!("{said}5 passed, 1 failed\n"));
}

#[test]
fn the_scripts_of_the_image_ask_for_an_engine() {
    let path = scratch();
    for name in ["bash", "dirname", "tail"] {
        symlink(program(name, "bash and coreutils"), path.path().join(name))
            .expect("the folder is ours");
    }
    needs_engine(path.path(), "docker is missing: ");
    let client = path.path().join("docker");
    fs::write(&client, "#!/bin/sh\necho no daemon here >&2\nexit 1\n").expect("the folder is ours");
    fs::set_permissions(&client, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    needs_engine(path.path(), "no container engine answers: no daemon here");
}

/// With this PATH, each of them ends with a sentence that starts so.
#[track_caller]
fn needs_engine(path: &Path, sentence: &str) {
    for script in ["image", "image-test", "image-repro"] {
        let output = Command::new(root().join("scripts").join(script))
            .env("PATH", path)
            .output()
            .expect("a script runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{script}: {said}");
        let start = format!("{script}: {sentence}");
        assert!(
            said.starts_with(&start) && said.lines().count() == 1 && output.stdout.is_empty(),
            "{start:?} expected: {output:?}"
        );
    }
}
