//! `httpd -t -D DUMP_WASM`: what the module prints of a configuration.

use std::process::Command;

use mod_wasm_tests::{Server, Site, artifacts, endpoint, guest, new_cache, printed, program};

fn apache2(server: &Server) -> Command {
    let mut command = Command::new(program("apache2", "apache2"));
    command.args(["-t", "-D", "DUMP_WASM", "-f", &server.path("httpd.conf")]);
    command
}

/// What is printed on standard output.
fn dump(server: &Server) -> String {
    printed(&mut apache2(server))
}

/// The lines of the block that begins so, without their indentation.
#[track_caller]
fn block<'a>(dump: &'a str, beginning: &str) -> Vec<&'a str> {
    let mut lines = dump.lines().skip_while(|line| !line.starts_with(beginning));
    lines
        .next()
        .unwrap_or_else(|| panic!("no {beginning} in:\n{dump}"));
    let block = lines.take_while(|line| line.starts_with(' '));
    block.map(str::trim_start).collect()
}

/// The block of the section that begins on the line of the configuration that begins so.
#[track_caller]
fn section<'a>(server: &Server, dump: &'a str, line: &str) -> Vec<&'a str> {
    let path = server.path("httpd.conf");
    let conf = std::fs::read_to_string(&path).expect("httpd.conf is readable");
    let number = conf.lines().position(|found| found.starts_with(line));
    let number = number.unwrap_or_else(|| panic!("no {line} in:\n{conf}")) + 1;
    block(dump, &format!("Section {path}:{number}"))
}

#[test]
fn programs_are_listed_with_their_code_in_the_cache() {
    let cache = new_cache();
    let hello = guest("hello_wasm");
    let server = Site::new()
        .httpd(endpoint("/x", &hello, ""))
        .cache(cache.path())
        .start();
    let dump_before = dump(&server);
    let digest = printed(Command::new(program("sha256sum", "coreutils")).arg(&hello));
    let digest = digest.split(' ').next().unwrap_or_default();
    let size = std::fs::metadata(&hello).expect("it is there").len();
    let lines = [
        format!("Size {size}"),
        format!("Digest sha256:{digest}"),
        "Code native".to_owned(),
    ];
    assert_eq!(block(&dump_before, &format!("Program {hello}")), lines);
    let cached = artifacts(cache.path());
    let content = std::fs::read(&cached[0]).expect("the cache is readable");
    std::fs::write(&cached[0], &content[..content.len() / 2]).expect("the cache is ours");
    let damaged = dump(&server);
    let code = block(&damaged, "Program ")[2];
    assert!(
        code.starts_with("Code unusable \"") && code.contains("cut short"),
        "{code}"
    );
    assert_eq!(artifacts(cache.path()), cached, "nothing is repaired");
}

#[test]
fn sections_are_listed_with_their_snapshot_in_the_cache() {
    let site = Site::new();
    let cache = site.private_cache();
    site.file("data/file", "content");
    let probe = guest("preinit_probe");
    let mount = format!("WasmMapDir /data {}", site.path("data"));
    let reads = format!("{mount}\nWasmPreinitEnv INIT read:/data/file");
    let conf = endpoint("/reads", &probe, &reads)
        + &endpoint("/off", &probe, "WasmPreinit Off")
        + &endpoint("/plain", &guest("hello_wasm"), "WasmPreinit Auto")
        + "<Location /reads/below>\nWasmArg x\n</Location>\n";
    let server = site.httpd(conf).cache(cache).start();
    let told = |dump: &str, location: &str| {
        let found = section(&server, dump, &format!("<Location {location}>"));
        let lines = found
            .into_iter()
            .filter(|line| line.starts_with("Snapshot"));
        lines.collect::<Vec<_>>().join("; ")
    };
    let before = dump(&server);
    assert_eq!(told(&before, "/reads"), "Snapshot native");
    for without in ["/off", "/plain", "/reads/below"] {
        assert_eq!(told(&before, without), "", "{without}");
    }
    std::fs::write(server.path("data/file"), "something else").expect("the file is ours");
    let files = || {
        std::fs::read_dir(server.path("cache"))
            .expect("it is there")
            .count()
    };
    let cached = files();
    assert_eq!(told(&dump(&server), "/reads"), "Snapshot none");
    assert_eq!(files(), cached, "nothing was made");
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(accepted, "{said}");
    assert_eq!(told(&dump(&server), "/reads"), "Snapshot native");
}

#[test]
fn nothing_is_compiled_made_or_checked() {
    let above = new_cache();
    let missing = above.path().join("cache");
    let site = Site::new();
    let conf =
        endpoint("/x", &guest("hello_wasm"), "") + "<Location /y>\n#WasmModule\n</Location>\n";
    let server = site.start(conf);
    server.replace_in_conf(
        "#WasmModule",
        "WasmModule /no/such.wasm\nWasmMapDir /a /no/such/folder",
    );
    server.replace_in_conf(
        "WasmCacheDir",
        &format!("WasmCacheDir {} \n#", missing.display()),
    );
    let dump = dump(&server);
    assert_eq!(
        block(&dump, &format!("Program {}", guest("hello_wasm")))[2],
        "Code none"
    );
    let problem = block(&dump, "Program /no/such.wasm");
    assert!(
        problem[0].starts_with("Problem \"/no/such.wasm: No such file"),
        "{dump}"
    );
    assert!(section(&server, &dump, "<Location /y>").contains(&"WasmMapDir /a /no/such/folder rw"));
    assert!(!missing.exists());
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(
        !accepted && said.contains("/no/such"),
        "without the define it is checked: {said}"
    );
}

#[test]
fn only_a_test_of_the_configuration_dumps() {
    let cache = new_cache();
    let server = Site::new()
        .httpd(endpoint("/x", &guest("hello_wasm"), ""))
        .cache(cache.path())
        .start();
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(accepted && !said.contains("Section"), "{said}");
    let (_, said) = server.httpd(&["-S", "-D", "DUMP_WASM"]);
    assert!(said.contains("Section"), "{said}");
    // A server that is started with it checks and compiles as ever.
    let (_, said) = server.httpd(&["-D", "DUMP_WASM", "-k", "graceful"]);
    assert!(!said.contains("Section"), "{said}");
}

#[test]
fn every_kind_of_section_is_listed_with_what_it_sets_and_inherits() {
    let hello = guest("hello_wasm");
    let conf = format!(
        "WasmEnv A 1\n<Directory /usr/share>\nWasmTimeout 1.5\n<FilesMatch \"\\.x$\">\nWasmModule {hello}\n</FilesMatch>\n\
         </Directory>\n\
         <IfModule wasm_module>\n<Location \"/a b/\">\nWasmModule {hello}\nWasmArg one\nWasmMapDir /u /usr ro\n\
         <If \"%{{HTTP_HOST}} == 'x'\">\nWasmArg two\nWasmEnv A 2\n</If>\n</Location>\n</IfModule>\n\
         <LocationMatch ^/m>\nWasmEntryPoint other\n</LocationMatch>\n\
         <VirtualHost *:1>\nServerName example.org\nServerAlias www.example.org\nWasmMemoryLimit 64K\n\
         <Location /v>\nWasmModule {hello}\n</Location>\n</VirtualHost>\n"
    );
    let server = Site::new().start(conf);
    let dump = dump(&server);
    let has = |line: &str, expected: &[&str]| {
        let found = section(&server, &dump, line);
        for expected in expected {
            assert!(
                found.contains(expected),
                "{line}: no {expected} in {found:#?}"
            );
        }
        found
    };
    let found = has("WasmEnv A 1", &["WasmEnv A 1", "#WasmTimeout 60"]);
    assert!(
        !found.iter().any(|line| line.starts_with("In ")),
        "{found:?}"
    );
    has(
        "<Directory",
        &[
            "In Directory /usr/share",
            "WasmTimeout 1500ms",
            "#WasmEnv A 1",
        ],
    );
    has(
        "<FilesMatch",
        &[
            "In Directory /usr/share",
            "In FilesMatch \"\\\\.x$\"",
            "#WasmTimeout 1500ms",
        ],
    );
    has(
        "<Location \"/a b/\"",
        &[
            "In Location \"/a b/\"",
            "WasmArg one",
            "WasmMapDir /u /usr ro",
            "#WasmEntryPoint _start",
        ],
    );
    let module = format!("#WasmModule {hello}");
    has(
        "<If ",
        &[
            "In Location \"/a b/\"",
            "In If \"%{HTTP_HOST} == 'x'\"",
            &module,
            "WasmArg two",
            "WasmEnv A 2",
            "#WasmMapDir /u /usr ro",
        ],
    );
    has(
        "<LocationMatch",
        &["In LocationMatch ^/m", "WasmEntryPoint other"],
    );
    has(
        "<Location /v>",
        &[
            "ServerName example.org",
            "ServerAlias www.example.org",
            "In VirtualHost *:1",
            "In Location /v",
            "#WasmMemoryLimit 64K",
            "#WasmEnv A 1",
        ],
    );
}

/// What one puts into a configuration of one's own has the same effect.
#[test]
fn words_are_quoted_where_they_have_to_be() {
    let values = [
        "plain",
        "",
        "two words",
        "quote\"back\\slash",
        "#hash",
        "it's",
        "\u{e9}",
    ];
    let quoted = [
        "plain",
        "\"\"",
        "\"two words\"",
        "\"quote\\\"back\\\\slash\"",
        "\"#hash\"",
        "\"it's\"",
        "\u{e9}",
    ];
    let lines: Vec<String> = quoted
        .iter()
        .map(|word| format!("WasmArg {word}"))
        .collect();
    let server = Site::new().start(endpoint("/x", &guest("plain_probe"), &lines.join("\n")));
    let dumped = dump(&server);
    let found = section(&server, &dumped, "<Location");
    let args = found.into_iter().filter(|line| line.starts_with("WasmArg"));
    assert_eq!(args.collect::<Vec<_>>(), lines);
    let body = server.get("/x").expect(200).text();
    for (index, value) in values.iter().enumerate() {
        assert!(
            body.contains(&format!("argv[{}]={value}\n", index + 1)),
            "{body}"
        );
    }
    server.replace_in_conf("WasmArg plain", "WasmArg \"\x1b[2J\ttab\"");
    assert!(dump(&server).contains("WasmArg \"\\x1b[2J\\x09tab\"\n"));
}

#[test]
fn values_are_those_that_a_configuration_takes() {
    let lines = "WasmTimeout 2min\nWasmCPULimit 1.0005\nWasmMemoryLimit 33555456\nWasmOutputLimit 1000\n\
        WasmErrorLogLimit off\nWasmWriteLimit 3g\nWasmFileLimit 20\nWasmEnableCGI on\nWasmIgnoreClientAbort OFF\n\
        WasmTmpDir /tmp/";
    let server = Site::new().start(endpoint("/x", &guest("hello_wasm"), lines));
    let dump = dump(&server);
    let found = section(&server, &dump, "<Location");
    for line in [
        "WasmTimeout 120",
        "WasmCPULimit 1000.500ms",
        "WasmMemoryLimit 32769K",
        "WasmOutputLimit 1000",
        "WasmErrorLogLimit Off",
        "WasmWriteLimit 3G",
        "WasmFileLimit 20",
        "WasmEnableCGI On",
        "WasmIgnoreClientAbort Off",
        "#WasmAllowSymlinks Off",
        "WasmTmpDir /tmp 64M",
        "#WasmScriptArg \"Off, with a notice in the log\"",
    ] {
        assert!(found.contains(&line), "no {line} in {found:#?}");
    }
    let whole = block(&dump, "mod_wasm ");
    assert!(whole.contains(&"#WasmQueueTimeout 5"), "{whole:?}");
}

#[test]
fn whoever_can_read_the_configuration_can_dump_it() {
    let server = Site::new()
        .httpd(endpoint("/x", &guest("hello_wasm"), ""))
        .unprivileged()
        .start();
    let mut command = Command::new(program("setpriv", "util-linux"));
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    let inner = apache2(&server);
    command.arg(inner.get_program()).args(inner.get_args());
    let dump = printed(&mut command);
    assert!(
        section(&server, &dump, "<Location").contains(&"In Location /x"),
        "{dump}"
    );
}
