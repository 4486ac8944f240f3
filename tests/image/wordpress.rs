//! WordPress in a container: who knows its password, where its visitors find it, and that its posts stay.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use mod_wasm_tests::Browser;
use mod_wasm_tests::visits::editor;
use tempfile::NamedTempFile;

use crate::app::App;
use crate::docker::{Container, Run, Volume, docker, docker_output};

/// What shells, curl and PHP each have their own opinion about.
const ODD_PASSWORD: &str = r#"it's a "pass\\word\": 50% of $HOME & `ü` #"#;

/// Everything that the container's output says about the password.
fn told(container: &Container) -> Vec<String> {
    let logs = container.logs();
    let lines = logs.stdout.lines().chain(logs.stderr.lines());
    lines
        .filter(|line| line.contains("password"))
        .map(str::to_owned)
        .collect()
}

/// The password that a text tells: `… password WORD (kept in …)`.
#[track_caller]
fn password_in(text: &str) -> &str {
    let (_, rest) = text
        .split_once("user admin, password ")
        .unwrap_or_else(|| panic!("no password in {text}"));
    rest.split_whitespace().next().unwrap_or(rest)
}

/// Publishes the post of these tests.
#[track_caller]
pub(crate) fn publish_post(admin: &mut Browser) {
    editor::publish(admin, "About fish", "about-fish", "<p>It swims.</p>");
}

/// Asserts that it is there.
#[track_caller]
pub(crate) fn shows_post(address: SocketAddr) {
    let page = Browser::at(address).get("/wordpress/?name=about-fish");
    let page = page.expect(200).text();
    assert!(page.contains("It swims."), "the post is lost: {page}");
}

/// A container that keeps the installers of others waiting on this volume, until it is dropped.
pub(crate) fn hold_installer(volume: &Volume) -> Container {
    let holder = Run::demo().volume(volume, "/data").start_command(&[
        "bash",
        "-c",
        "/opt/mod_wasm/scripts/wordpress prepare /data/wordpress
         flock /data/wordpress/state/lock bash -c 'echo held; exec sleep infinity'",
    ]);
    holder.wait_says("held");
    holder
}

/// A file that the server's user may read, as a secret is mounted.
fn secret(content: &str) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a temporary file can be made");
    fs::write(&file, content).expect("the file is ours");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    file
}

fn with_secret(run: Run, file: &NamedTempFile) -> Run {
    let path = file.path().to_str().expect("temporary paths are UTF-8");
    run.mount(path, "/run/secrets/wordpress")
        .env("WORDPRESS_PASSWORD_FILE", "/run/secrets/wordpress")
}

#[test]
fn the_password_is_told_once_and_posts_outlive_the_container() {
    let volume = Volume::new();
    let first = Run::demo().volume(&volume, "/data").start();
    first.wait_healthy();
    let lines = told(&first);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let password = password_in(&lines[0]).to_owned();
    let mut admin = editor::log_in(first.address(), &password);
    publish_post(&mut admin);
    shows_post(first.address());

    first.stop();
    first.start_again();
    first.wait_healthy();
    shows_post(first.address());
    editor::log_in(first.address(), &password);
    assert_eq!(told(&first), lines, "told again at the second start");
    drop(first);

    // An upgrade is no different.
    let second = Run::demo().volume(&volume, "/data").start();
    second.wait_healthy();
    shows_post(second.address());
    editor::log_in(second.address(), &password);
    assert_eq!(told(&second), Vec::<String>::new());
}

#[test]
fn a_chosen_password_logs_in_and_is_not_told() {
    let file = secret(&format!("{ODD_PASSWORD}\n"));
    let runs = [
        Run::demo().env("WORDPRESS_PASSWORD", ODD_PASSWORD),
        with_secret(Run::demo(), &file),
    ];
    for run in runs {
        let container = run.start();
        container.wait_healthy();
        editor::log_in(container.address(), ODD_PASSWORD);
        editor::is_refused(container.address(), "wrong");
        for line in told(&container) {
            assert!(
                line.ends_with("user admin, the password that was set"),
                "{line}"
            );
        }
    }
}

#[test]
fn a_password_that_cannot_be_used_ends_the_start() {
    for (run, said) in [
        (
            Run::demo().env("WORDPRESS_PASSWORD_FILE", "/run/secrets/none"),
            "WORDPRESS_PASSWORD_FILE=/run/secrets/none is no file that user 33 can read",
        ),
        (
            with_secret(Run::demo(), &secret("")),
            "WORDPRESS_PASSWORD_FILE=/run/secrets/wordpress has nothing on its first line",
        ),
        (
            with_secret(Run::demo(), &secret("\nsecond line\n")),
            "WORDPRESS_PASSWORD_FILE=/run/secrets/wordpress has nothing on its first line",
        ),
        (
            with_secret(Run::demo(), &secret("windows\r\n")),
            "WORDPRESS_PASSWORD_FILE=/run/secrets/wordpress holds a control character, such as a line break",
        ),
        (
            Run::demo().env("WORDPRESS_PASSWORD", "   "),
            "WORDPRESS_PASSWORD holds nothing but white space",
        ),
        (
            Run::demo()
                .env("WORDPRESS_PASSWORD", "one")
                .env("WORDPRESS_PASSWORD_FILE", "/etc/hostname"),
            "WORDPRESS_PASSWORD and WORDPRESS_PASSWORD_FILE are both set",
        ),
    ] {
        let output = run.refused();
        assert!(
            output.starts_with(&format!("wordpress: {said}\n")),
            "{said:?} expected, said was {output:?}"
        );
    }
}

#[test]
fn a_new_password_takes_the_old_ones_place_while_the_server_runs() {
    let container = Run::demo().start();
    container.wait_healthy();
    let address = container.address();
    let old = password_in(&told(&container).concat()).to_owned();

    let printed = container.exec(&["wordpress-password"]);
    let new = password_in(&printed);
    editor::is_refused(address, &old);
    editor::log_in(address, new);

    let variable = format!("WORDPRESS_PASSWORD={ODD_PASSWORD}");
    docker([
        "exec",
        "--env",
        &variable,
        container.name(),
        "wordpress-password",
    ]);
    editor::is_refused(address, new);
    editor::log_in(address, ODD_PASSWORD);
    assert_eq!(told(&container).len(), 1, "a new password is in the log");
}

#[test]
fn a_password_that_could_not_be_changed_stays() {
    let container = Run::demo().start();
    container.wait_healthy();
    let old = password_in(&told(&container).concat()).to_owned();
    for (option, arguments, status) in [
        ("PORT=8080", &["--help"][..], 0),
        ("PORT=8080", &["another"], 2),
        // Nobody answers there.
        ("PORT=1", &[], 1),
    ] {
        let command = [
            "exec",
            "--env",
            option,
            container.name(),
            "wordpress-password",
        ];
        let output = docker_output(command.iter().chain(arguments));
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        let kept = container.exec(&["cat", "/data/wordpress/password"]);
        assert_eq!(kept.trim_end(), old, "{option} {arguments:?}");
        editor::log_in(container.address(), &old);
    }
}

#[test]
fn a_change_that_was_interrupted_is_not_made_up_for_at_the_next_start() {
    let container = Run::demo().start();
    container.wait_healthy();
    let old = password_in(&told(&container).concat()).to_owned();
    // What an interrupted wordpress-password leaves; nobody asks WordPress anything before the stop.
    let plant = "printf planted >/data/wordpress/keys/new-password";
    container.exec(&["sh", "-c", plant]);
    container.stop();
    container.start_again();
    container.wait_healthy();
    editor::log_in(container.address(), &old);
    container.exec(&["test", "!", "-e", "/data/wordpress/keys/new-password"]);
}

#[test]
fn an_installation_that_fails_begins_anew() {
    let volume = Volume::new();
    let holder = hold_installer(&volume);
    // The only place is taken when the installer comes.
    let app = App::new(
        &["loop_after_output"],
        "WasmTimeout 120\nWasmQueueTimeout 1",
    );
    let container = Run::demo()
        .volume(&volume, "/data")
        .env("MOD_WASM_INSTANCES", 1)
        .app(&app)
        .start();
    container.wait_answers();
    let busy = container.begin("/loop_after_output");
    drop(holder);
    container.wait_says("WordPress could not be installed");
    assert_eq!(told(&container), Vec::<String>::new());
    drop(busy);

    container.wait_healthy();
    container.get("/wordpress/").expect(200);
    let password = password_in(&told(&container).concat()).to_owned();
    editor::log_in(container.address(), &password);
}

#[test]
fn behind_a_proxy_every_address_is_the_public_one() {
    const PUBLIC: &str = "https://www.example.org";
    let container = Run::demo().env("PUBLIC_URL", PUBLIC).start();
    container.wait_healthy();
    for host in ["www.example.org", "container:8080"] {
        editor::is_at(container.address(), host, PUBLIC);
        // httpd's own redirect, to the folder's address with the slash.
        let redirect = container.request("GET", "/wordpress").host(host).send();
        let location = redirect.expect(301).header("Location").map(str::to_owned);
        assert_eq!(location, Some(format!("{PUBLIC}/wordpress/")), "{host}");
    }
    let line = told(&container).concat();
    assert!(
        line.contains("https://www.example.org/wordpress/wp-admin/"),
        "{line}"
    );
}
