//! Our own PHP: what is nested deeper than the stack ends in an error of PHP, and not in one of the engine.

use mod_wasm_tests::command::{output, stderr, stdout};
use mod_wasm_tests::php::{command_with, serve};

/// `$a` and `$b` are arrays, `$o` objects, nested as deep as no stack is.
const NESTED: &str = "$a = $b = $o = null; for ($i = 0; $i < 300000; $i++) { $a = [$a]; $b = [$b]; $next = new stdClass; $next->next = $o; $o = $next; } unset($next);";

const RECURSIVE: &[&str] = &[
    "json_encode($a, 0, 1 << 30);",
    "serialize($o);",
    "ini_set('unserialize_max_depth', 0); unserialize(str_repeat('a:1:{i:0;', 300000));",
    "$a == $b;",
    "$a <=> $b;",
    "count($a, COUNT_RECURSIVE);",
    "array_walk_recursive($a, fn () => 1);",
    "filter_var($a, FILTER_DEFAULT, FILTER_REQUIRE_ARRAY);",
    "unset($a);",
    "unset($o);",
    "$last = $o; for ($i = 1; $i < 300000; $i++) $last = $last->next; $last->next = $o; unset($last, $o); gc_collect_cycles();",
    "$it = new ArrayIterator([1]); for ($i = 0; $i < 50000; $i++) $it = new IteratorIterator($it); foreach ($it as $v);",
    "eval('$y = 1; $x = ' . str_repeat('$y + ', 300000) . '1;');",
    "",
];

#[test]
fn what_is_nested_too_deep_is_an_error_of_php() {
    for code in RECURSIVE {
        let code = format!("echo 'before '; {NESTED} {code}");
        let ended = output(&mut command_with(
            &["--memory", "1G"],
            &["-d", "memory_limit=900M", "-r", &code],
        ));
        let said = stdout(&ended) + &stderr(&ended);
        assert!(said.contains("Maximum call stack size"), "{code}: {said}");
        assert!(said.starts_with("before "), "{code}: {said}");
        assert_eq!(ended.status.code(), Some(125), "{code}: {said}");
    }
}

#[test]
fn a_visitor_gets_an_ordinary_error_and_shutdown_functions_run() {
    let code = format!(
        "<?php ini_set('memory_limit', '300M'); ini_set('display_errors', 0); ini_set('log_errors', 1); register_shutdown_function(function () {{ echo 'cleaned up'; }});\n{NESTED}\n$a == $b;"
    );
    let server = serve(&[("page.php", &code)], "WasmMemoryLimit 512M");
    assert_eq!(server.get("/page.php").expect(500).text(), "cleaned up");
    server.expect_log(
        "Maximum call stack size reached. Infinite recursion? in /app/page.php on line 3",
    );
}
