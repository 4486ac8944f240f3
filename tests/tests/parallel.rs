//! Many requests at once: each gets its own answer.

use std::thread;

use mod_wasm_tests::{Mpm, Response, Server, Site, cgi_endpoint, endpoint, guest};

/// Sends so many requests at once, each from a thread of its own.
fn at_once(server: &Server, count: usize, ask: impl Fn(usize) -> Response + Sync) {
    assert!(server.pid() != 0);
    thread::scope(|scope| {
        let ask = &ask;
        let threads: Vec<_> = (0..count).map(|n| scope.spawn(move || ask(n))).collect();
        for thread in threads {
            thread.join().expect("the request was answered as expected");
        }
    });
}

fn conf() -> String {
    cgi_endpoint("/echo", &guest("cgi_probe"), "")
        + &endpoint("/hello", &guest("hello_wasm"), "")
        + "WasmQueueTimeout 60\n"
}

fn hundred_bodies(server: &Server) {
    at_once(server, 100, |n| {
        let body = format!("request {n} ").repeat(500);
        let answer = server
            .request("POST", "/echo?do=echo")
            .body(body.clone())
            .send()
            .expect(200);
        assert_eq!(answer.text(), body);
        answer
    });
}

#[test]
fn a_hundred_requests_at_once_under_event() {
    let server = Site::new().httpd(conf()).threads(64).start();
    let child = server.child();
    hundred_bodies(&server);
    assert_eq!(server.child(), child);
}

#[test]
fn a_hundred_requests_at_once_under_prefork() {
    hundred_bodies(&Site::new().httpd(conf()).mpm(Mpm::Prefork).start());
}

#[test]
fn guests_and_static_files_side_by_side() {
    let site = Site::new();
    site.file("htdocs/page.txt", "static");
    let server = site.httpd(conf()).threads(32).start();
    at_once(&server, 100, |n| match n % 3 {
        0 => server.get("/page.txt").expect(200),
        1 => server.get("/hello").expect(200),
        _ => {
            let answer = server.get(&format!("/echo?n={n}")).expect(200);
            assert!(answer.text().contains(&format!("QUERY_STRING=n={n}\n")));
            answer
        }
    });
}

#[test]
fn traps_among_good_requests_do_no_harm() {
    let conf = conf() + &endpoint("/trap", &guest("trap_out_of_bounds"), "");
    let server = Site::new().httpd(conf).threads(32).start();
    let child = server.child();
    at_once(&server, 100, |n| {
        if n % 2 == 0 {
            server.get("/trap").expect(500)
        } else {
            server.get("/hello").expect(200)
        }
    });
    server.expect_log("WASM0050");
    assert_eq!(server.child(), child);
}
