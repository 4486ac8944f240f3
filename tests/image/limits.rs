//! Little memory, one processor, and many visitors at once.

use std::net::SocketAddr;
use std::thread;

use mod_wasm_tests::{Request, Response};

use crate::app::App;
use crate::docker::{Container, Run, text};

const SMALL: &str = "--memory 768m --cpus 1";

/// Asks for the same page so many times at once.
fn crowd(address: SocketAddr, visitors: usize, target: &'static str) -> Vec<Response> {
    let visitors: Vec<_> = (0..visitors)
        .map(|_| thread::spawn(move || Request::new(address, "GET", target).send()))
        .collect();
    visitors
        .into_iter()
        .map(|visitor| visitor.join().expect("every visitor is answered"))
        .collect()
}

/// Sorts the answers into pages and polite refusals; anything else fails. Returns how many there are of each.
fn pages_and_refusals(answers: &[Response]) -> (usize, usize) {
    let mut refusals = 0;
    for answer in answers {
        assert!(answer.complete, "cut off: {answer:?}");
        if answer.status == 503 {
            assert_eq!(answer.header("Retry-After"), Some("5"), "{answer:?}");
            refusals += 1;
        } else {
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.text().contains("</html>"), "{answer:?}");
        }
    }
    (answers.len() - refusals, refusals)
}

/// Neither the container nor a process in it was killed, and it serves.
fn unharmed(container: &Container) {
    assert!(container.runs());
    assert_eq!(container.inspect("{{.State.OOMKilled}}"), "false");
    let said = container.logs().stderr;
    assert!(!said.contains("exit signal"), "{said}");
    assert_eq!(said.matches("resuming normal operations").count(), 1);
}

#[test]
fn the_engine_enforces_memory_limits() {
    let output = Run::slim()
        .with("--memory 64m --memory-swap 64m")
        .command(&["bash", "-c", "head -c 200M /dev/zero | tail | wc -c"]);
    let counted = text(&output.stdout);
    assert_ne!(counted.trim(), "209715200", "{output:?}");
}

#[test]
fn twenty_wordpress_pages_at_once() {
    let container = Run::demo().with(SMALL).start();
    container.wait_healthy();
    let answers = crowd(container.address(), 20, "/wordpress/");
    let (pages, _) = pages_and_refusals(&answers);
    assert!(pages > 0);
    assert!(container.is_healthy());
    container.get("/wordpress/").expect(200);
    unharmed(&container);
}

#[test]
fn those_who_would_wait_too_long_are_told_to_come_again() {
    let app = App::new(&[], "WasmQueueTimeout 1");
    let container = Run::demo()
        .with(SMALL)
        .env("MOD_WASM_INSTANCES", 1)
        .app(&app)
        .start();
    container.wait_healthy();
    let answers = crowd(container.address(), 20, "/wordpress/");
    let (pages, refusals) = pages_and_refusals(&answers);
    assert!(
        pages > 0 && refusals > 0,
        "{pages} pages, {refusals} refusals"
    );
    assert!(container.logs().stderr.contains("WASM0052"));
    container.get("/wordpress/").expect(200);
    unharmed(&container);
}

/// An orchestrator replaces a container that is unhealthy, and with it everybody's place in the queue.
#[test]
fn a_busy_server_is_not_an_ill_one() {
    let app = App::new(&["loop_after_output"], "WasmTimeout 60");
    let container = Run::demo().env("MOD_WASM_INSTANCES", 1).app(&app).start();
    container.wait_healthy();
    let _busy = container.begin("/loop_after_output");
    let check = container.inspect("{{join .Config.Healthcheck.Test \" \"}}");
    let command: Vec<&str> = check.split(' ').skip(1).collect();
    container.exec(&command);
}

/// What scripts/limits.sh counts on: as many runs as it allows fit, even when each uses all that it may.
#[test]
fn runs_that_use_all_their_memory_fit() {
    for limit in ["768m", "640m"] {
        let app = App::new(&["fill_memory"], "");
        let container = Run::demo()
            .with(&format!("--memory {limit} --memory-swap {limit}"))
            .app(&app)
            .start();
        container.wait_healthy();
        for answer in crowd(container.address(), 8, "/fill_memory") {
            assert_eq!(answer.expect(200).text(), "filled\n");
        }
        unharmed(&container);
    }
}
