//! `wasm-run --section`: a command with the settings that a section of httpd's configuration has.

use std::fs;
use std::process::{Command, Stdio};

use mod_wasm_tests::command::{fails, stderr};
use mod_wasm_tests::{Server, Site, endpoint, guest, module, printed, program};

fn section(server: &Server, path: &str) -> Command {
    let mut command = Command::new(module("wasm-run"));
    command
        .stdin(Stdio::null())
        .args(["--section", path, "--httpd"]);
    command.arg(program("apache2", "apache2"));
    command.args(["--config", &server.path("httpd.conf")]);
    command
}

fn told(server: &Server, path: &str, arguments: &[&str]) -> String {
    printed(section(server, path).args(arguments))
}

#[track_caller]
fn refused(command: &mut Command, causes: &[&str]) {
    let said = stderr(&fails(125, command, causes));
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn module_arguments_and_variables_are_those_of_the_location() {
    let conf = endpoint(
        "\"/a b\"",
        &guest("plain_probe"),
        "WasmArg \"one \\\" \\\\ two\"\nWasmArg \"\"\nWasmEnv NAME \"a  value\"\nWasmTimeout 1ms\nWasmOutputLimit 1",
    );
    let server = Site::new().start(conf);
    assert_eq!(
        told(&server, "/a b", &[]),
        "argv[0]=plain_probe.wasm\nargv[1]=one \" \\ two\nargv[2]=\nenv NAME=a  value\nstdin 0\n"
    );
    let mut command = section(&server, "/a b/below");
    command.args(["--env", "NAME=mine", "--env", "MORE=1", "--", "-h"]);
    assert_eq!(
        printed(&mut command),
        "argv[0]=plain_probe.wasm\nargv[1]=one \" \\ two\nargv[2]=\nargv[3]=-h\nenv NAME=mine\nenv MORE=1\nstdin 0\n"
    );
}

#[test]
fn mounts_and_limits_are_those_of_the_location() {
    let site = Site::new();
    let data = site.writable_dir("data");
    site.writable_file("data/file.txt", "content");
    let probe = guest("plain_probe");
    let conf = endpoint("/ro", &probe, &format!("WasmMapDir /data {data} ro"))
        + &endpoint("/rw", &probe, &format!("WasmMapDir /data {data}"))
        + &endpoint("/own", &probe, &format!("WasmDir {data}"))
        + &endpoint("/small", &probe, "WasmMemoryLimit 16M")
        + &endpoint(
            "/few",
            &probe,
            &format!("WasmFileLimit 20\nWasmMapDir /data {data}"),
        )
        + &endpoint(
            "/write",
            &guest("spender"),
            &format!("WasmWriteLimit 64K\nWasmMapDir /data {data}"),
        );
    let server = site.start(conf);
    assert_eq!(told(&server, "/ro", &["cat", "/data/file.txt"]), "content");
    assert!(told(&server, "/ro", &["put", "/data/new", "x"]).starts_with("cannot create"));
    assert_eq!(
        told(&server, "/rw", &["put", "/data/new", "x"]),
        "written\n"
    );
    assert_eq!(
        told(&server, "/own", &["cat", &format!("{data}/file.txt")]),
        "content"
    );
    assert!(told(&server, "/small", &["grow", "20"]).starts_with("no memory"));
    let mut more = section(&server, "/small");
    assert_eq!(
        printed(more.args(["--memory", "64M", "grow", "20"])),
        "grew by 20 MiB\n"
    );
    assert_eq!(
        told(&server, "/few", &["hoard", "/data/file.txt"]),
        "hoarded 16\n"
    );
    assert!(told(&server, "/write", &["fill", "/data/big", "1000000"]).contains("No space left"));
}

#[test]
fn sections_merge_as_they_do_for_a_request() {
    let probe = guest("plain_probe");
    let conf = format!(
        "WasmEnv A server\nWasmEnv B server\nWasmArg server\n\
         <Location />\nWasmEnv B root\nWasmEnv C root\n</Location>\n\
         <Location /app>\nWasmModule {probe}\nWasmArg app\n<If true>\nWasmEnv C if\n</If>\n</Location>\n\
         <Location /app/deep>\nWasmEnv C deep\nWasmArg deep\n</Location>\n\
         <Location /other>\nWasmEnv C other\n</Location>\n"
    );
    let server = Site::new().start(conf);
    let env = |path| {
        let told = told(&server, path, &[]);
        let lines = told.lines().filter(|line| !line.starts_with("argv[0]"));
        lines.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        env("/app"),
        "argv[1]=app env A=server env B=root env C=root stdin 0"
    );
    assert_eq!(env("/app/x"), env("/app"));
    assert_eq!(
        env("/app/deep"),
        "argv[1]=deep env A=server env B=root env C=deep stdin 0"
    );
    refused(
        &mut section(&server, "/application"),
        &["/application: no section", "<Location /app/>"],
    );
}

#[test]
fn temporary_files_have_their_place() {
    let probe = guest("tmp_dir_probe");
    let conf = endpoint("/tmp", &probe, "WasmTmpDir /tmp 1M\nWasmArg /tmp")
        + &endpoint("/tmp/off", &probe, "WasmTmpDir Off");
    let server = Site::new().start(conf);
    let told = |path: &str, options: &[&str]| {
        let mut command = section(&server, path);
        command.args(options).arg("environment");
        printed(command.env("TMPDIR", server.path("logs")))
    };
    assert_eq!(told("/tmp", &[]), "/tmp\n");
    assert_eq!(told("/tmp/off", &[]), "none\n");
    assert_eq!(told("/tmp", &["--mount", "/tmp=/usr"]), "none\n");
    assert_eq!(told("/tmp", &["--tmp-dir", "/other"]), "/other\n");
}

#[test]
fn a_directory_can_be_named() {
    let site = Site::new();
    let outer = site.path("htdocs");
    let inner = site.writable_dir("htdocs/inner");
    let probe = guest("plain_probe");
    let conf = format!(
        "<Directory {inner}>\nWasmEnv A inner\n</Directory>\n\
         <Directory {outer}>\nWasmModule {probe}\nWasmEnv A outer\nWasmEnv B outer\n</Directory>\n"
    ) + &endpoint("/", &guest("hello_wasm"), "");
    let server = site.start(conf);
    assert!(told(&server, &inner, &[]).contains("env A=inner\nenv B=outer\n"));
    assert!(told(&server, &outer, &[]).contains("env A=outer\n"));
    assert!(told(&server, "/anything", &[]).starts_with("Hello"));
}

#[test]
fn virtual_hosts_are_told_apart() {
    let probe = guest("plain_probe");
    let host = |name: &str, lines: &str| {
        format!(
            "<VirtualHost *:1>\nServerName {name}\nServerAlias www.{name}\nWasmEnv HOST {name}\n{lines}\n</VirtualHost>\n"
        )
    };
    let conf = "WasmEnv ALL 1\n".to_owned()
        + &host("one.example", &endpoint("/app", &probe, ""))
        + &host(
            "two.example",
            &(endpoint("/app", &probe, "") + &endpoint("/only", &probe, "")),
        );
    let server = Site::new().start(conf);
    refused(
        &mut section(&server, "/app"),
        &["--server", "of one.example", "of two.example"],
    );
    for name in ["one.example", "WWW.two.example"] {
        let mut command = section(&server, "/app");
        let told = printed(command.args(["--server", name]));
        let host = name.trim_start_matches("WWW.");
        assert!(
            told.contains(&format!("env ALL=1\nenv HOST={host}\n")),
            "{told}"
        );
    }
    assert!(told(&server, "/only", &[]).contains("env HOST=two.example\n"));
    refused(
        section(&server, "/only").args(["--server", "one.example"]),
        &["no section"],
    );
}

#[test]
fn a_module_of_another_digest_is_refused() {
    let site = Site::new();
    let module = site.file(
        "program.wasm",
        fs::read(guest("hello_wasm")).expect("it is there"),
    );
    let digest = printed(Command::new(program("sha256sum", "coreutils")).arg(&module));
    let digest = digest.split(' ').next().unwrap_or_default();
    let server = site.start(endpoint(
        "/x",
        &module,
        &format!("WasmModuleDigest sha256:{digest}"),
    ));
    assert!(told(&server, "/x", &[]).starts_with("Hello"));
    server.site().file(
        "program.wasm",
        fs::read(guest("plain_probe")).expect("it is there"),
    );
    fails(126, &mut section(&server, "/x"), &["its SHA-256 is "]);
}

/// As on Debian, where a script sets what its configuration needs, and `PATH` leads to it.
#[test]
fn the_servers_own_script_is_found_and_its_own_configuration_read() {
    let server = Site::new().start(endpoint("/x", &guest("plain_probe"), ""));
    let script = server.site().file(
        "script",
        format!(
            "#!/bin/sh\necho noise\nexec {} -f {} -c 'WasmEnv FROM script' \"$@\"\n",
            program("apache2", "apache2").display(),
            server.path("httpd.conf")
        ),
    );
    server.site().executable("bin/apache2ctl", script.as_ref());
    let mut command = Command::new(module("wasm-run"));
    command
        .args(["--section", "/x"])
        .env("PATH", server.path("bin") + ":/bin");
    assert!(printed(&mut command).contains("env FROM=script\n"));
}

#[test]
fn what_httpd_cannot_tell_is_an_error() {
    let server = Site::new().start(endpoint("/x", &guest("hello_wasm"), ""));
    let mut nowhere = Command::new(module("wasm-run"));
    nowhere.args(["--section", "/x", "--httpd", "/no/such/httpd"]);
    refused(&mut nowhere, &["/no/such/httpd", "No such file"]);
    server.replace_in_conf("WasmModule", "NoSuchDirective");
    let causes = ["the configuration cannot be read", "NoSuchDirective"];
    refused(&mut section(&server, "/x"), &causes);
    server.replace_in_conf("LoadModule wasm_module", "#");
    server.replace_in_conf("WasmCacheDir", "#");
    server.replace_in_conf("WasmScratchDir", "#");
    server.replace_in_conf("LogLevel wasm:info", "#");
    server.replace_in_conf("NoSuchDirective", "#");
    refused(&mut section(&server, "/x"), &["does not load mod_wasm"]);
}
