//! The first minute of a container, and what it is told at its start.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use mod_wasm_tests::Site;

use crate::app::App;
use crate::demos::every_demo_answers;
use crate::docker::{Container, Run, Volume, text};
use crate::wordpress::hold_installer;

#[test]
fn it_starts_without_compiling_anything_and_every_demo_answers() {
    let container = Run::demo().start();
    container.wait_healthy();
    every_demo_answers(&container);
    nothing_was_compiled(&container);
}

#[test]
fn it_runs_hardened() {
    let volume = Volume::new();
    let container = Run::demo()
        .with("--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges")
        .volume(&volume, "/data")
        .start();
    container.wait_healthy();
    every_demo_answers(&container);
    nothing_was_compiled(&container);
}

fn nothing_was_compiled(container: &Container) {
    let said = container.logs().stderr;
    for made in ["WASM0020", "WASM0025"] {
        assert!(!said.contains(made), "{said}");
    }
}

#[test]
fn slim_starts_without_any_application() {
    let container = Run::slim().start();
    container.wait_healthy();
    let said = container.logs().stderr;
    assert!(!said.contains(":error]"), "{said}");
    container.get("/").expect(403);
}

#[test]
fn httpd_answers_while_wordpress_is_being_installed() {
    let volume = Volume::new();
    let holder = hold_installer(&volume);
    let container = Run::demo().volume(&volume, "/data").start();
    container.wait_answers();
    for target in ["/wordpress", "/wordpress/wp-login.php"] {
        let answer = container.get(target).expect(503);
        assert_eq!(answer.header("Retry-After"), Some("5"), "{answer:?}");
    }
    container.get("/hello-wasm").expect(200);
    container.get("/php-hello").expect(200);
    container.wait("a health check has failed", || {
        container.inspect("{{len .State.Health.Log}}") != "0"
    });
    assert_eq!(container.inspect("{{.State.Health.Status}}"), "starting");

    drop(holder);
    container.wait_healthy();
    container.get("/wordpress/").expect(200);
}

#[test]
fn port_is_the_port() {
    let container = Run::slim().port(9000).start();
    container.wait_healthy();
    container.get("/").expect(403);
}

#[test]
fn its_size_follows_memory_and_processors() {
    for (arguments, announced) in [
        ("--memory 768m --cpus 1", "up to 2 runs and 32 requests"),
        ("--memory 640m --cpus 1", "up to 1 runs and 32 requests"),
        ("--memory 4g --cpus 1", "up to 8 runs and 32 requests"),
        (
            "--memory 512m --env MOD_WASM_INSTANCES=3 --env MOD_WASM_THREADS=5",
            "up to 3 runs and 5 requests",
        ),
    ] {
        let container = Run::slim().with(arguments).start();
        container.wait_answers();
        let said = container.logs().stderr;
        assert!(said.contains(announced), "{arguments}: {said}");
    }
}

#[test]
fn a_wrong_variable_is_refused_in_one_sentence() {
    for (name, value, problem) in [
        ("PORT", "0", "is not a number from 1 to 65535"),
        ("PORT", "65536", "is not a number from 1 to 65535"),
        ("PORT", "0800", "is not a number from 1 to 65535"),
        ("PORT", "http", "is not a number from 1 to 65535"),
        (
            "PUBLIC_URL",
            "www.example.org",
            "is not the address of a server, such as https://www.example.org",
        ),
        (
            "PUBLIC_URL",
            "http://a:99999",
            "is not the address of a server, such as https://www.example.org",
        ),
        (
            "PUBLIC_URL",
            "https://www.example.org/path",
            "is not the address of a server, such as https://www.example.org",
        ),
        (
            "PUBLIC_URL",
            "https://www.example.org\nDefine X",
            "is not the address of a server, such as https://www.example.org",
        ),
        ("MOD_WASM_INSTANCES", "0", "is not a number from 1 to 1000"),
        (
            "MOD_WASM_INSTANCES",
            "4 or 5",
            "is not a number from 1 to 1000",
        ),
        ("MOD_WASM_THREADS", "-1", "is not a number from 1 to 10000"),
    ] {
        let said = Run::slim().env(name, value).refused();
        assert_eq!(
            said,
            format!("httpd-foreground: {name}={value} {problem}\n")
        );
    }
}

#[test]
fn a_read_only_container_without_tmp_is_refused_in_one_sentence() {
    let said = Run::slim().with("--read-only").refused();
    assert_eq!(
        said,
        "httpd-foreground: httpd needs /tmp: on a read-only container, add --tmpfs /tmp\n"
    );
}

#[test]
fn root_is_refused_in_one_sentence() {
    let said = Run::slim().with("--user root").refused();
    is_one_sentence(&said, "root");
}

#[test]
fn an_application_that_the_server_cannot_read_is_refused_in_one_sentence() {
    let app = App::new(&[], "");
    fs::set_permissions(app.folder(), Permissions::from_mode(0o700)).expect("the folder is ours");
    let said = Run::slim().app(&app).refused();
    is_one_sentence(&said, "/opt/mod_wasm/apps/test");
}

#[test]
fn a_start_program_that_cannot_be_run_is_refused_in_one_sentence() {
    let site = Site::new();
    let program = site.file("program", "#!/bin/sh\n");
    let target = "/opt/mod_wasm/start.d/mine";
    let said = Run::slim().mount(program, target).refused();
    is_one_sentence(&said, target);
}

#[track_caller]
fn is_one_sentence(said: &str, about: &str) {
    let one = said.starts_with("httpd-foreground: ") && said.lines().count() == 1;
    assert!(one && said.contains(about), "{said}");
}

#[test]
fn httpd_tests_its_configuration() {
    for run in [Run::demo(), Run::slim()] {
        let output = run.command(&["httpd-foreground", "-t"]);
        let said = text(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(said, "Syntax OK\n");
    }
}
