//! Harness: images, containers, volumes and the `docker` on PATH.

use std::ffi::OsStr;
use std::fmt::Display;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mod_wasm_tests::{Exchange, Request, Response, Terminal, printed, program, wait_until};

use crate::app::App;

/// What a start may take on a busy machine: bounds are generous, since nothing here measures.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// The images' name in the documents, and what `scripts/image` calls them by default.
pub(crate) const IMAGE: &str = "httpd-mod-wasm";

/// Their name here: `MOD_WASM_IMAGE` gives it, as it does for `scripts/image`.
pub(crate) fn image_name() -> String {
    std::env::var("MOD_WASM_IMAGE").unwrap_or_else(|_| IMAGE.to_owned())
}

/// The image with every demo.
pub(crate) fn demo_image() -> &'static str {
    static IMAGE: OnceLock<String> = OnceLock::new();
    IMAGE.get_or_init(|| built("latest"))
}

/// The image without them.
pub(crate) fn slim_image() -> &'static str {
    static IMAGE: OnceLock<String> = OnceLock::new();
    IMAGE.get_or_init(|| built("slim"))
}

fn built(tag: &str) -> String {
    let image = format!("{}:{tag}", image_name());
    let engine = docker_output(["version", "--format", "{{.Server.Version}}"]);
    assert!(
        engine.status.success(),
        "no container engine answers, and `make image` needs one too: {}",
        text(&engine.stderr)
    );
    assert!(
        docker_output(["image", "inspect", &image]).status.success(),
        "there is no image {image}: run `make image` first"
    );
    image
}

/// A `docker` command, to be run.
pub(crate) fn docker_command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(program("docker", "docker.io"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// A `docker` command and what became of it.
pub(crate) fn docker_output<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    let output = docker_command(arguments).output();
    output.expect("docker runs")
}

/// What a `docker` command prints; panics when it fails.
#[track_caller]
pub(crate) fn docker<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> String {
    printed(&mut docker_command(arguments))
}

/// What `docker inspect` prints about a container or an image for this template.
#[track_caller]
pub(crate) fn inspect(name: &str, template: &str) -> String {
    let printed = docker(["inspect", "--format", template, name]);
    printed.trim_end().to_owned()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A name that no other test uses, nor another run of them.
pub(crate) fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "mod-wasm-test-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// What a container is to be run with.
pub(crate) struct Run {
    image: &'static str,
    arguments: Vec<String>,
    port: u16,
}

impl Run {
    pub(crate) fn demo() -> Self {
        Self::image(demo_image())
    }

    pub(crate) fn slim() -> Self {
        Self::image(slim_image())
    }

    pub(crate) fn image(image: &'static str) -> Self {
        Self {
            image,
            arguments: Vec::new(),
            port: 8080,
        }
    }

    /// Adds arguments of `docker run`, divided at spaces: `--read-only --tmpfs /tmp`.
    pub(crate) fn with(mut self, arguments: &str) -> Self {
        self.arguments
            .extend(arguments.split(' ').map(str::to_owned));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Display) -> Self {
        self.arguments
            .extend(["--env".to_owned(), format!("{name}={value}")]);
        self
    }

    /// Mounts a file or folder of this machine, read-only.
    pub(crate) fn mount(mut self, source: impl AsRef<str>, target: &str) -> Self {
        let source = source.as_ref();
        self.arguments
            .extend(["--volume".to_owned(), format!("{source}:{target}:ro")]);
        self
    }

    pub(crate) fn volume(mut self, volume: &Volume, target: &str) -> Self {
        self.arguments
            .extend(["--volume".to_owned(), format!("{}:{target}", volume.name)]);
        self
    }

    /// Mounts a test's own application beside those of the image.
    pub(crate) fn app(self, app: &App) -> Self {
        self.mount(app.folder(), "/opt/mod_wasm/apps/test")
    }

    /// The port on which the server in the container listens, where it is not 8080.
    pub(crate) fn port(mut self, port: u16) -> Self {
        self.port = port;
        self.env("PORT", port)
    }

    /// Starts the container in the background.
    #[track_caller]
    pub(crate) fn start(self) -> Container {
        self.start_command(&[])
    }

    /// Starts a container in the background that runs this command instead of the server.
    #[track_caller]
    pub(crate) fn start_command(self, command: &[&str]) -> Container {
        let container = self.container();
        let words = self.words(&container, &["--detach"]);
        docker(
            words
                .iter()
                .map(String::as_str)
                .chain(command.iter().copied()),
        );
        container
    }

    /// Starts the container on a terminal of its own.
    pub(crate) fn on_terminal(self) -> (Container, Terminal) {
        let container = self.container();
        let words = self.words(&container, &["--interactive", "--tty"]);
        let terminal = Terminal::run(&format!("exec docker {}", words.join(" ")));
        wait_until("the container exists", PATIENCE, || {
            docker_output(["inspect", container.name()])
                .status
                .success()
        });
        (container, terminal)
    }

    /// Made before it is run: what `docker run` leaves behind when it fails is removed too.
    fn container(&self) -> Container {
        Container {
            name: unique_name(),
            port: self.port,
        }
    }

    fn words(&self, container: &Container, how: &[&str]) -> Vec<String> {
        let publish = format!("127.0.0.1::{}", self.port);
        ["run", "--name", &container.name, "--publish", &publish]
            .into_iter()
            .chain(how.iter().copied())
            .chain(self.arguments.iter().map(String::as_str))
            .chain([self.image])
            .map(str::to_owned)
            .collect()
    }

    /// Runs this command of the image in the foreground until it ends.
    pub(crate) fn command(self, command: &[&str]) -> Output {
        docker_output(
            ["run", "--rm"]
                .into_iter()
                .chain(self.arguments.iter().map(String::as_str))
                .chain([self.image])
                .chain(command.iter().copied()),
        )
    }

    /// Asserts that the container refuses to start with exit status 1, saying one sentence; returns it.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        // In the background: one that serves instead is found out, and removed.
        let container = self.start();
        container.wait_ended();
        let Logs { stdout, stderr } = container.logs();
        assert_eq!(container.exit_status(), 1, "{stderr}");
        assert_eq!(stdout, "");
        stderr
    }
}

/// What a container has written: requests and httpd's log.
pub(crate) struct Logs {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A container; it is removed when it is dropped, its anonymous volumes too.
pub(crate) struct Container {
    name: String,
    port: u16,
}

impl Container {
    /// A container of this name, which something else starts, with the server on the usual port.
    pub(crate) fn named(name: String) -> Self {
        Self { name, port: 8080 }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where its server can be reached. Another start of the container is another address.
    #[track_caller]
    pub(crate) fn address(&self) -> SocketAddr {
        let published = docker(["port", &self.name, &self.port.to_string()]);
        let first = published.lines().next().unwrap_or_default();
        first
            .parse()
            .unwrap_or_else(|_| panic!("{} publishes no port: {published:?}", self.name))
    }

    #[track_caller]
    pub(crate) fn request(&self, method: &str, target: &str) -> Request {
        Request::new(self.address(), method, target)
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Response {
        self.request("GET", target).send()
    }

    /// Asks for something whose answer takes a while, once it has begun: such guests say so.
    #[track_caller]
    pub(crate) fn begin(&self, target: &str) -> Exchange {
        let mut exchange = self.request("GET", target).open();
        exchange.read_until("begun");
        exchange
    }

    pub(crate) fn logs(&self) -> Logs {
        let output = docker_output(["logs", &self.name]);
        Logs {
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// What a command prints that is run in the container; panics when it fails.
    #[track_caller]
    pub(crate) fn exec(&self, command: &[&str]) -> String {
        let fixed = ["exec", &self.name];
        docker(fixed.into_iter().chain(command.iter().copied()))
    }

    /// What `docker inspect` prints for this template.
    #[track_caller]
    pub(crate) fn inspect(&self, template: &str) -> String {
        inspect(&self.name, template)
    }

    pub(crate) fn runs(&self) -> bool {
        self.inspect("{{.State.Running}}") == "true"
    }

    pub(crate) fn exit_status(&self) -> i32 {
        assert!(!self.runs(), "{} still runs", self.name);
        let status = self.inspect("{{.State.ExitCode}}");
        status.parse().expect("an exit status is a number")
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.inspect("{{.State.Health.Status}}") == "healthy"
    }

    /// Waits until `condition` holds, and panics when the container ends before that.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, mut condition: impl FnMut() -> bool) {
        wait_until(what, PATIENCE, || {
            let holds = condition();
            assert!(holds || self.runs(), "the container ended before {what}");
            holds
        });
    }

    /// Waits until its log, or what httpd writes about requests, contains this.
    #[track_caller]
    pub(crate) fn wait_says(&self, what: &str) {
        self.wait(&format!("the container says {what:?}"), || {
            let logs = self.logs();
            logs.stderr.contains(what) || logs.stdout.contains(what)
        });
    }

    /// Waits until the server answers at all.
    #[track_caller]
    pub(crate) fn wait_answers(&self) {
        // The engine's own listener takes a connection before the server does, and closes it.
        self.wait("the server answers", || {
            docker_output(["exec", &self.name, "healthcheck"])
                .status
                .success()
        });
    }

    #[track_caller]
    pub(crate) fn wait_healthy(&self) {
        self.wait("the container is healthy", || self.is_healthy());
    }

    /// Waits until the container has ended by itself.
    pub(crate) fn wait_ended(&self) {
        wait_until("the container has ended", PATIENCE, || !self.runs());
    }

    /// Stops it as `docker stop` does; returns how long that took.
    pub(crate) fn stop(&self) -> Duration {
        let start = Instant::now();
        docker(["stop", &self.name]);
        start.elapsed()
    }

    /// Starts it again after a stop.
    pub(crate) fn start_again(&self) {
        docker(["start", &self.name]);
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Logs { stdout, stderr } = self.logs();
            eprintln!(
                "the container {} of the failed test said:\n{stdout}{stderr}",
                self.name
            );
        }
        docker_output(["rm", "--force", "--volumes", &self.name]);
    }
}

/// A named volume; it is removed when it is dropped, so the containers that use it have to be dropped before.
pub(crate) struct Volume {
    pub(crate) name: String,
}

impl Volume {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// A volume that is made with these arguments of `docker volume create`.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let volume = Self {
            name: unique_name(),
        };
        let fixed = ["volume", "create"];
        docker(
            fixed
                .into_iter()
                .chain(arguments.iter().copied())
                .chain([volume.name.as_str()]),
        );
        volume
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        docker_output(["volume", "rm", "--force", &self.name]);
    }
}
