//! A program without CGI behind a Location: what it gets, and what becomes of what it writes.

use mod_wasm_tests::{Mpm, Site, endpoint, guest};

fn hello() -> String {
    endpoint("/hello", &guest("hello_wasm"), "ForceType text/plain")
}

#[test]
fn a_guest_answers_in_every_kind_of_server_before_and_after_a_restart() {
    for (mpm, foreground) in [
        (Mpm::Event, false),
        (Mpm::Event, true),
        (Mpm::Prefork, false),
        (Mpm::Prefork, true),
    ] {
        let mut httpd = Site::new().httpd(hello()).mpm(mpm);
        if foreground {
            httpd = httpd.foreground();
        }
        let server = httpd.start();
        for round in 1..=2 {
            let answer = server.get("/hello").expect(200);
            assert!(
                answer.text().starts_with("Hello from WebAssembly"),
                "round {round}: {}",
                answer.text()
            );
            assert_eq!(answer.header("Content-Type"), Some("text/plain"));
            server.graceful();
        }
    }
}

#[test]
fn the_guest_gets_what_is_configured_and_nothing_else() {
    let wasm = guest("plain_probe");
    let conf = endpoint(
        "/tell",
        &wasm,
        "WasmArg one\nWasmArg \"two words\"\nWasmEnv COLOUR blue\nWasmEnv EMPTY \"\"",
    );
    let server = Site::new().start(conf);
    // Neither query nor headers nor body may reach a guest that does not speak CGI.
    let answer = server
        .request("POST", "/tell?a=b&-s")
        .header("X-Secret", "1")
        .body("body")
        .send()
        .expect(200);
    assert_eq!(
        answer.text(),
        "argv[0]=plain_probe.wasm\nargv[1]=one\nargv[2]=two words\nenv COLOUR=blue\nenv EMPTY=\nstdin 0\n"
    );
}

#[test]
fn an_unconfigured_guest_gets_its_name_only() {
    let server = Site::new().start(endpoint("/tell", &guest("plain_probe"), ""));
    assert_eq!(
        server.get("/tell").expect(200).text(),
        "argv[0]=plain_probe.wasm\nstdin 0\n"
    );
}

#[test]
fn the_type_of_the_answer_is_httpds_business() {
    let wasm = guest("plain_probe");
    let conf = endpoint("/typed", &wasm, "ForceType image/png") + &endpoint("/untyped", &wasm, "");
    let server = Site::new().start(conf);
    assert_eq!(
        server.get("/typed").expect(200).header("Content-Type"),
        Some("image/png")
    );
    assert_eq!(
        server.get("/untyped").expect(200).header("Content-Type"),
        None
    );
}

#[test]
fn output_that_looks_like_headers_is_body_without_cgi() {
    let conf = endpoint(
        "/put",
        &guest("plain_probe"),
        "WasmArg leave\nWasmArg 0\nWasmArg \"Status: 404\"",
    );
    assert_eq!(
        Site::new().start(conf).get("/put").expect(200).text(),
        "Status: 404"
    );
}

#[test]
fn an_exit_code_before_the_first_byte_is_500_and_named_in_the_log() {
    let conf = endpoint("/leave", &guest("plain_probe"), "WasmArg leave\nWasmArg 7");
    let server = Site::new().start(conf);
    server.get("/leave").expect(500);
    let lines = server.expect_logs("WASM0062", 1);
    assert!(
        lines[0].message.contains("exit") && lines[0].message.contains('7'),
        "{lines:?}"
    );
}

#[test]
fn an_exit_code_of_any_size_is_an_exit() {
    let wasm = guest("plain_probe");
    let codes = [1, 125, 126, 127, 128, 255, 256, 65536];
    let conf: String = codes
        .iter()
        .map(|code| {
            endpoint(
                &format!("/leave-{code}"),
                &wasm,
                &format!("WasmArg leave\nWasmArg {code}"),
            )
        })
        .collect();
    let server = Site::new().start(conf);
    for code in codes {
        server.get(&format!("/leave-{code}")).expect(500);
    }
    let lines = server.expect_logs("WASM0062", codes.len());
    for code in codes {
        let told = lines
            .iter()
            .filter(|line| line.message.contains(&format!("{code}")))
            .count();
        assert!(told >= 1, "no line names exit code {code}: {lines:?}");
    }
}

#[test]
fn exit_zero_is_success() {
    let conf = endpoint(
        "/leave",
        &guest("plain_probe"),
        "WasmArg leave\nWasmArg 0\nWasmArg bye",
    );
    assert_eq!(
        Site::new().start(conf).get("/leave").expect(200).text(),
        "bye"
    );
}

#[test]
fn an_exit_code_after_output_that_fits_a_buffer_is_still_no_success() {
    let conf = endpoint(
        "/leave",
        &guest("plain_probe"),
        "WasmArg leave\nWasmArg 3\nWasmArg partial",
    );
    let server = Site::new().start(conf);
    let answer = server.request("GET", "/leave").send();
    assert!(
        answer.status == 500 || !answer.complete,
        "a failed run looks whole: {answer:?}"
    );
    server.expect_log("WASM0062");
}

#[test]
fn another_entry_point_can_be_called() {
    let wasm = guest("entries");
    let conf =
        endpoint("/default", &wasm, "") + &endpoint("/another", &wasm, "WasmEntryPoint another");
    let server = Site::new().start(conf);
    assert_eq!(server.get("/default").expect(200).text(), "default entry\n");
    assert_eq!(server.get("/another").expect(200).text(), "another entry\n");
}

#[test]
fn the_oldest_names_of_wasi_still_work() {
    let server = Site::new().start(endpoint("/old", &guest("preview0"), ""));
    assert_eq!(
        server.get("/old").expect(200).text(),
        "hello from 2019\nbye from 2019..\n"
    );
}

#[test]
fn each_request_gets_a_fresh_sandbox() {
    let site = Site::new();
    let data = site.writable_dir("data");
    let conf = endpoint(
        "/grow",
        &guest("plain_probe"),
        "WasmArg grow\nWasmArg 32\nWasmMemoryLimit 48M",
    ) + &endpoint(
        "/list",
        &guest("list_dir"),
        &format!("WasmArg /data\nWasmMapDir /data {data}"),
    );
    let server = site.start(conf);
    // Memory left over from one run would make a later one fail.
    for _ in 0..5 {
        assert_eq!(server.get("/grow").expect(200).text(), "grew by 32 MiB\n");
    }
    assert_eq!(
        server.get("/list").expect(200).text(),
        "Contents of /data:\n\n"
    );
}
