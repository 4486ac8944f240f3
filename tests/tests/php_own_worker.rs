//! Our own PHP as a worker: an application that was booted before the snapshot, and requests that go on from there.

use mod_wasm_tests::{Server, Site, command, php};

/// Boots, counts what it is asked, and leaves all that a long-lived process would keep.
const WORKER: &str = r#"<?php
class Application { public array $kept = []; public int $asked = 0; public $booted; }
$application = new Application;
$application->booted = microtime(true);
$boot_random = mt_rand();
putenv('BOOTED=by-the-boot');
putenv('REQUEST_METHOD=of-the-boot');
$_ENV['DOTENV'] = 'read';
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
    header('X-Method: ' . getenv('REQUEST_METHOD') . $_SERVER['REQUEST_METHOD'] . $_ENV['DOTENV'] . getenv('BOOTED'));
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
        assert_eq!(answer.header("X-Method"), Some("GETGETreadby-the-boot"));
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

/// Leaves behind whatever a process could keep, and tells what it finds of that.
const LEAKING: &str = r#"<?php
class Kept { public static array $seen = []; const IT = 1; }
function counts() { static $count = 0; return ++$count; }
$secrets = [];
while (frankenphp_handle_request(function () use (&$secrets) {
    ob_start();
    echo json_encode([count(Kept::$seen), counts(), count($secrets), count($GLOBALS['everything'] ?? []), defined('LEFT'), function_exists('left'),
        class_exists('Left', false), getenv('LEFT'), date_default_timezone_get(), setlocale(LC_ALL, 0), ob_get_level(), is_file('/tmp/left'),
        ini_get('memory_limit'), spl_autoload_functions(), headers_list() === array_filter(headers_list(), fn ($line) => !str_contains($line, 'X-Left')),
        error_get_last(), session_status(), libxml_use_internal_errors(), mb_internal_encoding(), gc_enabled(), stream_get_wrappers() === array_diff(stream_get_wrappers(), ['left'])]);
    Kept::$seen[] = $secrets[] = $GLOBALS['everything'][] = $_GET['secret'];
    define('LEFT', 1);
    eval('function left() {} class Left {}');
    putenv('LEFT=1');
    date_default_timezone_set('Asia/Tokyo');
    setlocale(LC_ALL, 'C.UTF-8');
    file_put_contents('/tmp/left', $_GET['secret']);
    ini_set('memory_limit', '64M');
    spl_autoload_register(fn () => null);
    header('X-Left: 1');
    @trigger_error('left');
    libxml_use_internal_errors(true);
    mb_internal_encoding('ISO-8859-1');
    gc_disable();
    stream_wrapper_register('left', Kept::class);
    set_error_handler(fn () => exit('the last request handles errors'));
    register_shutdown_function(fn () => error_log('shut down ' . $_GET['secret']));
    fopen('/tmp/open', 'w');
    new PDO('sqlite::memory:');
    session_start();
}));
"#;

#[test]
fn what_a_request_leaves_no_other_one_finds() {
    let server = php::serve(&[("worker.php", LEAKING)], WORKS);
    server.allow_log("shut down ");
    let ask = |secret: &str| {
        server
            .get(&format!("/worker.php?secret={secret}"))
            .expect(200)
            .text()
    };
    let first = ask("of-the-first");
    assert!(
        first.starts_with("[0,1,0,0,false,false,false,false,"),
        "{first}"
    );
    for number in 0..5 {
        assert_eq!(ask(&format!("secret-{number}")), first);
    }
    server.expect_logs("shut down of-the-first", 1);
}

/// Calls where a worker must not be left, and tells what came of it.
const WRONG: &str = r#"<?php
$said = [];
$call = function () use (&$said) {
    try {
        mod_wasm_handle_request(fn () => null);
    } catch (Error $error) {
        $said[] = $error->getMessage();
    }
};
foreach ([fn () => fopen('/app/worker.php', 'r'), fn () => new DirectoryIterator('/app'), fn () => new PDO('sqlite::memory:'), fn () => new SQLite3(':memory:')] as $open) {
    $opened = $open();
    $call();
    unset($opened);
}
array_map($call, [1]);
(new ReflectionFunction($call))->invoke();
try {
    mod_wasm_handle_request('no function');
} catch (TypeError $error) {
    $said[] = $error->getMessage();
}
function deep($said) { return mod_wasm_handle_request(fn () => print(implode("\n", $said))); }
deep($said);
"#;

#[test]
fn where_it_cannot_be_left_a_worker_is_told_why() {
    let server = php::serve(&[("worker.php", WRONG)], WORKS);
    let said = server.get("/worker.php").expect(200).text();
    let said: Vec<_> = said.lines().collect();
    let open = |what: &str| {
        format!(
            "mod_wasm_handle_request() is called with {what} open, which no request could use: close it before, open it in the callable"
        )
    };
    let expected = [
        open("the file /app/worker.php"),
        open("a nameless stream of type dir"),
        open("the database of an object of class PDO"),
        open("the database of an object of class SQLite3"),
        "mod_wasm_handle_request() is called below array_map(), which is no script".to_owned(),
        "mod_wasm_handle_request() is called below invoke(), which is no script".to_owned(),
        "mod_wasm_handle_request(): Argument #1 ($callback) must be a valid callback, function \"no function\" not found or invalid function name".to_owned(),
    ];
    assert_eq!(said, expected);
}

/// How a command ends that begins from a snapshot of this worker, and what it says.
fn by_command(worker: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let site = Site::new();
    site.file("app/worker.php", worker);
    let mounts = [("/app", site.path("app"))];
    let mut run = php::preinit_command("PHP_WORKER=/app/worker.php", &mounts, arguments);
    let output = command::output(&mut run);
    (output.status.code(), command::stderr(&output))
}

#[test]
fn a_boot_that_comes_to_no_call_is_refused_in_its_own_words() {
    for (worker, cause) in [
        (
            "<?php echo 'done';",
            "PHP_WORKER: /app/worker.php ends without a call of mod_wasm_handle_request()",
        ),
        ("<?php missing();", "Call to undefined function missing()"),
    ] {
        let (status, said) = by_command(worker, &[]);
        assert_eq!(status, Some(126), "{said}");
        assert!(
            said.contains("wizer-initialize failed") && said.contains(cause),
            "{said}"
        );
    }
}

#[test]
fn a_worker_is_no_command_line() {
    let (status, said) = by_command(WORKER, &["-r", "echo 1;"]);
    assert_eq!(status, Some(125), "{said}");
    assert!(
        said.contains("a worker was booted, which answers requests only"),
        "{said}"
    );
}

#[test]
fn without_a_snapshot_the_script_boots_in_each_request() {
    let server = php::serve(&[("worker.php", WORKER)], "WasmPreinit Off");
    server.allow_log("stderr from php.wasm: ");
    for _ in 0..2 {
        let text = server.get("/worker.php").expect(200).text();
        assert!(text.starts_with(FRESH), "{text}");
    }
}
