//! Restarts of every kind, again and again: the module is unloaded and loaded in between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use mod_wasm_tests::{Mpm, Server, Site, cgi_endpoint, endpoint, guest};

fn conf() -> String {
    endpoint("/hello", &guest("hello_wasm"), "")
        + &endpoint("/trap", &guest("trap_out_of_bounds"), "")
        + &endpoint("/deep", &guest("trap_stack_overflow"), "")
        + &cgi_endpoint("/s", &guest("stream_probe"), "")
}

fn works(server: &Server) {
    server.get("/hello").expect(200);
    server.get("/trap").expect(500);
    server.get("/deep").expect(500);
    server.get("/hello").expect(200);
}

fn restarts(mpm: Mpm) {
    let server = Site::new().httpd(conf()).mpm(mpm).start();
    for _ in 0..4 {
        works(&server);
        server.restart();
        works(&server);
        server.graceful();
    }
    works(&server);
    server.expect_log("WASM0050");
}

#[test]
fn event_survives_many_restarts() {
    restarts(Mpm::Event);
}

#[test]
fn prefork_survives_many_restarts() {
    restarts(Mpm::Prefork);
}

#[test]
fn a_graceful_stop_lets_a_running_guest_finish() {
    let server = Site::new().start(conf());
    let mut exchange = server.request("GET", "/s?drip=1000").open();
    exchange.read_until("drop 1");
    server.stop_gracefully();
    assert_eq!(
        exchange.finish().expect(200).text(),
        "drop 1\ndrop 2\ndrop 3\n"
    );
    assert!(
        server.gone_within(Duration::from_secs(20)),
        "httpd is still there"
    );
}

#[test]
fn a_restart_at_once_ends_running_guests() {
    let conf = conf() + &endpoint("/loop", &guest("loop_forever"), "WasmTimeout 300");
    let server = Site::new().start(conf);
    let child = server.child();
    let running = server.request("GET", "/loop").open();
    sleep(Duration::from_millis(500));
    server.restart();
    works(&server);
    assert_ne!(server.child(), child);
    server.expect_log("WASM0050");
    server.allow_log("WASM0053");
    drop(running);
}

#[test]
fn settings_change_with_a_restart() {
    let server = Site::new().start(endpoint("/x", &guest("plain_probe"), "WasmArg old"));
    server.replace_in_conf("WasmArg old", "WasmArg new");
    assert!(server.get("/x").expect(200).text().contains("argv[1]=old"));
    server.graceful();
    assert!(server.get("/x").expect(200).text().contains("argv[1]=new"));
}

#[test]
fn a_module_that_is_no_longer_configured_is_forgotten_and_may_return() {
    let section = endpoint("/x", &guest("plain_probe"), "");
    let server = Site::new().start(section.clone());
    server.replace_in_conf(&section, "# nothing\n");
    server.graceful();
    server.get("/x").expect(404);
    server.replace_in_conf("# nothing\n", &section);
    server.graceful();
    server.get("/x").expect(200);
}

#[test]
fn no_request_fails_while_the_server_restarts_gracefully() {
    let server = Site::new().start(conf());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let visitors: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut served = 0;
                    while !done.load(Ordering::Relaxed) {
                        server.get("/hello").expect(200);
                        served += 1;
                    }
                    served
                })
            })
            .collect();
        for _ in 0..5 {
            server.graceful();
        }
        done.store(true, Ordering::Relaxed);
        for visitor in visitors {
            assert!(visitor.join().expect("no request failed") > 0);
        }
    });
}

#[test]
fn a_server_whose_files_have_gone_can_still_be_stopped() {
    let site = Site::new();
    let wasm = site.file(
        "guest.wasm",
        std::fs::read(guest("hello_wasm")).expect("the guest is readable"),
    );
    let mount = site.writable_dir("mount");
    let conf = endpoint("/x", &wasm, &format!("WasmMapDir /data {mount}"));
    let server = site.start(conf);
    server.get("/x").expect(200);
    std::fs::remove_dir(&mount).expect("the directory is empty");
    std::fs::remove_file(&wasm).expect("the module is there");
    let (tested, said) = server.httpd(&["-t"]);
    assert!(!tested && said.contains("cannot be mounted"), "{said}");
    let (stopped, said) = server.httpd(&["-k", "stop"]);
    assert!(stopped, "{said}");
    assert!(
        server.gone_within(Duration::from_secs(20)),
        "httpd is still there"
    );
}
