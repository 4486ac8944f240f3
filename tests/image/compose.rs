//! compose.yaml, to work on the demos, and compose.prod.yaml, behind a TLS proxy.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;

use mod_wasm_tests::visits::editor;
use mod_wasm_tests::{Request, free_port, printed, program, root, wait_until};
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::docker::{
    PATIENCE, demo_image, docker, docker_command, docker_output, inspect, slim_image, text,
    unique_name,
};
use crate::wordpress::{publish_post, shows_post};

const DEVELOPMENT: &str = "compose.yaml";
const PRODUCTION: &str = "compose.prod.yaml";
const PASSWORD: &str = "a word that only this test knows";

/// What one Compose file makes; all of it is removed when it is dropped, what it has stored too.
struct Project {
    name: String,
    file: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Project {
    /// A file of this folder, which is the project's or a copy of it.
    fn new(folder: &Path, file: &str) -> Self {
        Self {
            name: unique_name(),
            file: folder.join(file),
            environment: Vec::new(),
        }
    }

    fn env(mut self, name: &'static str, value: impl ToString) -> Self {
        self.environment.push((name, value.to_string()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = docker_command(["compose", "--project-name", &self.name, "--file"]);
        command
            .arg(&self.file)
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// What the command prints; panics when it fails.
    #[track_caller]
    fn compose(&self, arguments: &[&str]) -> String {
        printed(&mut self.command(arguments))
    }

    /// The container of a service, whether it runs or not.
    fn container(&self, service: &str) -> String {
        let id = self.compose(&["ps", "--all", "--quiet", service]);
        id.trim().to_owned()
    }

    fn inspect(&self, service: &str, template: &str) -> String {
        inspect(&self.container(service), template)
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if thread::panicking() {
            let logs = self.command(&["logs"]).output();
            let logs = logs.map(|output| text(&output.stdout));
            eprintln!("the containers of the failed test said:\n{logs:?}");
        }
        let _ = self.command(&["down", "--volumes"]).output();
    }
}

/// compose.yaml on a free port.
fn development(folder: &Path) -> (Project, SocketAddr) {
    let port = free_port();
    let project = Project::new(folder, DEVELOPMENT)
        .env("PORT", port)
        .env("WORDPRESS_PASSWORD", PASSWORD);
    (project, SocketAddr::from(([127, 0, 0, 1], port)))
}

/// A copy of the project as a clone would have it: without what git ignores.
fn copy_of_the_project() -> TempDir {
    let folder = TempDir::new().expect("there is room for a copy");
    printed(
        Command::new("bash")
            .args(["-o", "pipefail", "-c"])
            .arg("git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C \"$0\"")
            .arg(folder.path())
            .current_dir(root()),
    );
    folder
}

/// Exchanges the only occurrence of a text in a file.
#[track_caller]
fn edit(file: &Path, from: &str, to: &str) {
    let old = fs::read_to_string(file).expect("the file is readable");
    assert_eq!(old.matches(from).count(), 1, "{from} in {old}");
    fs::write(file, old.replace(from, to)).expect("the copy can be changed");
}

/// `docker compose watch`, until it is dropped.
struct Watch {
    child: Child,
    output: PathBuf,
}

impl Watch {
    fn start(project: &Project, output: PathBuf) -> Self {
        let file = File::create(&output).expect("the folder is ours");
        let child = project
            .command(&["watch", "--no-up"])
            .stdout(file.try_clone().expect("a file can be cloned"))
            .stderr(file)
            .process_group(0)
            .spawn()
            .expect("docker runs");
        let watch = Self { child, output };
        wait_until("Compose watches", PATIENCE, || {
            watch.said().contains("Watch enabled")
        });
        watch
    }

    fn said(&self) -> String {
        text(&fs::read(&self.output).expect("the output is readable"))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("docker compose watch said:\n{}", self.said());
        }
        // The group: docker runs Compose as a process of its own.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// The body of a page, or nothing when nobody answers.
fn page(address: SocketAddr, target: &str) -> String {
    curl(&[&format!("http://{address}{target}")])
}

fn curl(arguments: &[&str]) -> String {
    let output = Command::new(program("curl", "curl"))
        .args(["--silent", "--noproxy", "*", "--max-time", "120"])
        .args(arguments)
        .output()
        .expect("curl runs");
    text(&output.stdout)
}

#[test]
fn both_files_are_valid() {
    for file in [DEVELOPMENT, PRODUCTION] {
        Project::new(root(), file).compose(&["config", "--quiet"]);
    }
}

#[test]
fn compose_up_in_a_clone_shows_the_demos_and_keeps_what_wordpress_stores() {
    let clone = copy_of_the_project();
    let (project, address) = development(clone.path());
    project.compose(&["up", "--build", "--detach", "--wait"]);
    let landing = Request::new(address, "GET", "/").send().expect(200).text();
    assert!(landing.contains("/wordpress"), "{landing}");

    publish_post(&mut editor::log_in(address, PASSWORD));
    project.compose(&["down"]);
    project.compose(&["up", "--detach", "--wait"]);
    shows_post(address);
}

#[test]
fn compose_watch_shows_what_was_changed() {
    let clone = copy_of_the_project();
    let (project, address) = development(clone.path());
    project.compose(&["up", "--build", "--detach", "--wait"]);
    let _watch = Watch::start(&project, clone.path().join("watch.out"));
    let php = clone.path().join("apps/php-hello/public/index.php");
    let snippet = clone.path().join("apps/hello-wasm/httpd.conf");

    edit(&php, "in a sandbox", "in a box of sand");
    wait_until("the changed page shows", PATIENCE, || {
        page(address, "/php-hello").contains("in a box of sand")
    });
    edit(&snippet, "friendly", "hearty");
    wait_until("the changed snippet is in use", PATIENCE, || {
        page(address, "/hello-wasm").contains("hearty")
    });
    edit(&snippet, "WasmArg ", "WasmArgh");
    wait_until("httpd refuses a mistake", PATIENCE, || {
        project.inspect("web", "{{.State.Running}} {{.State.ExitCode}}") == "false 1"
    });
    edit(&snippet, "WasmArgh", "WasmArg ");
    wait_until("it starts again without", PATIENCE, || {
        page(address, "/hello-wasm").contains("hearty")
    });
}

/// compose.prod.yaml with a certificate of its own.
struct Site {
    project: Project,
    folder: TempDir,
    http: String,
    https: String,
}

impl Site {
    fn start() -> Self {
        let folder = TempDir::new().expect("there is room for a certificate");
        make_certificate(folder.path());
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("password"), PASSWORD).expect("the folder is ours");
        let name = demo_image().strip_suffix(":latest");
        let name = name.expect("the image with the demos is the latest");
        assert!(slim_image().starts_with(name));
        let (http, https) = (free_port(), free_port());
        let site = Self {
            http: format!("http://localhost:{http}"),
            https: format!("https://localhost:{https}"),
            project: Project::new(root(), PRODUCTION)
                .env("MOD_WASM_IMAGE", name)
                .env("PUBLIC_URL", format!("https://localhost:{https}"))
                .env("HTTP_PORT", format!("127.0.0.1:{http}"))
                .env("HTTPS_PORT", format!("127.0.0.1:{https}"))
                .env("TLS_CERTIFICATE", path("certificate.pem"))
                .env("TLS_KEY", path("key.pem"))
                .env("WORDPRESS_PASSWORD_FILE", path("password")),
            folder,
        };
        site.project.compose(&["up", "--detach", "--wait"]);
        site
    }

    /// Head and body of an answer of the proxy, whose certificate has to be right.
    fn https(&self, target: &str, arguments: &[&str]) -> String {
        let certificate = self.folder.path().join("certificate.pem");
        let certificate = certificate.display().to_string();
        let address = format!("{}{target}", self.https);
        let fixed = ["--include", "--cacert", &certificate, &address];
        curl(&[&fixed, arguments].concat())
    }
}

/// Readable for everybody, in a folder that nobody else enters: the servers' user is another one.
fn make_certificate(folder: &Path) {
    printed(
        Command::new(program("openssl", "openssl"))
            .args(["req", "-x509", "-newkey", "ec", "-noenc", "-days", "2"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(folder),
    );
    let readable = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.join("key.pem"), readable).expect("the key is ours");
}

#[test]
fn the_production_example_serves_everything_through_its_tls_proxy() {
    let site = Site::start();

    let front = site.https("/wordpress/", &[]);
    assert!(front.starts_with("HTTP/2 200"), "{front}");
    assert!(
        front.contains(&format!("{}/wordpress/", site.https)),
        "{front}"
    );
    assert!(!front.contains("http://localhost"), "{front}");
    let moved = site.https("/wordpress", &[]);
    let there = format!("location: {}/wordpress/", site.https);
    assert!(moved.contains(&there), "{moved}");
    let plain = curl(&["--include", &format!("{}/php-info?x=1", site.http)]);
    let there = format!("Location: {}/php-info?x=1", site.https);
    assert!(
        plain.starts_with("HTTP/1.1 301") && plain.contains(&there),
        "{plain}"
    );

    let seen = site.https(
        "/http-request-viewer",
        &["--header", "X-Forwarded-For: 192.0.2.66"],
    );
    assert!(seen.contains("X-Forwarded-Proto</th><td>https<"), "{seen}");
    assert!(!seen.contains("192.0.2.66"), "{seen}");
    visitors_have_addresses_of_their_own(&site.project);

    let password = format!("pwd={PASSWORD}");
    let log_in = ["--data", "log=admin", "--data-urlencode", &password];
    let welcome = site.https("/wordpress/wp-login.php", &log_in);
    let cookie = welcome
        .lines()
        .find(|line| line.contains("wordpress_logged_in_"));
    assert!(
        cookie.is_some_and(|line| line.contains("; secure")),
        "{welcome}"
    );

    only_the_proxy_can_be_reached(&site.project);
    nothing_but_the_volume_can_be_written(&site.project);
}

/// The server's log has the visitor's address: neither the proxy's, nor the one that the visitor made up.
fn visitors_have_addresses_of_their_own(project: &Project) {
    let logs = docker(["logs", &project.container("web")]);
    let request = logs
        .lines()
        .find(|line| line.contains("/http-request-viewer"))
        .expect("the request is logged");
    let visitor = request.split(' ').next().unwrap_or_default();
    let networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let proxy = project.inspect("proxy", networks);
    assert!(
        !visitor.starts_with("192.0.2.") && !proxy.split(' ').any(|address| address == visitor),
        "{visitor}, and the proxy is {proxy}"
    );
}

fn only_the_proxy_can_be_reached(project: &Project) {
    assert_eq!(
        project.inspect("web", "{{.HostConfig.PortBindings}}"),
        "map[]"
    );
    let network = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}";
    let network = project.inspect("web", network);
    // No way out, and no address for this machine that would be a way in.
    let template = "{{.Internal}} {{index .Options \"com.docker.network.bridge.inhibit_ipv4\"}}";
    assert_eq!(
        docker(["network", "inspect", "--format", template, &network]).trim(),
        "true true"
    );
}

fn nothing_but_the_volume_can_be_written(project: &Project) {
    for service in ["web", "proxy"] {
        let container = project.container(service);
        let refused = docker_output(["exec", "--user", "0", &container, "touch", "/etc/new"]);
        assert!(
            text(&refused.stderr).contains("Read-only file system"),
            "{refused:?}"
        );
        let limits = "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}";
        let limits = project.inspect(service, limits);
        assert!(limits.split(' ').all(|limit| limit != "0"), "{limits}");
    }
}
