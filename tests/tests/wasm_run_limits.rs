//! What a program that is run by `wasm-run` may use: time, memory, directories.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::time::{Duration, Instant};

use mod_wasm_tests::command::{fails, output, start, stdout, wasm_run};
use mod_wasm_tests::{printed, program};

const PATIENCE: Duration = Duration::from_secs(60);

/// Whatever it does: computing, sleeping, reading, writing.
#[test]
fn time_ends_the_run() {
    let second = ["--timeout", "1"];
    let over = |command: &mut Command, doing: &str| {
        let mut child = start(command);
        let keep = (child.stdin.take(), child.stdout.take());
        let status = child.wait().expect("wasm-run ends");
        let mut said = String::new();
        let mut stderr = child.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut said).expect("it is text");
        assert_eq!(status.code(), Some(124), "{said}");
        let text = "the run took longer than --timeout (1.000 s): 1.";
        assert!(said.contains(text) && said.contains(doing), "{said}");
        drop(keep);
    };
    over(&mut wasm_run(&second, "loop_forever", &[]), "computing");
    over(
        &mut wasm_run(&second, "plain_probe", &["sleep", "60"]),
        "sleeping",
    );
    over(
        &mut wasm_run(&second, "spender", &["read"]),
        "reading its input",
    );
    let flood = ["--timeout", "1", "--env", "QUERY_STRING=flood=100"];
    over(
        &mut wasm_run(&flood, "stream_probe", &[]),
        "writing its output",
    );
}

/// Not even a message about it keeps it waiting.
#[test]
fn time_ends_a_run_whose_standard_error_nobody_reads() {
    let complain = ["complain", "1000000"];
    let mut child = start(&mut wasm_run(&["--timeout", "1"], "spender", &complain));
    let status = child.wait().expect("wasm-run ends");
    assert_eq!(status.code(), Some(124));
}

#[test]
fn processor_time_ends_the_run() {
    let begun = Instant::now();
    fails(
        124,
        &mut wasm_run(&["--cpu-limit", "200ms"], "spender", &["compute"]),
        &["the run used more processor time than --cpu-limit (0.200 s)"],
    );
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn memory_is_limited() {
    let grown = |options: &[&str], mib: &str| {
        stdout(&output(&mut wasm_run(
            options,
            "plain_probe",
            &["grow", mib],
        )))
    };
    assert_eq!(grown(&[], "200"), "grew by 200 MiB\n");
    assert!(grown(&[], "300").starts_with("no memory after 2"));
    assert!(grown(&["--memory", "32M"], "40").starts_with("no memory after "));
    assert_eq!(grown(&["--memory", "1G"], "300"), "grew by 300 MiB\n");
    fails(
        126,
        &mut wasm_run(&["--memory", "64K"], "large_memory", &[]),
        &["needs more to start than --memory (65536 bytes)"],
    );
}

/// A folder with the file `file.txt`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("file.txt"), "content").expect("it is ours");
    folder
}

fn mount(guest: &str, folder: &tempfile::TempDir, mode: &str) -> String {
    format!("--mount={guest}={}{mode}", folder.path().display())
}

#[test]
fn directories_are_mounted_to_be_read_or_written() {
    let folder = folder();
    let [rw, ro] = ["", ":ro"].map(|mode| mount("/data", &folder, mode));
    let cat = |options: &[&str], path| {
        stdout(&output(&mut wasm_run(
            options,
            "plain_probe",
            &["cat", path],
        )))
    };
    assert!(cat(&[], "/data/file.txt").starts_with("cannot open"));
    assert_eq!(cat(&[&ro], "/data/file.txt"), "content");
    let put = |option: &str| {
        let put = ["put", "/data/new.txt", "new"];
        stdout(&output(&mut wasm_run(&[option], "plain_probe", &put)))
    };
    assert!(put(&ro).starts_with("cannot create"));
    assert_eq!(put(&rw), "written\n");
    let new = fs::read_to_string(folder.path().join("new.txt"));
    assert_eq!(new.expect("it was written"), "new");
    // The later one of a path counts.
    assert!(cat(&[&rw, "--mount", "/data=/usr"], "/data/file.txt").starts_with("cannot open"));
}

#[test]
fn a_relative_directory_is_that_of_the_shell() {
    let folder = folder();
    let sub = folder.path().join("sub");
    fs::create_dir(&sub).expect("it is ours");
    let mut command = wasm_run(
        &["--mount", "/data=.."],
        "plain_probe",
        &["cat", "/data/file.txt"],
    );
    assert_eq!(printed(command.current_dir(sub)), "content");
}

#[test]
fn mounts_that_contradict_each_other_or_are_not_there_are_refused() {
    let folder = folder();
    let options = [mount("/a", &folder, ""), mount("/b", &folder, "/:ro")];
    fails(
        125,
        &mut wasm_run(&[&options[0], &options[1]], "hello_wasm", &[]),
        &["cannot be mounted ro at /b", "mounted rw at /a"],
    );
    fails(
        125,
        &mut wasm_run(&["--mount", "/a=/no/such/folder"], "hello_wasm", &[]),
        &["/a", "/no/such/folder", "No such file"],
    );
}

#[test]
fn writing_and_open_files_are_limited() {
    let folder = folder();
    let data = mount("/data", &folder, "");
    let limited = [data.as_str(), "--write-limit", "1M"];
    let filled = output(&mut wasm_run(
        &limited,
        "spender",
        &["fill", "/data/big", "2000000"],
    ));
    assert!(
        stdout(&filled).contains("No space left"),
        "{}",
        stdout(&filled)
    );
    let limited = [data.as_str(), "--file-limit", "20"];
    let hoard = ["hoard", "/data/file.txt"];
    let hoarded = stdout(&output(&mut wasm_run(&limited, "plain_probe", &hoard)));
    assert_eq!(hoarded, "hoarded 16\n");
    // More than the shell allows, within what it lets one raise.
    let prlimit = program("prlimit", "util-linux");
    let mut command = Command::new(prlimit);
    let inner = wasm_run(&[&data, "--file-limit", "2000"], "plain_probe", &hoard);
    command.arg("--nofile=256:4096").arg(inner.get_program());
    assert_eq!(printed(command.args(inner.get_args())), "hoarded 1996\n");
}

#[test]
fn temporary_files_are_gone_after_the_run() {
    let place = tempfile::tempdir().expect("a folder can be made");
    let probe = |options: &[&str], arguments: &[&str]| {
        let mut command = wasm_run(options, "tmp_dir_probe", arguments);
        command.env("TMPDIR", place.path());
        command
    };
    let told = |options: &[&str], arguments: &[&str]| {
        let told = output(&mut probe(options, arguments));
        String::from_utf8_lossy(&told.stdout).into_owned()
    };
    assert_eq!(told(&[], &["/tmp", "environment"]), "none\n");
    let tmp = ["--tmp-dir", "/tmp"];
    assert_eq!(told(&tmp, &["/tmp", "environment"]), "/tmp\n");
    let own = ["--tmp-dir", "/tmp", "--env", "TMPDIR=/other"];
    assert_eq!(told(&own, &["/tmp", "environment"]), "/other\n");
    for end in ["", "trap"] {
        assert!(told(&tmp, &["/tmp", end]).starts_with("found 0: "), "{end}");
    }
    // A killed one leaves something, and the next one removes it.
    let files = || {
        let mut find = Command::new(program("find", "findutils"));
        printed(find.arg(place.path()).args(["-type", "f"]))
            .lines()
            .count()
    };
    let mut child = start(&mut probe(&tmp, &["/tmp", "sleep", "60"]));
    let lines = BufReader::new(child.stdout.as_mut().expect("it is piped")).lines();
    assert!(
        lines
            .map_while(Result::ok)
            .any(|line| line.starts_with("left "))
    );
    child.kill().expect("it runs");
    child.wait().expect("wasm-run ends");
    assert!(files() > 0);
    assert!(told(&tmp, &["/tmp", ""]).starts_with("found 0: "));
    assert_eq!(files(), 0);
    let full = ["--tmp-dir", "/tmp=64K"];
    assert!(told(&full, &["/tmp", "reuse", "1"]).contains("reused 0"));
}
