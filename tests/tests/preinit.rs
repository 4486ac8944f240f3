//! `WasmPreinit`: a program that is started once. What is frozen, what is fresh, and where sections say so.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use mod_wasm_tests::{Mpm, Response, Server, Site, endpoint, guest};

/// The probe at `/x`, with these lines in its section.
fn probe(lines: &str) -> String {
    endpoint("/x", &guest("preinit_probe"), lines)
}

/// A server with the probe at `/x` and a folder `data`, mounted at `/data`; `FOLDER` stands for its path.
fn serve(lines: &str) -> Server {
    let site = Site::new();
    let folder = site.writable_dir("data");
    site.file("data/file", "content");
    let lines = format!("WasmMapDir /data FOLDER\n{lines}").replace("FOLDER", &folder);
    site.start(probe(&lines))
}

/// What the probe says of one thing.
fn told(answer: Response, what: &str) -> String {
    let text = answer.expect(200).text();
    let line = text.lines().find_map(|line| line.strip_prefix(what));
    let line = line.unwrap_or_else(|| panic!("{what:?} is not told: {text}"));
    line.trim().to_owned()
}

/// How often the probe was initialised before the run: once, when it began with a snapshot.
fn initialised(server: &Server, target: &str) -> String {
    let runs = told(server.get(target), "runs ");
    let once = runs.strip_prefix("1 constructors 1 initialised ");
    once.unwrap_or_else(|| panic!("{runs}")).to_owned()
}

#[test]
fn a_program_is_started_once_where_it_allows_that_unless_it_is_off() {
    let wasm = guest("preinit_probe");
    let conf = endpoint("/default", &wasm, "")
        + &endpoint("/auto", &wasm, "WasmPreinit Auto")
        + &endpoint("/on", &wasm, "WasmPreinit on")
        + &endpoint("/off", &wasm, "WasmPreinit Off")
        + &endpoint("/other", &guest("plain_probe"), "WasmPreinit Auto");
    let server = Site::new().start(conf);
    for (target, times) in [
        ("/default", "1"),
        ("/auto", "1"),
        ("/on", "1"),
        ("/off", "0"),
    ] {
        // The second request finds nothing of the first.
        for _ in 0..2 {
            assert_eq!(initialised(&server, target), times, "{target}");
        }
    }
    server.get("/other").expect(200);
}

#[test]
fn what_was_prepared_is_there_and_was_prepared_by_the_variables_for_it() {
    let server = serve("WasmPreinitEnv INIT read:/data/file\nWasmPreinitEnv OTHER x");
    for _ in 0..2 {
        assert_eq!(told(server.get("/x"), "frozen "), "content");
    }
}

#[test]
fn environment_arguments_and_input_are_those_of_the_run() {
    let lines = "WasmPreinitEnv INIT variable:BOTH\nWasmPreinitEnv BOTH before\nWasmPreinitEnv ONCE x\n\
                 WasmEnv BOTH now\nWasmEnv EACH y\nWasmArg one\nWasmArg two";
    let server = Site::new().start(probe(lines));
    let text = server.get("/x").expect(200).text();
    assert!(text.contains("\nfrozen before\n"), "{text}");
    let fresh = text.lines().filter(|line| {
        line.starts_with("argv") || line.starts_with("env") || line.starts_with("stdin")
    });
    let expected =
        "argv[0]=preinit_probe.wasm argv[1]=one argv[2]=two env BOTH=now env EACH=y stdin 0";
    assert_eq!(fresh.collect::<Vec<_>>().join(" "), expected);
}

#[test]
fn a_cgi_program_reads_the_request_that_it_runs_for() {
    let server = Site::new().start(probe("WasmEnableCGI On"));
    for query in ["a", "b"] {
        let request = server.request("POST", &format!("/x?{query}"));
        let text = request.body("z").send().expect(200).text();
        let variable = format!("\nenv QUERY_STRING={query}\n");
        assert!(
            text.contains(&variable) && text.contains("\nstdin 1\n"),
            "{text}"
        );
    }
}

#[test]
fn an_initialiser_has_no_input_and_no_variable_of_a_run() {
    let wasm = guest("preinit_probe");
    let conf = endpoint(
        "/input",
        &wasm,
        "WasmEnableCGI On\nWasmPreinitEnv INIT input",
    ) + &endpoint(
        "/variable",
        &wasm,
        "WasmEnv SECRET x\nWasmPreinitEnv INIT variable:SECRET",
    );
    let server = Site::new().start(conf);
    let answer = server.request("POST", "/input").body("z").send();
    assert_eq!(told(answer, "frozen "), "input 0");
    assert_eq!(told(server.get("/variable"), "frozen "), "unset");
}

#[test]
fn a_directory_is_read_only_before_and_what_it_is_in_a_run() {
    let server =
        serve("WasmPreinitEnv INIT make:/data/made\nWasmArg put\nWasmArg /data/new\nWasmArg text");
    let answer = server.get("/x").expect(200);
    assert_eq!(told(answer, "frozen "), "Operation not permitted");
    assert!(!Path::new(&server.path("data/made")).exists());
    assert_eq!(told(server.get("/x"), "put: "), "written");
    assert_eq!(
        fs::read_to_string(server.path("data/new")).expect("it was written"),
        "text"
    );
}

#[test]
fn directories_have_the_same_numbers_before_and_in_a_run() {
    let site = Site::new();
    for name in ["one", "two"] {
        site.file(&format!("{name}/file"), format!("in {name}"));
    }
    let lines = format!(
        "WasmTmpDir /tmp\nWasmMapDir /one {} ro\nWasmMapDir /two {}\n\
         WasmPreinitEnv INIT read:/two/file\nWasmArg cat\n<If \"%{{QUERY_STRING}} == 'one'\">\nWasmArg cat\nWasmArg /one/file\n</If>\n\
         <If \"%{{QUERY_STRING}} == 'two'\">\nWasmArg cat\nWasmArg /two/file\n</If>\n\
         <If \"%{{QUERY_STRING}} == 'tmp'\">\nWasmArg put\nWasmArg /tmp/new\nWasmArg text\n</If>",
        site.path("one"),
        site.path("two")
    );
    let server = site.start(probe(&lines));
    assert_eq!(told(server.get("/x"), "frozen "), "in two");
    assert_eq!(told(server.get("/x?one"), "cat: "), "in one");
    assert_eq!(told(server.get("/x?two"), "cat: "), "in two");
    assert_eq!(told(server.get("/x?tmp"), "put: "), "written");
    assert_eq!(initialised(&server, "/x?tmp"), "1");
}

#[test]
fn a_scratch_directory_is_not_there_before() {
    let lines = "WasmTmpDir /tmp\nWasmPreinitEnv INIT make:/tmp/x\nWasmArg put\nWasmArg /tmp/new\nWasmArg text";
    let server = Site::new().start(probe(lines));
    for _ in 0..2 {
        let answer = server.get("/x").expect(200);
        assert_eq!(told(answer, "frozen "), "Not supported");
        assert_eq!(told(server.get("/x"), "put: "), "written");
    }
}

#[test]
fn clocks_go_on() {
    let server = serve("");
    let seconds = || -> u64 {
        told(server.get("/x"), "seconds ")
            .parse()
            .expect("a number")
    };
    let before = seconds();
    assert_eq!(told(server.get("/x"), "clock "), "goes on");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(seconds() > before, "the time of day is frozen");
}

/// Takes a few random values, and asserts that each is new.
#[track_caller]
fn collect(tokens: &mut BTreeSet<String>, server: &Server) {
    for _ in 0..4 {
        let token = told(server.get("/x"), "token ");
        assert_eq!(token.len(), 16);
        assert!(tokens.insert(token), "a value came twice");
    }
}

#[test]
fn no_two_requests_children_or_restarts_share_a_random_value() {
    let cache = mod_wasm_tests::new_cache();
    let mut tokens = BTreeSet::new();
    let start = || {
        Site::new()
            .httpd(probe(""))
            .cache(cache.path())
            .mpm(Mpm::Prefork)
            .start()
    };
    let server = start();
    assert!(server.children().len() > 1);
    collect(&mut tokens, &server);
    server.graceful_by_signal();
    collect(&mut tokens, &server);
    server.restart();
    collect(&mut tokens, &server);
    let frozen = told(server.get("/x"), "frozen-token ");
    drop(server);
    let again = start();
    assert_eq!(
        told(again.get("/x"), "frozen-token "),
        frozen,
        "it is the same snapshot"
    );
    collect(&mut tokens, &again);
    assert!(!tokens.contains(&frozen));
}

#[test]
fn a_guest_that_looks_at_every_word_finds_nothing_of_its_predecessor() {
    let server = Site::new().httpd(endpoint("/x", &guest("preinit_spotless"), "WasmPreinit On"));
    let server = server.threads(1).start();
    for _ in 0..5 {
        assert_eq!(server.get("/x").expect(200).text(), "clean\n");
    }
}

#[test]
fn the_older_names_are_known() {
    let wasm = guest("preinit_old_names");
    let conf =
        endpoint("/x", &wasm, "WasmPreinit On") + &endpoint("/off", &wasm, "WasmPreinit Off");
    let server = Site::new().start(conf);
    assert_eq!(server.get("/x").expect(200).text(), "old frozen\n");
    assert_eq!(server.get("/off").expect(200).text(), "cold start\n");
}

#[test]
fn without_a_function_to_resume_a_run_starts_as_ever() {
    let wasm = guest("preinit_start");
    let conf = endpoint("/x", &wasm, "") + &endpoint("/off", &wasm, "WasmPreinit Off");
    let server = Site::new().start(conf);
    assert_eq!(server.get("/x").expect(200).text(), "started warm\n");
    assert_eq!(server.get("/off").expect(200).text(), "started cold\n");
}

#[test]
fn an_entry_point_that_is_asked_for_begins_with_the_snapshot_too() {
    let server = Site::new().start(probe("WasmEntryPoint other"));
    assert_eq!(
        server.get("/x").expect(200).text(),
        "other, initialised 1\n"
    );
    let server = Site::new().start(probe("WasmEntryPoint other\nWasmPreinit Off"));
    assert_eq!(
        server.get("/x").expect(200).text(),
        "other, initialised 0\n"
    );
}

#[test]
fn a_reactor_is_initialised_before_its_snapshot_and_not_again() {
    let lines = "WasmEntryPoint hello\nWasmPreinit On";
    let server = Site::new().start(endpoint("/x", &guest("preinit_reactor"), lines));
    for _ in 0..2 {
        let text = server.get("/x").expect(200).text();
        assert_eq!(
            text,
            "constructors 1, of which before it was initialised 1\n"
        );
    }
}

/// A server with the probe in a `<Location /x>` with these lines, and lines around it.
fn within(before: &str, lines: &str, after: &str) -> Server {
    let site = Site::new();
    site.file("htdocs/x", "");
    site.file("data/file", "content");
    let folder = site.path("data");
    let conf = format!("{before}\n{}{after}", probe(lines));
    site.start(conf.replace("FOLDER", &folder))
}

#[test]
fn it_can_be_said_in_every_scope() {
    for (before, after) in [
        ("WasmPreinit Off", ""),
        ("<Location />\nWasmPreinit Off\n</Location>", ""),
        ("<Directory />\nWasmPreinit Off\n</Directory>", ""),
        ("", "<LocationMatch x>\nWasmPreinit Off\n</LocationMatch>"),
        ("", "<If true>\nWasmPreinit Off\n</If>"),
        ("<Files x>\nWasmPreinit Off\n</Files>", ""),
    ] {
        let server = within(before, "", after);
        assert_eq!(initialised(&server, "/x"), "0", "{before}{after}");
    }
    for before in [
        "WasmPreinit Off",
        "<Location />\nWasmPreinit Off\n</Location>",
        "<Directory />\nWasmPreinit Off\n</Directory>",
    ] {
        let server = within(before, "WasmPreinit On", "");
        assert_eq!(initialised(&server, "/x"), "1", "{before}");
    }
}

#[test]
fn what_the_whole_server_says_is_given_to_all_its_sections() {
    let before = "WasmPreinitEnv INIT read:/data/file\nWasmMapDir /data FOLDER ro\nWasmTmpDir /tmp\n\
                  WasmPreinitTimeout 30s\nWasmPreinit On";
    let server = within(before, "", "");
    assert_eq!(told(server.get("/x"), "frozen "), "content");
    let site = Site::new();
    let host = format!(
        "<VirtualHost *:*>\nServerName 127.0.0.1\nWasmPreinitEnv INIT variable:OF_HOST\nWasmPreinitEnv OF_HOST seen\n{}</VirtualHost>",
        probe("")
    );
    let server = site.start(format!("WasmPreinitEnv OF_HOST hidden\n{host}"));
    assert_eq!(told(server.get("/x"), "frozen "), "seen");
}

#[test]
fn where_sections_add_to_what_was_seen_it_runs_without_and_that_is_said_once() {
    for more in [
        "WasmMapDir /more FOLDER ro",
        "WasmMapDir /data /tmp ro",
        "WasmPreinitEnv MORE x",
        "WasmTmpDir /tmp",
    ] {
        let after = format!("<Location /x/more>\n{more}\n</Location>");
        let server = within("", "WasmMapDir /data FOLDER ro", &after);
        for _ in 0..3 {
            assert_eq!(initialised(&server, "/x/more"), "0", "{more}");
            assert_eq!(initialised(&server, "/x"), "1");
        }
        let lines = server.expect_log("WASM0069");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].level, "notice");
        assert!(
            lines[0].message.contains("preinit_probe.wasm") && lines[0].message.contains("/x/more"),
            "{lines:?}"
        );
    }
}

#[test]
fn where_sections_add_anything_else_the_snapshot_stays() {
    let after = "<Location /x/more>\nWasmArg a\nWasmEnv B c\nWasmTimeout 5\nWasmMapDir /data FOLDER ro\n</Location>";
    let server = within("", "WasmMapDir /data FOLDER ro", after);
    assert_eq!(initialised(&server, "/x/more"), "1");
    assert_eq!(told(server.get("/x/more"), "argv[1]="), "a");
}

#[test]
fn a_link_in_a_directory_does_not_lead_out_of_it() {
    let site = Site::new();
    let folder = site.writable_dir("data");
    let secret = site.file("secret", "secret");
    symlink(&secret, format!("{folder}/absolute")).expect("the folder is ours");
    symlink("../secret", format!("{folder}/relative")).expect("the folder is ours");
    let wasm = guest("preinit_probe");
    let conf: String = ["absolute", "relative"]
        .map(|name| {
            let lines = format!("WasmMapDir /data {folder}\nWasmPreinitEnv INIT read:/data/{name}");
            endpoint(&format!("/{name}"), &wasm, &lines)
        })
        .concat();
    let server = site.start(conf);
    for target in ["/absolute", "/relative"] {
        assert_eq!(
            told(server.get(target), "frozen "),
            "Operation not permitted"
        );
    }
}

#[test]
fn a_cache_that_cannot_be_written_costs_time_only() {
    // Not even root can make a file there.
    let server = Site::new().httpd(probe("")).cache("/sys/kernel").start();
    assert_eq!(initialised(&server, "/x"), "1");
    server.graceful_by_signal();
    assert_eq!(initialised(&server, "/x"), "1");
    assert!(
        server.log_with("WASM0025").is_empty(),
        "what was taken is kept"
    );
    server.expect_log("WASM0022");
}

#[test]
fn an_ordinary_user_has_snapshots_too() {
    let site = Site::new();
    let program = fs::read(guest("preinit_probe")).expect("the guest is readable");
    let wasm = site.file("probe.wasm", program);
    let server = site.httpd(endpoint("/x", &wasm, "")).unprivileged().start();
    assert_eq!(initialised(&server, "/x"), "1");
}
