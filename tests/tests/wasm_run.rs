//! The program `wasm-run`: a guest as a command.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use mod_wasm_tests::command::{bare, fails, output, start, stderr, stdout, wasm_run};
use mod_wasm_tests::{
    Document, Site, Terminal, artifacts, cache_dir, cgi_endpoint, copy_program, endpoint, guest,
    module, new_cache, printed, wait_until,
};
use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn arguments_variables_and_exit_status_are_the_programs() {
    let mut command = wasm_run(
        &["--env", "ONE=1=2", "--env", "TWO", "--env", "ONE=3"],
        "plain_probe",
        &["--env", "", "-h"],
    );
    let told = printed(command.env("TWO", "two words").env("THREE", "not for it"));
    assert_eq!(
        told,
        "argv[0]=plain_probe.wasm\nargv[1]=--env\nargv[2]=\nargv[3]=-h\nenv ONE=3\nenv TWO=two words\nstdin 0\n"
    );
    let left = output(&mut wasm_run(&[], "plain_probe", &["leave", "7", "text"]));
    assert_eq!(
        (left.status.code(), stdout(&left)),
        (Some(7), "text".into())
    );
    assert_eq!(stderr(&left), "");
}

#[test]
fn standard_input_and_output_are_streamed_whole() {
    let mut command = wasm_run(&["--env", "QUERY_STRING=do=echo"], "cgi_probe", &[]);
    let mut child = start(&mut command);
    let body: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut input = child.stdin.take().expect("it is piped");
    let sent = body.clone();
    let sender = std::thread::spawn(move || input.write_all(&sent));
    let output = child.wait_with_output().expect("wasm-run ends");
    sender.join().expect("no panic").expect("all is read");
    assert!(output.status.success(), "{}", stderr(&output));
    let end = output.stdout.len() - body.len();
    assert!(output.stdout[end..] == body && output.stdout.starts_with(b"Content-Type"));
}

#[test]
fn standard_error_is_no_log() {
    let complained = output(&mut wasm_run(&[], "spender", &["complain", "3000000"]));
    assert_eq!(complained.stderr.len(), 3_000_000);
    assert!(stdout(&complained).contains("complained"));
}

#[test]
fn output_is_seen_before_the_program_sleeps_or_reads() {
    let mut child = start(&mut wasm_run(&[], "dialog", &[]));
    let mut output = child.stdout.take().expect("it is piped");
    let mut input = child.stdin.take().expect("it is piped");
    let mut read = [0; 6];
    output.read_exact(&mut read).expect("it asks");
    assert_eq!(&read, b"name? ");
    input.write_all(b"you\n").expect("it reads");
    drop(input);
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("it is text");
    assert_eq!(rest, "hello, you\nname? bye\n");
    let ended = child.wait_with_output().expect("wasm-run ends");
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(stderr(&ended).matches("is not a terminal").count(), 3);
}

fn line(command: &Command) -> String {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let quoted = words.map(|word| format!("'{}'", word.display()));
    quoted.collect::<Vec<_>>().join(" ")
}

fn wait_says(terminal: &Terminal, text: &str) {
    wait_until(text, PATIENCE, || terminal.output().contains(text));
}

#[test]
fn a_terminal_works() {
    let command = line(&wasm_run(&[], "dialog", &[]));
    let mut terminal = Terminal::run(&format!("{command}; echo status $?"));
    wait_says(&terminal, "name? ");
    assert_eq!(terminal.output().matches("is a terminal").count(), 3);
    terminal.type_in(b"you\r");
    wait_says(&terminal, "hello, you");
    terminal.type_in(b"\x04");
    wait_says(&terminal, "status 3");
}

#[test]
fn ctrl_c_ends_the_program() {
    let command = line(&wasm_run(&[], "dialog", &[]));
    let mut terminal = Terminal::run(&format!("trap : INT; {command}; echo status $?"));
    wait_says(&terminal, "name? ");
    terminal.type_in(b"\x03");
    wait_says(&terminal, "status 130");
}

#[test]
fn a_signal_ends_a_program_that_computes() {
    let mut child = start(&mut wasm_run(&[], "loop_after_output", &[]));
    let mut byte = [0];
    let output = child.stdout.as_mut().expect("it is piped");
    output.read_exact(&mut byte).expect("it has begun");
    let pid = Pid::from_child(&child);
    // Not INT: a shell makes what it runs in the background ignore that.
    kill_process(pid, Signal::TERM).expect("it runs");
    let status = child.wait().expect("wasm-run ends");
    assert_eq!(status.signal(), Some(15));
}

#[test]
fn a_trap_is_told_with_its_call_stack() {
    let failed = fails(
        134,
        &mut wasm_run(&[], "trap_division", &[]),
        &[
            "trap_division.wasm",
            "the program trapped",
            "divide by zero",
        ],
    );
    assert!(stderr(&failed).contains("\n0: "), "{}", stderr(&failed));
    let after = fails(134, &mut wasm_run(&[], "trap_after_output", &[]), &[]);
    assert!(!after.stdout.is_empty(), "what was written before is there");
}

#[test]
fn output_that_nobody_takes_ends_the_run_quietly() {
    let flood = ["--env", "QUERY_STRING=flood=100"];
    let mut child = start(&mut wasm_run(&flood, "stream_probe", &[]));
    let mut byte = [0];
    let mut reader = child.stdout.take().expect("it is piped");
    reader.read_exact(&mut byte).expect("it writes");
    drop(reader);
    let ended = child.wait_with_output().expect("wasm-run ends");
    assert_eq!(
        (ended.status.code(), stderr(&ended)),
        (Some(141), String::new())
    );
}

#[test]
fn output_that_fails_is_told() {
    let full = File::options().write(true).open("/dev/full");
    let flood = ["--env", "QUERY_STRING=flood=1"];
    let mut command = wasm_run(&flood, "stream_probe", &[]);
    command.stdout(full.expect("there is such a device"));
    let child = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("wasm-run runs");
    let ended = child.wait_with_output().expect("wasm-run ends");
    assert_eq!(ended.status.code(), Some(125));
    assert_eq!(
        stderr(&ended),
        "wasm-run: standard output: No space left on device (os error 28)\n"
    );
}

#[test]
fn an_entry_point_can_be_chosen() {
    let entered = printed(&mut wasm_run(&["--entry-point", "hello"], "reactor", &[]));
    assert_eq!(entered, "constructor: ran, mount: not found\n");
    fails(
        126,
        &mut wasm_run(&["--entry-point", "nothing"], "hello_wasm", &[]),
        &["hello_wasm.wasm", "no exported function \"nothing\""],
    );
}

#[test]
fn what_cannot_be_run_is_told_in_one_line() {
    for (code, module, cause) in [
        (127, "/no/such.wasm".to_owned(), "No such file"),
        (126, "/etc/passwd".to_owned(), "not a WebAssembly module"),
        (126, guest("unknown_import"), "no_such_function"),
        (126, "/etc".to_owned(), "not a regular file"),
        (126, guest("no_start"), "no exported function \"_start\""),
    ] {
        let mut command = bare();
        command.arg("--cache-dir").arg(cache_dir()).arg(&module);
        let failed = fails(code, &mut command, &[&module, cause]);
        assert_eq!(stderr(&failed).lines().count(), 1, "{}", stderr(&failed));
    }
}

#[test]
fn wrong_use_is_told_apart_from_the_programs_own_failure() {
    for arguments in [
        &[][..],
        &["--no-such-option", "m.wasm"],
        &["--timeout", "soon", "m.wasm"],
        &["--memory", "5G", "m.wasm"],
        &["--mount", "data=/srv", "m.wasm"],
        &["--env", "=1", "m.wasm"],
        &["--file-limit", "3", "m.wasm"],
        &["--config", "httpd.conf", "m.wasm"],
    ] {
        let failed = output(bare().args(arguments));
        assert_eq!(failed.status.code(), Some(125), "{arguments:?}");
        assert!(stderr(&failed).contains("error: "), "{}", stderr(&failed));
    }
    let help = printed(bare().arg("--help"));
    assert!(help.contains("--mount") && help.contains("Exit status"));
    assert!(printed(bare().arg("--version")).starts_with("wasm-run "));
}

#[test]
fn code_is_shared_with_the_web_server() {
    let folder = new_cache();
    // Without the program that compiles beside it.
    let alone = folder.path().join("wasm-run");
    copy_program(&module("wasm-run"), &alone);
    let cache = new_cache();
    let conf = endpoint("/hello", &guest("hello_wasm"), "");
    drop(Site::new().httpd(conf.clone()).cache(cache.path()).start());
    let hello = |cache: &tempfile::TempDir| {
        let mut command = Command::new(&alone);
        command
            .stdin(Stdio::null())
            .arg("--cache-dir")
            .arg(cache.path());
        command.arg(guest("hello_wasm"));
        command
    };
    assert!(printed(&mut hello(&cache)).starts_with("Hello"));
    // The other way round.
    let cache = new_cache();
    fails(125, &mut hello(&cache), &["wasm-precompile"]);
    let mut command = bare();
    command.arg("--cache-dir").arg(cache.path());
    printed(command.arg(guest("hello_wasm")));
    assert_eq!(artifacts(cache.path()).len(), 1);
    let server = Site::new().httpd(conf).cache(cache.path()).start();
    assert!(server.log_with("WASM0020").is_empty());
}

#[test]
fn without_a_cache_it_compiles_in_memory_and_says_so_to_a_terminal() {
    let mut command = bare();
    command.args(["--cache-dir", "/sys/kernel", &guest("hello_wasm")]);
    let ran = output(&mut command);
    assert!(ran.status.success() && stdout(&ran).starts_with("Hello"));
    assert_eq!(stderr(&ran), "", "it did not take long");
    let terminal = Terminal::run(&line(&command));
    wait_says(&terminal, "Hello");
    assert!(terminal.output().contains("wasm-run: compiling "));
}

#[test]
fn a_cache_that_others_may_write_is_refused() {
    let cache = new_cache();
    let everyone = fs::Permissions::from_mode(0o777);
    fs::set_permissions(cache.path(), everyone).expect("the cache is ours");
    let mut command = bare();
    command.arg("--cache-dir").arg(cache.path());
    fails(
        125,
        command.arg(guest("hello_wasm")),
        &["can be written by others"],
    );
}

#[test]
fn locks_count_between_commands_and_the_web_server() {
    let site = Site::new();
    let data = site.writable_dir("data");
    site.writable_file("data/file", "content");
    let lock = guest("lock_probe");
    let server = site.start(cgi_endpoint(
        "/lock",
        &lock,
        &format!("WasmMapDir /data {data}"),
    ));
    let command = |query: &str| {
        let query = format!("QUERY_STRING={query}");
        let mount = format!("/data={data}");
        wasm_run(&["--env", &query, "--mount", &mount], "lock_probe", &[])
    };
    let ask = || server.get("/lock?kind=2").expect(200).text();
    let mut child = start(&mut command("kind=2&then=hold"));
    let output = child.stdout.as_mut().expect("it is piped");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "result 0"));
    assert_eq!(ask(), "result 6\n");
    drop(child.stdin.take());
    assert!(child.wait().expect("wasm-run ends").success());
    assert_eq!(ask(), "result 0\n");
    let mut holder = server
        .request("POST", "/lock?kind=2&then=hold")
        .chunked()
        .open();
    holder.read_until("result 0\n");
    assert!(printed(&mut command("kind=2")).ends_with("result 6\n"));
    holder.end_chunks();
    holder.finish().expect(200);
}

#[test]
fn defaults_are_those_of_the_directives() {
    let directives = Document::read("docs/directives.md").text().to_owned();
    let help = printed(bare().arg("--help"));
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for (directive, said) in [
        ("WasmMemoryLimit", "with an optional K, M or G"),
        ("WasmFileLimit", "16 to 4096"),
        ("WasmCacheDir", "as WasmCacheDir says"),
        ("WasmEntryPoint", "The exported function to call"),
    ] {
        let default = directives
            .split_once(&format!("| **Default** | `{directive} "))
            .and_then(|(_, rest)| rest.split_once('`'));
        let (default, _) = default.expect("the page has a default");
        assert!(
            help.contains(&format!("{said} ({default})")),
            "{directive}: {help}"
        );
    }
}
