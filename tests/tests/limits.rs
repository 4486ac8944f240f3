//! Limits that are built in, and machines that give httpd little.

use mod_wasm_tests::{Site, endpoint, guest};

#[test]
fn tables_do_not_grow_without_bounds() {
    let server = Site::new().start(endpoint("/x", &guest("grow_table"), ""));
    assert_eq!(server.get("/x").expect(200).text(), "refused\n");
}

#[test]
fn open_files_are_bounded_and_closed_after_the_run() {
    let site = Site::new();
    site.file("data/file.txt", "content");
    let lines = format!(
        "WasmMapDir /d {}\nWasmArg hoard\nWasmArg /d/file.txt",
        site.path("data")
    );
    let server = site.start(
        endpoint("/x", &guest("plain_probe"), &lines)
            + &endpoint("/hello", &guest("hello_wasm"), ""),
    );
    let descriptors = || {
        std::fs::read_dir(format!("/proc/{}/fd", server.child()))
            .expect("/proc is readable")
            .count()
    };
    server.get("/hello").expect(200);
    let before = descriptors();
    for _ in 0..3 {
        // Three standard streams and a mount are open already.
        assert_eq!(server.get("/x").expect(200).text(), "hoarded 252\n");
    }
    server.get("/hello").expect(200);
    assert!(
        descriptors() < before + 20,
        "{before} descriptors before, {} after",
        descriptors()
    );
    server.allow_log("WASM0050");
}

#[test]
fn thread_stacks_that_are_too_small_are_refused() {
    let conf = "ThreadStackSize 262144\n".to_owned() + &endpoint("/x", &guest("hello_wasm"), "");
    Site::new()
        .refused(conf)
        .names("ThreadStackSize", &["WASM0008"]);
}

#[test]
fn large_enough_thread_stacks_survive_an_endless_recursion() {
    let conf = "ThreadStackSize 4194304\n".to_owned()
        + &endpoint("/deep", &guest("trap_stack_overflow"), "")
        + &endpoint("/hello", &guest("hello_wasm"), "");
    let server = Site::new().start(conf);
    let child = server.child();
    server.get("/deep").expect(500);
    server.get("/hello").expect(200);
    assert_eq!(server.child(), child);
    server.expect_log("WASM0050");
}

#[test]
fn little_address_space_costs_speed_only() {
    let conf = endpoint("/hello", &guest("hello_wasm"), "")
        + &endpoint("/trap", &guest("trap_out_of_bounds"), "");
    // Enough for a few instances, too little for a pool of twelve times 4 GiB.
    let server = Site::new().httpd(conf).address_space(40 << 30).start();
    for _ in 0..3 {
        server.get("/hello").expect(200);
        server.get("/trap").expect(500);
    }
    server.expect_logs("WASM0032", 1);
    server.expect_log("WASM0050");
}

/// An endpoint that opens as many files as it can, and one that keeps them open for five seconds.
fn hoarders(site: &Site, lines: &str) -> String {
    site.file("data/file.txt", "content");
    let mount = format!("WasmMapDir /d {}\n{lines}\n", site.path("data"));
    let hoard = |word: &str| format!("{mount}WasmArg {word}\nWasmArg /d/file.txt");
    endpoint("/x", &guest("plain_probe"), &hoard("hoard"))
        + &endpoint("/keep", &guest("plain_probe"), &hoard("keep"))
}

#[test]
fn a_section_has_its_own_limit_of_open_files() {
    let site = Site::new();
    let conf = hoarders(&site, "WasmFileLimit 100");
    let server = site.start(conf);
    assert_eq!(server.get("/x").expect(200).text(), "hoarded 96\n");
}

#[test]
fn a_limit_of_open_files_for_the_whole_server_can_be_higher_than_the_default() {
    let site = Site::new();
    let conf = hoarders(&site, "") + "WasmFileLimit 400\n";
    let server = site.start(conf);
    assert_eq!(server.get("/x").expect(200).text(), "hoarded 396\n");
}

#[test]
fn programs_leave_httpd_the_descriptors_that_it_needs() {
    let site = Site::new();
    let conf = hoarders(&site, "") + "WasmMaxInstances 4\n";
    site.file("htdocs/static.txt", "static");
    let server = site.httpd(conf).open_files(320).threads(8).start();
    let told = server.expect_log("WASM0033");
    assert!(told[0].message.contains("ulimit -n"), "{told:?}");
    // Four at a time have all that programs can have.
    let keepers: Vec<_> = (0..4)
        .map(|_| server.request("GET", "/keep").open())
        .collect();
    for _ in 0..20 {
        assert_eq!(server.get("/static.txt").expect(200).text(), "static");
    }
    for keeper in keepers {
        let text = keeper.finish().expect(200).text();
        let number: usize = text
            .trim_start_matches("hoarded ")
            .trim()
            .parse()
            .expect("a number");
        assert!((4..256).contains(&number), "{text}");
    }
}
