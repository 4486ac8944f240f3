//! Our own PHP as a worker: an application that was booted before the snapshot, and requests that go on from there.

use mod_wasm_tests::{Server, php};

/// Boots, counts what it is asked, and leaves all that a long-lived process would keep.
const WORKER: &str = r#"<?php
class Application { public array $kept = []; public int $asked = 0; public $booted; }
$application = new Application;
$application->booted = microtime(true);
$boot_random = mt_rand();
ini_set('precision', 5);
$handler = function () use ($application) {
    static $calls = 0;
    $application->asked++;
    $application->kept[] = str_repeat('x', 1000);
    $GLOBALS['left'] ??= 'nothing';
    $seen = [++$calls, $application->asked, count($application->kept), $GLOBALS['left'], ini_get('precision')];
    $GLOBALS['left'] = 'something';
    ini_set('precision', 3);
    match ($_GET['do'] ?? '') {
        'throw' => throw new RuntimeException('thrown'),
        'exit' => exit('left early'),
        'error' => missing(),
        'status' => http_response_code(404),
        default => null,
    };
    header('X-Method: ' . $_SERVER['REQUEST_METHOD']);
    setcookie('given', 'new');
    echo json_encode([$seen, $_GET, $_POST, $_COOKIE, file_get_contents('php://input'), array_map(fn ($file) => file_get_contents($file['tmp_name']), $_FILES),
        $_SERVER['REQUEST_TIME_FLOAT'] >= $application->booted, mt_rand(), $_SERVER['QUERY_STRING'], $_REQUEST]);
};
$turns = 0;
try {
    while (mod_wasm_handle_request($handler)) {
        $turns++;
        error_log("terminated turn $turns");
    }
} catch (RuntimeException $caught) {
    echo 'caught ', $caught->getMessage();
}
error_log("ended behind turn $turns");
"#;

const FRESH: &str = r#"[[1,1,1,"nothing","5"],"#;

const WORKS: &str = "WasmPreinit On\nWasmPreinitEnv PHP_WORKER /app/worker.php";

fn serve() -> Server {
    let server = php::serve_with_ini(
        "display_errors=0\nlog_errors=1\n",
        &[("worker.php", WORKER)],
        WORKS,
    );
    server.allow_log("stderr from php.wasm: ");
    server
}

#[test]
fn each_request_finds_the_application_as_it_was_booted() {
    let server = serve();
    let mut random = Vec::new();
    for turn in 0..5 {
        let answer = server.get(&format!("/worker.php?turn={turn}")).expect(200);
        assert_eq!(answer.header("X-Method"), Some("GET"));
        let text = answer.text();
        assert!(text.starts_with(FRESH), "{text}");
        assert!(text.contains(&format!(r#"{{"turn":"{turn}"}}"#)), "{text}");
        random.push(text.split(",true,").nth(1).map(str::to_owned));
        server.expect_logs("ended behind turn 1", turn + 1);
    }
    assert!(random.iter().any(|number| *number != random[0]));
}

#[test]
fn a_request_is_read_as_any_other() {
    let server = serve();
    let form = server
        .request("POST", "/worker.php?a=1")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Cookie", "c=2")
        .body("b=3".to_owned());
    let text = form.send().expect(200).text();
    assert!(
        text.contains(r#"{"a":"1"},{"b":"3"},{"c":"2"},"b=3""#),
        "{text}"
    );
    assert!(
        text.ends_with(r#""a=1",{"a":"1","b":"3","c":"2"}]"#),
        "{text}"
    );
}

#[test]
fn whatever_ends_a_request_ends_it_alone() {
    let server = serve();
    let ask = |what: &str, status: u16| {
        let answer = server.get(&format!("/worker.php?do={what}"));
        answer.expect(status).text()
    };
    assert_eq!(ask("throw", 200), "caught thrown");
    assert_eq!(ask("exit", 200), "left early");
    assert!(ask("status", 404).starts_with(FRESH));
    assert_eq!(ask("error", 500), "");
    server.expect_log("Call to undefined function missing()");
    assert!(ask("", 200).starts_with(FRESH));
}
