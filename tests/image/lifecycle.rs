//! Stops, kills, terminals: what happens to a container, and to those who are being answered meanwhile.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use mod_wasm_tests::{Site, wait_until};

use crate::app::App;
use crate::docker::{Container, PATIENCE, Run, docker};

/// After this, Docker kills.
const STOP_LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_stop_lets_a_running_request_finish() {
    let app = App::new(&["three_seconds"], "");
    let container = Run::slim().app(&app).start();
    container.wait_answers();
    let exchange = container.begin("/three_seconds");
    let took = container.stop();
    assert_eq!(exchange.finish().expect(200).text(), "begun\nended\n");
    stopped_in_time(&container, took);
}

#[test]
fn a_request_without_an_end_does_not_hold_up_a_stop() {
    let app = App::new(&["loop_after_output"], "WasmTimeout 60");
    let container = Run::slim().app(&app).start();
    container.wait_answers();
    let _running = container.begin("/loop_after_output");
    stopped_in_time(&container, container.stop());
}

#[test]
fn a_stop_while_httpd_starts_is_heeded() {
    // What httpd-foreground waits before it insists: a signal that is lost costs all of it.
    let insisting = Duration::from_millis(7500);
    // Without compiled code a start takes a while.
    let container = Run::demo()
        .with("--tmpfs /opt/mod_wasm/cache:uid=33,mode=700")
        .start();
    container.wait_says("httpd on port 8080");
    let took = container.stop();
    let said = container.logs().stderr;
    assert!(!said.contains("resuming normal operations"), "{said}");
    assert!(took < insisting, "the stop took {took:?}");
    stopped_in_time(&container, took);
}

#[test]
fn a_stop_before_httpd_starts_is_heeded() {
    let site = Site::new();
    let script = site.file(
        "slow",
        "#!/bin/sh\necho preparing; sleep 3; echo prepared\n",
    );
    let program = site.executable("program", Path::new(&script));
    let container = Run::slim()
        .mount(program, "/opt/mod_wasm/start.d/slow")
        .start();
    container.wait_says("preparing");
    stopped_in_time(&container, container.stop());
    let logs = container.logs();
    assert!(logs.stdout.contains("prepared"), "{}", logs.stdout);
    assert!(!logs.stderr.contains("httpd on port"), "{}", logs.stderr);
}

fn stopped_in_time(container: &Container, took: Duration) {
    assert!(took < STOP_LIMIT, "the stop took {took:?}");
    assert_eq!(container.exit_status(), 0);
}

/// A file, and programs that take little time even where processors are few.
const TARGETS: [&str; 4] = ["/", "/hello-wasm", "/php-hello", "/php-info"];

#[test]
fn no_answer_is_cut_off_by_a_stop() {
    let container = Run::demo().start();
    container.wait_healthy();
    let address = container.address();
    let clients =
        TARGETS.map(|target| thread::spawn(move || ask_until_nobody_answers(address, target)));
    wait_until("all are being answered", PATIENCE, || {
        let requests = container.logs().stdout;
        TARGETS.iter().all(|target| {
            let request = format!("\"GET {target} HTTP/1.1\" 200");
            requests.matches(&request).count() > 3
        })
    });
    let took = container.stop();
    for client in clients {
        let answers = client.join().expect("no answer was cut off");
        assert!(answers > 3, "only {answers} answers");
    }
    stopped_in_time(&container, took);
}

/// Sends one request after the other until a connection is refused, or closed without a byte; panics where an answer
/// is not whole. Returns the number of answers.
fn ask_until_nobody_answers(address: SocketAddr, target: &str) -> usize {
    let mut answers = 0;
    while let Some(answer) = ask(address, target) {
        assert!(is_whole(&answer), "{target} was cut off: {answer}");
        answers += 1;
    }
    answers
}

fn ask(address: SocketAddr, target: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a timeout can be set");
    let head = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes());
    let mut answer = Vec::new();
    // A connection that is reset after some bytes shows in those bytes.
    let _ = stream.read_to_end(&mut answer);
    (!answer.is_empty()).then(|| String::from_utf8_lossy(&answer).into_owned())
}

fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    match length {
        Some(length) => length.parse() == Ok(body.len()),
        None => body.ends_with("0\r\n\r\n"),
    }
}

#[test]
fn a_terminal_may_be_resized_and_ctrl_c_stops() {
    let app = App::new(&["three_seconds"], "");
    let (container, mut terminal) = Run::slim().app(&app).on_terminal();
    container.wait_healthy();
    for rows in [20, 40, 60] {
        terminal.resize(rows);
        container.wait("the container's terminal has the new size", || {
            let size = container.exec(&["stty", "-F", "/proc/1/fd/0", "size"]);
            size.trim() == format!("{rows} 100")
        });
        docker(["kill", "--signal", "WINCH", container.name()]);
        container.get("/three_seconds").expect(200);
    }
    terminal.type_in(b"\x03");
    container.wait_ended();
    assert_eq!(container.exit_status(), 0);
    wait_until("docker run has ended", PATIENCE, || {
        terminal.ended().is_some()
    });
    let said = terminal.output();
    assert!(said.contains("stopped"), "{said}");
}

#[test]
fn a_killed_container_can_be_started_again() {
    let container = Run::demo().start();
    container.wait_healthy();
    docker(["kill", container.name()]);
    container.wait_ended();
    container.start_again();
    container.wait_healthy();
    container.get("/hello-wasm").expect(200);
    container.get("/wordpress/").expect(200);
}

#[test]
fn killed_while_wordpress_is_being_installed_it_installs_at_the_next_start() {
    let container = Run::demo().start();
    container.wait("the installer is at work", || {
        let database = "ls -A /data/wordpress/database 2>/dev/null || true";
        !container.exec(&["bash", "-c", database]).is_empty()
    });
    assert!(!container.is_healthy());
    docker(["kill", container.name()]);
    container.wait_ended();
    assert!(!container.logs().stdout.contains("WordPress is installed"));
    container.start_again();
    container.wait_healthy();
    container.get("/wordpress/").expect(200);
}

#[test]
fn requests_are_logged_on_stdout_and_errors_on_stderr() {
    let app = App::new(&["trap_unreachable"], "");
    let container = Run::slim().app(&app).start();
    container.wait_answers();
    container.get("/trap_unreachable").expect(500);
    container.wait_says("\"GET /trap_unreachable HTTP/1.1\" 500");
    let logs = container.logs();
    assert!(logs.stderr.contains("WASM0050"), "{}", logs.stderr);
    assert!(!logs.stderr.contains("GET /trap"), "{}", logs.stderr);
    assert!(!logs.stdout.contains("WASM"), "{}", logs.stdout);
}

#[test]
fn a_reload_reads_changed_snippets_and_lets_running_requests_finish() {
    let app = App::new(&["three_seconds"], "");
    let container = Run::slim().app(&app).start();
    container.wait_answers();
    let exchange = container.begin("/three_seconds");
    app.configure(&["three_seconds", "trap_unreachable"], "");
    container.exec(&["httpd-foreground", "-t"]);
    container.exec(&["httpd-foreground", "-k", "graceful"]);
    container.wait("the new program is there", || {
        container.get("/trap_unreachable").status == 500
    });
    assert_eq!(exchange.finish().expect(200).text(), "begun\nended\n");
    stopped_in_time(&container, container.stop());
}
