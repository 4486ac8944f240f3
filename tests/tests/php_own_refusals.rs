//! Our own PHP: what a sandbox cannot do is said by PHP, in words, and never passes for done.

use mod_wasm_tests::php::printed_by;

/// What is tried, and what PHP says of it.
const REFUSED: &[(&str, &str)] = &[
    ("exec('ls')", "exec(): Unable to fork [ls]"),
    ("shell_exec('ls')", "shell_exec(): Unable to execute 'ls'"),
    ("popen('ls', 'r')", "popen(ls,r): Function not implemented"),
    (
        "mail('a@b.test', 'c', 'd')",
        "mail(): Could not execute mail delivery program",
    ),
    (
        "fsockopen('10.0.0.1', 80)",
        "fsockopen(): Unable to connect to 10.0.0.1:80",
    ),
    (
        "file_get_contents('http://10.0.0.1/')",
        "file_get_contents(http://10.0.0.1/): Failed to open stream",
    ),
    (
        "stream_socket_server('tcp://127.0.0.1:80')",
        "stream_socket_server(): Unable to connect to tcp://127.0.0.1:80",
    ),
    ("gethostname()", "gethostname(): Unable to fetch host"),
    ("chmod('/data', 0700)", "chmod(): Not supported"),
    ("chown('/data', 5)", "chown(): Not supported"),
];

#[test]
fn what_a_sandbox_cannot_do_is_a_warning() {
    let calls: String = REFUSED
        .iter()
        .map(|(call, _)| format!("$answer = {call}; echo json_encode($answer), ' ', error_get_last()['message'] ?? 'nothing', \"\\n\"; error_clear_last();"))
        .collect();
    let told = printed_by(&format!(
        "<?php ini_set('display_errors', '0'); ini_set('log_errors', '0');{calls}"
    ));
    assert_eq!(told.lines().count(), REFUSED.len(), "{told}");
    for ((call, warning), line) in REFUSED.iter().zip(told.lines()) {
        let (answer, said) = line.split_once(' ').unwrap_or((line, ""));
        assert!(
            ["false", "null"].contains(&answer),
            "{call} answers {answer}"
        );
        assert!(said.contains(warning), "{call} says {said}");
    }
}

#[test]
fn what_a_run_has_used_is_time_that_passed_and_memory() {
    let code = "<?php $time = fn () => getrusage()['ru_utime.tv_sec'] * 1e6 + getrusage()['ru_utime.tv_usec'];
        $before = $time(); usleep(20000); $passed = $time() - $before; $memory = getrusage()['ru_maxrss'];
        echo $passed >= 20000 && $passed < 600e6 ? 'time ' : $passed, $memory > 1024 ? 'memory ' : $memory, getrusage(1)['ru_maxrss'];";
    assert_eq!(printed_by(code), "time memory 0");
}

#[test]
fn functions_that_could_never_work_are_not_there() {
    let told = printed_by(
        "<?php foreach (['proc_open', 'dl', 'pcntl_fork', 'posix_kill', 'sys_getloadavg'] as $name) if (function_exists($name)) echo $name;",
    );
    assert_eq!(told, "");
}
