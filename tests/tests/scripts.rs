//! The commands that a newcomer types.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mod_wasm_tests::{Request, free_port, module, program, root, wait_until};
use rustix::termios::{Winsize, tcsetwinsize};
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
    /// Where it stages what it serves, and where its output goes.
    dir: PathBuf,
    terminal: Child,
    port: u16,
}

impl Demo {
    fn start(dir: &Path) -> Self {
        module("mod_wasm.so");
        let port = free_port();
        let output = File::create(dir.join("output")).expect("the folder is ours");
        // script(1) makes the terminal; what is written to its input is typed there.
        let terminal = Command::new(program("script", "bsdutils"))
            .args(["--quiet", "--return", "--command"])
            .arg(format!(
                "exec make --no-print-directory -C {} demo",
                root().display()
            ))
            .arg("/dev/null")
            .env("PORT", port.to_string())
            .env("MOD_WASM_STAGE", dir.join("stage"))
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a file can be cloned"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .expect("script runs");
        Self {
            dir: dir.to_owned(),
            terminal,
            port,
        }
    }

    fn output(&self) -> String {
        let bytes = fs::read(self.dir.join("output")).expect("the output is readable");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn wait_until_it_runs(&mut self) {
        wait_until(
            "the demo says that it runs",
            Duration::from_secs(900),
            || {
                let ended = self.terminal.try_wait().expect("a child can be waited for");
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

    fn type_in(&mut self, keys: &[u8]) {
        let input = self.terminal.stdin.as_mut().expect("the input is ours");
        input
            .write_all(keys)
            .and_then(|()| input.flush())
            .expect("the terminal takes input");
    }

    /// The terminal that the demo runs on: what its first process has for input.
    fn terminal_device(&self) -> PathBuf {
        let shell = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.terminal.id()))
            .expect("/proc is readable");
        let shell = shell
            .split_whitespace()
            .next()
            .expect("script runs a shell");
        fs::read_link(format!("/proc/{shell}/fd/0")).expect("the shell has an input")
    }

    /// Presses Ctrl-C and waits until nothing is left.
    fn stops(&mut self) {
        self.type_in(b"\x03");
        wait_until("the demo has ended", Duration::from_secs(60), || {
            self.terminal
                .try_wait()
                .expect("a child can be waited for")
                .is_some()
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
        // A demo that still runs is asked to stop: the end of its terminal alone would leave it behind.
        if let Some(input) = self.terminal.stdin.as_mut() {
            let _ = input.write_all(b"\x03");
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline && matches!(self.terminal.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.terminal.kill();
        let _ = self.terminal.wait();
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
                "-type", "d", "-not", "-path", "*/cache*", "-not", "-path", "*/data/*", "-not",
                "-perm", "-o=rx",
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
    "/sandbox",
    "/php-hello",
    "/php-info",
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
    assert!(demo.get("/php-info").contains("PHP Version 8.2.0"));

    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open(demo.terminal_device())
        .expect("the terminal can be opened");
    for rows in [20, 40, 60] {
        let size = Winsize {
            ws_row: rows,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&terminal, size).expect("the terminal can be resized");
        thread::sleep(Duration::from_millis(300));
        demo.get("/hello-wasm");
    }
    drop(terminal);

    everything_is_staged(&demo.dir.join("stage"));

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
    let phony = makefile
        .lines()
        .find_map(|line| line.strip_prefix(".PHONY: "))
        .expect("the Makefile names its targets");
    for target in phony.split_whitespace() {
        assert!(
            text.contains(&format!("make {target} ")),
            "make help does not list {target}"
        );
    }
}

#[test]
fn every_script_explains_itself() {
    for entry in fs::read_dir(root().join("scripts")).expect("scripts/ is readable") {
        let path = entry.expect("scripts/ is readable").path();
        let executable = path
            .metadata()
            .expect("scripts/ is readable")
            .permissions()
            .mode()
            & 0o111
            != 0;
        if !executable {
            continue;
        }
        let output = Command::new(&path)
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
