//! What a child is when it begins to serve: its environment, and what it can see and be seen by.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};

use mod_wasm_tests::{Mpm, Server, Site, endpoint, guest, page_faults};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, geteuid, pidfd_getfd, pidfd_open};

fn a_child(server: &Server) -> u32 {
    *server.children().last().expect("httpd has a child")
}

#[test]
fn no_child_makes_backtraces_of_errors() {
    // httpd evaluates this for each response, in the child.
    let conf = "Header always set X-Variables \"expr=[%{osenv:RUST_BACKTRACE}][%{osenv:RUST_LIB_BACKTRACE}]\
                [%{osenv:WASMTIME_BACKTRACE_DETAILS}]\"\n"
        .to_owned();
    for mpm in [Mpm::Event, Mpm::Prefork] {
        let server = Site::new()
            .httpd(conf.clone() + &endpoint("/x", &guest("hello_wasm"), ""))
            .modules(&["headers"])
            .mpm(mpm)
            .environment(&[
                "RUST_BACKTRACE=1",
                "RUST_LIB_BACKTRACE=1",
                "WASMTIME_BACKTRACE_DETAILS=1",
            ])
            .start();
        let variables = || {
            let answer = server.get("/x").expect(200);
            answer.header("X-Variables").unwrap_or("none").to_owned()
        };
        assert_eq!(variables(), "[][][1]", "{mpm:?}");
        server.graceful();
        assert_eq!(variables(), "[][][1]", "{mpm:?}, after a restart");
    }
}

#[test]
fn a_child_keeps_the_pages_that_its_programs_wrote_to() {
    let pages = 3 << 20 >> 12;
    let conf = endpoint("/x", &guest("write_5m"), "WasmArg 3072");
    let server = Site::new().start(conf);
    let old = server.log_with("WASM0034");
    assert!(old.is_empty(), "this test takes Linux 6.7: {old:?}");
    let ask = |times| (0..times).for_each(|_| drop(server.get("/x").expect(200)));
    ask(10);
    let before = page_faults(server.child());
    ask(50);
    let each = (page_faults(server.child()) - before) / 50;
    assert!(each < pages / 10, "{each} page faults for {pages} pages");
}

#[test]
fn a_child_can_be_looked_into_by_whoever_started_httpd_and_by_nobody_else() {
    let conf = endpoint("/x", &guest("hello_wasm"), "");
    for mpm in [Mpm::Event, Mpm::Prefork] {
        let server = Site::new().httpd(conf.clone()).mpm(mpm).start();
        server.get("/x").expect(200);
        // These are the user's own as long as the user's other processes may trace this one.
        let memory = fs::metadata(format!("/proc/{}/mem", a_child(&server)));
        let owner = memory.expect("the child lives").uid();
        assert_eq!(owner, geteuid().as_raw(), "{mpm:?}");
    }
}

/// What the record of written pages, as the child has it open, says about the page at the child's first address.
fn page_as_the_child_sees_it(child: u32) -> u64 {
    let folder = format!("/proc/{child}/fd");
    let open = fs::read_dir(&folder).expect("the child lives");
    let number = open
        .flatten()
        .find(|entry| fs::read_link(entry.path()).is_ok_and(|to| to.ends_with("pagemap")))
        .and_then(|entry| entry.file_name().to_str()?.parse().ok());
    let number = number.expect("the child has the record open");
    let pid = Pid::from_raw(child.cast_signed()).expect("a pid");
    let process = pidfd_open(pid, PidfdFlags::empty()).expect("the child lives");
    let record = pidfd_getfd(process, number, PidfdGetfdFlags::empty());
    let record = File::from(record.expect("root may have a child's descriptors"));
    entry(child, &record)
}

fn entry(child: u32, record: &File) -> u64 {
    let maps = fs::read_to_string(format!("/proc/{child}/maps")).expect("the child lives");
    let (address, _) = maps.split_once('-').expect("a range");
    let address = u64::from_str_radix(address, 16).expect("an address");
    let mut entry = [0; 8];
    let read = record.read_exact_at(&mut entry, address / 4096 * 8);
    read.expect("the record is readable");
    u64::from_ne_bytes(entry)
}

#[test]
fn a_child_does_not_learn_where_its_pages_lie_in_the_machine() {
    const PRESENT: u64 = 1 << 63;
    const FRAME: u64 = (1 << 55) - 1;
    // The kernel tells nobody but root.
    if !geteuid().is_root() {
        return;
    }
    let server = Site::new().start(endpoint("/x", &guest("hello_wasm"), ""));
    server.get("/x").expect(200);
    let child = server.child();
    let seen = page_as_the_child_sees_it(child);
    assert!(seen & PRESENT != 0, "{seen:x}");
    assert_eq!(seen & FRAME, 0, "{seen:x}");
}

#[test]
fn a_child_without_the_record_of_written_pages_says_so() {
    let conf = endpoint("/x", &guest("hello_wasm"), "");
    let server = Site::new()
        .httpd(conf)
        .mounting("mount -t tmpfs none /proc")
        .start();
    server.get("/x").expect(200);
    let lines = server.expect_log("WASM0032");
    assert!(
        lines.len() == 1 && lines[0].message.contains("/proc/self/pagemap"),
        "{lines:?}"
    );
}
