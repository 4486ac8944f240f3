//! What a run may use up, what happens when a limit is met, and what the log says of it: the limit, what was measured, and
//! what the run was doing.

use std::fs;
use std::time::Duration;

use mod_wasm_tests::{Server, Site, cgi_endpoint, endpoint, guest, wait_until};

/// An endpoint whose program uses something up.
fn spender(path: &str, lines: &str, words: &[&str]) -> String {
    let arguments: String = words
        .iter()
        .map(|word| format!("WasmArg {word}\n"))
        .collect();
    endpoint(path, &guest("spender"), &format!("{lines}\n{arguments}"))
}

/// The only line with this code.
fn line(server: &Server, code: &str) -> String {
    let lines = server.expect_logs(code, 1);
    lines[0].message.clone()
}

/// "(0.300 s): 0.305 s": the limit and what was measured.
fn seconds(line: &str) -> (f64, f64) {
    let parse = |text: &str| text.parse::<f64>().expect("a number of seconds");
    let (_, rest) = line.split_once(" (").expect("a limit");
    let (limit, rest) = rest.split_once(" s): ").expect("a measure");
    (parse(limit), parse(rest.split_once(" s").expect("s").0))
}

#[test]
fn processor_time_has_a_limit_of_its_own() {
    let limits = "WasmCPULimit 300ms\nWasmTimeout 50";
    let conf = spender("/compute", limits, &["compute"])
        + &spender("/sleep", "WasmCPULimit 300ms", &["sleep", "1"]);
    let server = Site::new().start(conf);
    assert_eq!(
        server.get("/sleep").expect(200).text(),
        "sleep 0: Success\n"
    );
    server.get("/compute").expect(504);
    let line = line(&server, "WASM0090");
    assert!(
        line.contains("more processor time than WasmCPULimit"),
        "{line}"
    );
    assert!(line.ends_with("; computing"), "{line}");
    let (limit, measured) = seconds(&line);
    assert_eq!(limit, 0.3);
    assert!((0.3..5.0).contains(&measured), "{line}");
}

#[test]
fn processor_time_in_calls_of_the_host_counts() {
    let site = Site::new();
    site.file("data/file", "x");
    let lines = format!("WasmCPULimit 300ms\nWasmMapDir /d {}", site.path("data"));
    let server = site.start(spender("/look", &lines, &["look", "/d/file"]));
    server.get("/look").expect(504);
    server.expect_log("WASM0090");
}

/// Whatever the run does, it ends soon after its deadline, and the log says what it did.
#[test]
fn the_line_of_a_deadline_says_what_the_run_was_doing() {
    let site = Site::new();
    let data = site.writable_dir("data");
    for number in 0..2000 {
        site.file(&format!("data/many/{number}"), "");
    }
    site.file("data/large", "");
    let large = fs::File::options()
        .write(true)
        .open(site.path("data/large"))
        .expect("the file opens");
    large.set_len(100 << 20).expect("a file with a hole");
    let lines = format!("WasmTimeout 500ms\nWasmMapDir /d {data}");
    let conf = spender("/compute", &lines, &["compute"])
        + &spender("/sleep", &lines, &["sleep", "20"])
        + &cgi_endpoint(
            "/read",
            &guest("spender"),
            &format!("{lines}\nWasmArg read"),
        )
        + &spender("/output", &lines, &["output", "1000000000"])
        + &spender("/list", &lines, &["list", "/d/many"])
        + &spender("/copy", &lines, &["copy", "/d/large"])
        + &spender("/rewrite", &lines, &["rewrite", "/d/rewritten"])
        + &spender("/look", &lines, &["look", "/d/large"]);
    let server = site.start(conf);
    let mut waiting = vec![
        server
            .request("POST", "/read")
            .header("Content-Length", "100")
            .open(),
        server.request("GET", "/output").open(),
    ];
    for path in ["/compute", "/sleep", "/list", "/copy", "/rewrite", "/look"] {
        server.get(path).expect(504);
    }
    let lines = || server.log_with("WASM0051");
    wait_until("all runs have ended", Duration::from_secs(30), || {
        lines().len() == 8
    });
    server.expect_log("WASM0051");
    drop(waiting.drain(..));
    for line in lines() {
        let (limit, measured) = seconds(&line.message);
        assert!(limit == 0.5 && (0.5..3.0).contains(&measured), "{line:?}");
    }
    for (path, doing) in [
        ("/compute", "; computing"),
        ("/sleep", "; sleeping in poll_oneoff"),
        ("/read", "; reading the body of the request in fd_read"),
        (
            "/output",
            "; writing to the client in fd_write; the response had begun and is cut off",
        ),
        ("/copy", "; working in fd_pread"),
    ] {
        let told = lines().iter().any(|line| line.message.ends_with(doing));
        assert!(told, "{path}: {:?}", lines());
    }
}

#[test]
fn output_has_a_limit() {
    let conf = spender("/fits", "WasmOutputLimit 100K", &["output", "102400"])
        + &spender("/over", "WasmOutputLimit 10K", &["output", "10241"])
        + &spender("/begun", "WasmOutputLimit 1M", &["output", "2000000"])
        + &spender("/off", "WasmOutputLimit Off", &["output", "2000000"]);
    let server = Site::new().start(conf);
    assert_eq!(server.get("/fits").expect(200).body().len(), 102_400);
    assert_eq!(server.get("/off").expect(200).body().len(), 2_000_000);
    server.get("/over").expect(500);
    assert!(!server.get("/begun").complete);
    let lines = server.expect_logs("WASM0091", 2);
    assert!(
        lines[0]
            .message
            .contains("more output than WasmOutputLimit (10240 bytes): 10241 bytes"),
        "{lines:?}"
    );
    assert!(lines[1].message.ends_with("is cut off"), "{lines:?}");
}

/// An empty line takes as much room in the log as any other prefix: a million of them would fill 100 MB.
#[test]
fn standard_error_fills_no_more_of_the_log_than_its_limit() {
    for word in ["complain", "newlines"] {
        let server = Site::new().start(spender("/x", "", &[word, "3000000"]));
        let text = server.get("/x").expect(200).text();
        assert_eq!(text, "complained 3000000: Success\n", "the program goes on");
        let line = line(&server, "WASM0092");
        assert!(
            line.contains("WasmErrorLogLimit (1048576 bytes): "),
            "{line}"
        );
        server.allow_log("WASM0070");
        let size = fs::metadata(server.path("logs/error.log"))
            .expect("a log")
            .len();
        assert!((500_000..3_000_000).contains(&size), "{size} bytes of log");
    }
}

#[test]
fn standard_error_can_be_unlimited() {
    let server = Site::new().start(spender(
        "/x",
        "WasmErrorLogLimit Off",
        &["complain", "1300000"],
    ));
    server.get("/x").expect(200);
    server.allow_log("WASM0070");
    assert!(server.log_with("WASM0092").is_empty());
    let size = fs::metadata(server.path("logs/error.log"))
        .expect("a log")
        .len();
    assert!(size > 1_300_000, "{size} bytes of log");
}

#[test]
fn writing_into_directories_has_a_limit() {
    let site = Site::new();
    let lines = format!(
        "WasmWriteLimit 1M\nWasmMapDir /d {}",
        site.writable_dir("data")
    );
    let conf = [
        ("/fill", ["fill", "/d/filled", "3000000"]),
        ("/enlarge", ["enlarge", "/d/enlarged", "1048577"]),
        ("/fits", ["enlarge", "/d/fits", "1000000"]),
        ("/allocate", ["allocate", "/d/allocated", "1048577"]),
        ("/litter", ["litter", "/d", "1000"]),
        ("/rewrite", ["rewrite", "/d/rewritten", ""]),
    ]
    .map(|(path, words)| {
        spender(
            path,
            &lines,
            &words[..if words[2].is_empty() { 2 } else { 3 }],
        )
    })
    .concat();
    let server = site.start(conf);
    let full = "No space left on device\n";
    for (path, answer) in [
        // An entry counts 4,096 bytes, and the last write came to the limit.
        ("/fill", "filled 1044480: ".to_owned() + full),
        ("/enlarge", "enlarged -1: ".to_owned() + full),
        ("/fits", "enlarged 0: Success\n".to_owned()),
        ("/allocate", "allocated -1: ".to_owned() + full),
        ("/litter", "littered 256: ".to_owned() + full),
        ("/rewrite", "rewritten 0: ".to_owned() + full),
    ] {
        assert_eq!(server.get(path).expect(200).text(), answer, "{path}");
    }
    let size = |name: &str| fs::metadata(server.path(name)).expect("a file").len();
    assert_eq!(size("data/filled"), 1_044_480);
    assert_eq!(size("data/enlarged"), 0);
    let told = server.expect_logs("WASM0093", 5);
    assert!(
        told[0].message.contains("WasmWriteLimit (1048576 bytes): "),
        "{told:?}"
    );
}

#[test]
fn by_default_writing_has_no_limit() {
    let site = Site::new();
    let lines = format!("WasmMapDir /d {}", site.writable_dir("data"));
    let server = site.start(spender("/x", &lines, &["fill", "/d/filled", "20000000"]));
    let text = server.get("/x").expect(200).text();
    assert!(text.starts_with("filled 200"), "{text}");
}

#[test]
fn a_program_that_opens_too_much_is_told_of_at_info() {
    let site = Site::new();
    site.file("data/file", "x");
    let lines = format!("WasmFileLimit 20\nWasmMapDir /d {}", site.path("data"));
    let words = "\nWasmArg hoard\nWasmArg /d/file";
    let server = site.start(endpoint("/x", &guest("plain_probe"), &(lines + words)));
    assert_eq!(server.get("/x").expect(200).text(), "hoarded 16\n");
    let line = line(&server, "WASM0095");
    assert!(line.contains("WasmFileLimit (20): 21"), "{line}");
}

#[test]
fn a_run_that_fails_says_which_limits_it_met_before() {
    let site = Site::new();
    let lines = format!(
        "WasmWriteLimit 1M\nWasmTimeout 500ms\nWasmMapDir /d {}",
        site.writable_dir("data")
    );
    let server = site.start(spender("/x", &lines, &["full-and-sleep", "/d/file"]));
    let response = server.get("/x");
    assert!(!response.complete, "it was cut off");
    let line = line(&server, "WASM0051");
    assert!(
        line.contains("; before, the program was kept from writing more"),
        "{line}"
    );
}

#[test]
fn values_that_are_no_limits_are_refused() {
    for (directive, value, reason) in [
        ("WasmCPULimit", "0", "longer than 0"),
        ("WasmCPULimit", "Off", "number of seconds"),
        ("WasmOutputLimit", "0", "Off or a number of bytes above 0"),
        ("WasmOutputLimit", "-1", "Off or a number of bytes above 0"),
        (
            "WasmErrorLogLimit",
            "many",
            "Off or a number of bytes above 0",
        ),
        ("WasmWriteLimit", "1T", "Off or a number of bytes above 0"),
    ] {
        let conf = spender("/x", &format!("{directive} {value}"), &["compute"]);
        Site::new().refused(conf).names(directive, &[reason]);
    }
}
