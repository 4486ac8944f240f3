//! Our own PHP as a command, by `wasm-run`.

use std::io::Write;

use mod_wasm_tests::Site;
use mod_wasm_tests::command::{output, start, stderr, stdout};
use mod_wasm_tests::php::{command, command_with};

fn told(arguments: &[&str]) -> String {
    let output = output(&mut command(arguments));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn code_and_questions_are_options() {
    assert_eq!(
        told(&[
            "-r",
            "echo PHP_SAPI, ' ', count($argv), ' ', $argv[1], \"\\n\";",
            "--",
            "-x"
        ]),
        "cli 2 -x\n"
    );
    assert!(told(&["-v"]).starts_with("PHP 8.4."));
    assert!(told(&["-m"]).contains("\nmbstring\n"));
    assert!(told(&["-i"]).contains("PHP Version => 8.4."));
    assert_eq!(told(&["-d", "precision=4", "-r", "echo 1 / 3;"]), "0.3333");
}

#[test]
fn a_script_has_arguments_input_and_an_exit_status() {
    let site = Site::new();
    site.file("work/script.php", "<?php fwrite(STDERR, 'aside'); echo implode(',', $argv), ' ', stream_get_contents(STDIN); exit(7);");
    let mount = format!("/work={}", site.path("work"));
    let options = ["--mount", &mount];
    let mut child = start(&mut command_with(
        &options,
        &["/work/script.php", "a", "-b"],
    ));
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(b"input")
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(stdout(&output), "/work/script.php,a,-b input");
    assert!(stderr(&output).contains("aside"));
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn a_script_can_be_the_input() {
    let mut child = start(&mut command(&[]));
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(b"<?php echo 6 * 7;")
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (stdout(&output).as_str(), output.status.code()),
        ("42", Some(0))
    );
}

#[test]
fn wrong_use_and_uncaught_errors_are_failures() {
    let wrong = output(&mut command(&["-z"]));
    assert!(stderr(&wrong).contains("Usage: php"));
    assert_eq!(wrong.status.code(), Some(1));
    let uncaught = output(&mut command(&["-r", "throw new Exception('out');"]));
    assert!((stdout(&uncaught) + &stderr(&uncaught)).contains("Uncaught Exception: out"));
    assert_eq!(uncaught.status.code(), Some(125));
}

#[test]
fn sessions_and_headers_are_as_on_a_native_command_line() {
    let code = "session_save_path('/tmp'); session_start(); $_SESSION['a'] = 1; header('X: y'); $sent = headers_sent(); echo session_status(), json_encode($sent);";
    let options = ["--tmp-dir", "/tmp"];
    let output = output(&mut command_with(&options, &["-r", code]));
    assert_eq!(stdout(&output), "2false", "{}", stderr(&output));
}

#[test]
fn the_first_line_of_a_script_may_name_its_interpreter() {
    let site = Site::new();
    site.file("work/script.php", "#!/usr/bin/env php\n<?php echo 'ran';");
    let mount = format!("/work={}", site.path("work"));
    let output = output(&mut command_with(
        &["--mount", &mount],
        &["/work/script.php"],
    ));
    assert_eq!(stdout(&output), "ran");
}
