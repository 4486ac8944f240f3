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

/// Runs it with this input, in a folder that holds what the options name.
fn asked(arguments: &[&str], input: &str) -> (String, String, Option<i32>) {
    let site = Site::new();
    site.file("work/right.php", "<?php echo 'never run';");
    site.file("work/wrong.php", "<?php echo 'never run'; 1 1;");
    site.file("work/ini/php.ini", "precision = 5\nuser_agent = named\n");
    site.file("php/php.ini", "precision = 7\n");
    let work = format!("/work={}", site.path("work"));
    let php = format!("/etc/php={}", site.path("php"));
    let options = ["--mount", &work, "--mount", &php];
    let mut child = start(&mut command_with(&options, arguments));
    let mut pipe = child.stdin.take().expect("a pipe");
    // One that does not read its input has closed it, maybe.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    let output = child.wait_with_output().expect("it ends");
    (stdout(&output), stderr(&output), output.status.code())
}

#[test]
fn syntax_is_checked_and_nothing_run() {
    for file in [&["/work/right.php"][..], &["-f", "/work/right.php"]] {
        let (told, said, status) = asked(&[&["-l"], file].concat(), "");
        assert_eq!(
            told, "No syntax errors detected in /work/right.php\n",
            "{said}"
        );
        assert_eq!(status, Some(0));
    }
    let (told, _, status) = asked(&["-l", "/work/wrong.php"], "");
    assert!(
        told.contains("Parse error: syntax error, unexpected integer \"1\""),
        "{told}"
    );
    assert!(told.ends_with("Errors parsing /work/wrong.php\n"), "{told}");
    assert_eq!(status, Some(125));
    let (told, _, status) = asked(&["-l"], "<?php echo 'never run';");
    assert_eq!(
        (told.as_str(), status),
        (
            "No syntax errors detected in Standard input code\n",
            Some(0)
        )
    );
}

#[test]
fn php_ini_is_the_one_that_was_asked_for() {
    let told = |options: &[&str]| {
        let show = ["-r", "echo ini_get('precision'), ini_get('user_agent');"];
        let (told, said, status) = asked(&[options, &show].concat(), "");
        assert_eq!(status, Some(0), "{said}");
        told
    };
    assert_eq!(told(&[]), "7");
    assert_eq!(told(&["-n"]), "14");
    assert_eq!(told(&["-c", "/work/ini"]), "5named");
    assert_eq!(told(&["-c", "/work/ini/php.ini"]), "5named");
    assert_eq!(told(&["-c", "/work/ini", "-d", "precision=3"]), "3named");
    assert_eq!(
        told(&["-d", "user_agent=a b;comment", "-dprecision=4"]),
        "4a b"
    );
    assert_eq!(told(&["-d", "precision"]), "1");
}

#[test]
fn two_dashes_end_the_options_and_a_script_may_come_from_the_input() {
    let (told, said, status) = asked(&["--", "a", "-b"], "<?php echo implode(',', $argv);");
    assert_eq!(
        (told.as_str(), status),
        ("Standard input code,a,-b", Some(0)),
        "{said}"
    );
}

/// What cannot be followed is 1, in nearly the words of native PHP; that takes a lone `-` for a file too.
#[test]
fn what_is_not_there_is_named() {
    for (arguments, cause) in [
        (&["-z"][..], "Error in argument 1: option not found -z"),
        (
            &["-n", "--nothing"],
            "Error in argument 2: option not found --nothing",
        ),
        (
            &["-n", "-r"],
            "Error in argument 2: no argument for option -r",
        ),
        (
            &["--record-warm"],
            "Error in argument 1: no argument for option --record-warm",
        ),
        (
            &["/work/none.php"],
            "Could not open input file: /work/none.php",
        ),
        (
            &["-l", "/work/none.php"],
            "Could not open input file: /work/none.php",
        ),
        (&["-"], "Could not open input file: -"),
    ] {
        let (told, said, status) = asked(arguments, "<?php echo 'ran';");
        assert!(said.starts_with(cause), "{arguments:?}: {said}");
        assert_eq!((told.as_str(), status), ("", Some(1)), "{arguments:?}");
    }
    let (_, said, status) = asked(&["-r", "echo 1"], "");
    assert_eq!(status, Some(125), "{said}");
}

#[test]
fn sessions_and_headers_are_as_on_a_native_command_line() {
    let code = "session_save_path('/tmp'); session_start(); $_SESSION['a'] = 1; header('X: y'); $sent = headers_sent(); echo session_status(), json_encode($sent);";
    let options = ["--tmp-dir", "/tmp"];
    let output = output(&mut command_with(&options, &["-r", code]));
    assert_eq!(stdout(&output), "2false", "{}", stderr(&output));
}

#[test]
fn what_php_says_of_its_settings_comes_before_what_the_script_says() {
    let told = told(&["-d", "assert.warning=0", "-r", "echo 'script';"]);
    assert!(told.contains("assert.warning INI setting is deprecated"));
    assert!(told.ends_with("script"), "{told}");
}

/// They come from libsodium on x86-64.
const HASHES: [&str; 2] = [
    "$argon2i$v=19$m=1024,t=3,p=1$q+AsSRJh9zDX5yO65YCa1A$B3Z1j+1oHTuJCpcg0DLY5szb2xZMMQW5wylpkNnb1O8",
    "$argon2id$v=19$m=1024,t=2,p=1$sxl2PHdMfVOTTAx4B8oOmQ$Q2mr48MsgjntOGmCfMP6ibXWoMdIcPMjHp0G5Lg9ijM",
];

#[test]
fn passwords_hashed_on_other_machines_are_verified() {
    for hash in HASHES {
        let code = format!(
            "foreach (['secret', 'other'] as $try) echo json_encode(password_verify($try, '{hash}'));"
        );
        assert_eq!(told(&["-r", &code]), "truefalse");
    }
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

/// Each answer is native PHP's.
#[test]
fn a_script_finds_what_it_finds_natively() {
    let site = Site::new();
    let code = "<?php
        echo json_encode([
            __FILE__,
            (int) fopen('php://memory', 'r'),
            isset($GLOBALS['_SERVER']),
            headers_list(),
            filter_input(INPUT_SERVER, 'PHP_SELF'),
            mkdir('/tmp/a/b', 0777, true) && chdir('/tmp/a/./b') && chdir('../..') ? getcwd() : null,
            @strptime('2026-11-27', '%Y-%m-%d')['tm_wday'],
            @fwrite(fopen(__FILE__, 'r'), 'x') === false ? error_get_last()['message'] : null,
        ], JSON_UNESCAPED_SLASHES);";
    site.file("work/script.php", code);
    let mount = format!("/work={}", site.path("work"));
    let options = ["--mount", &mount, "--tmp-dir", "/tmp"];
    let output = output(&mut command_with(&options, &["work/script.php"]));
    assert_eq!(
        stdout(&output),
        "[\"/work/script.php\",5,true,[],\"work/script.php\",\"/tmp\",5,\"fwrite(): Write of 1 bytes failed with errno=9 Bad file descriptor\"]",
        "{}",
        stderr(&output)
    );
}
