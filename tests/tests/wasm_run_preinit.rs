//! `wasm-run --preinit`: a command that begins from a snapshot.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use mod_wasm_tests::command::{bare, fails, wasm_run};
use mod_wasm_tests::{
    Server, Site, alive, children, endpoint, guest, new_cache, printed, wait_until,
};

/// What the probe says of one thing.
#[track_caller]
fn told(command: &mut Command, what: &str) -> String {
    let text = printed(command);
    let line = text.lines().find_map(|line| line.strip_prefix(what));
    line.unwrap_or_else(|| panic!("{what:?} is not told: {text}"))
        .to_owned()
}

const ONCE: &str = "1 constructors 1 initialised 1";
const NEVER: &str = "1 constructors 1 initialised 0";

#[test]
fn a_command_begins_from_a_snapshot_when_it_is_asked_to() {
    let cache = new_cache();
    let run = |options: &[&str]| {
        let mut command = bare();
        command.arg("--cache-dir").arg(cache.path());
        command.args(options).args([&guest("preinit_probe"), "one"]);
        command
    };
    assert_eq!(told(&mut run(&[]), "runs "), NEVER);
    let asked = ["--preinit", "--env", "A=1"];
    assert_eq!(told(&mut run(&asked), "runs "), ONCE);
    let text = printed(&mut run(&asked));
    assert!(text.contains("argv[1]=one\nenv A=1\nstdin 0\n"), "{text}");
    // It was kept: random bytes that are frozen are the same, and fresh ones are not.
    let tokens = |what| [0; 2].map(|_| told(&mut run(&asked), what));
    let [frozen, again] = tokens("frozen-token ");
    assert_eq!(frozen, again);
    let [fresh, another] = tokens("token ");
    assert_ne!(fresh, another);
    // One that is there is not used by who did not ask for it.
    assert_eq!(told(&mut run(&[]), "runs "), NEVER);
}

#[test]
fn the_initialiser_has_its_own_variables_and_sees_the_directories() {
    let site = Site::new();
    site.file("data/file", "content");
    let mount = format!("/data={}", site.path("data"));
    let reads = |init: &str| {
        let init = format!("INIT={init}");
        let options = ["--preinit", "--preinit-env", &init, "--mount", &mount];
        told(&mut wasm_run(&options, "preinit_probe", &[]), "frozen ")
    };
    assert_eq!(reads("read:/data/file"), "content");
    assert_eq!(reads("make:/data/new"), "Operation not permitted");
    assert_eq!(reads("variable:HOME"), "unset");
}

#[test]
fn a_program_that_cannot_be_initialised_is_not_run() {
    let preinit = ["--preinit"];
    fails(
        126,
        &mut wasm_run(&preinit, "hello_wasm", &[]),
        &["hello_wasm.wasm", "exports no function wizer-initialize"],
    );
    for (init, causes) in [
        ("trap:", ["trap", "preinit_probe.wasm"]),
        ("say:words,exit:3", ["words", "3"]),
    ] {
        let init = format!("INIT={init}");
        let options = ["--preinit", "--preinit-env", &init];
        fails(126, &mut wasm_run(&options, "preinit_probe", &[]), &causes);
    }
}

/// A server whose user is whoever runs `wasm-run`: a snapshot belongs to a user.
fn serve(lines: &str) -> Server {
    let site = Site::new();
    let content = fs::read(guest("preinit_probe")).expect("the guest is readable");
    let wasm = site.file("preinit_probe.wasm", content);
    site.writable_dir("data");
    let lines = lines.replace("SITE/", &site.path(""));
    let conf = endpoint("/x", &wasm, &lines);
    site.httpd(conf).unprivileged().start()
}

fn section(server: &Server, options: &[&str]) -> Command {
    let mut command = server.command("modules/wasm-run");
    command.stdin(Stdio::null());
    command.args(["--section", "/x", "--httpd", "apache2"]);
    command.args(["--config", &server.path("httpd.conf")]);
    command.args(options);
    command.current_dir("/");
    command
}

#[test]
fn the_snapshot_of_a_section_is_that_of_the_server() {
    let server = serve("WasmMapDir /data SITE/data\nWasmPreinitEnv INIT list:/data");
    let text = server.get("/x").expect(200).text();
    let mut command = section(&server, &[]);
    let frozen = told(&mut command, "frozen-token ");
    assert!(text.contains(&format!("frozen-token {frozen}\n")), "{text}");
    assert_eq!(told(&mut command, "frozen "), "0 entries");
    // Nobody waits for one that fits no more, unless it is asked for.
    fs::write(server.path("data/new"), "").expect("the folder is ours");
    assert_eq!(told(&mut command, "runs "), NEVER);
    assert_eq!(
        told(&mut section(&server, &["--preinit"]), "frozen "),
        "1 entries"
    );
    assert_eq!(told(&mut command, "frozen "), "1 entries");
}

#[test]
fn a_section_may_want_none_or_need_one() {
    let server = serve("WasmPreinit Off");
    assert_eq!(told(&mut section(&server, &[]), "runs "), NEVER);
    assert_eq!(told(&mut section(&server, &["--preinit"]), "runs "), ONCE);
    let server =
        serve("WasmPreinit On\nWasmMapDir /data SITE/data\nWasmPreinitEnv INIT list:/data");
    fs::write(server.path("data/new"), "").expect("the folder is ours");
    assert_eq!(told(&mut section(&server, &[]), "frozen "), "1 entries");
}

#[test]
fn an_initialiser_ends_with_the_command_that_waits_for_it() {
    let options = ["--preinit", "--preinit-env", "INIT=loop"];
    let mut command = wasm_run(&options, "preinit_probe", &[]).spawn();
    let command = command.as_mut().expect("wasm-run is built");
    let pid = command.id();
    let mut helper = None;
    wait_until("the initialiser", MOMENT, || {
        helper = initialiser_of(pid);
        helper.is_some()
    });
    let helper = helper.expect("it was waited for");
    command.kill().expect("it is ours");
    command.wait().expect("it was killed");
    wait_until("its end", MOMENT, || !alive(helper));
}

const MOMENT: Duration = Duration::from_secs(20);

/// The child of this process that runs a guest: from then on it has more than one thread.
fn initialiser_of(pid: u32) -> Option<u32> {
    let child = *children(pid).first()?;
    let threads = fs::read_dir(format!("/proc/{child}/task")).ok()?.count();
    (threads > 1).then_some(child)
}
