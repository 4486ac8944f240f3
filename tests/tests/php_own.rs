//! Our own PHP: what it is made of, and what it says of itself.

use mod_wasm_tests::command::{output, stderr, stdout};
use mod_wasm_tests::php::{command, printed_by};

/// The extensions, as PHP names them: docs/php.md lists them too.
const EXTENSIONS: &[&str] = &[
    "bcmath",
    "Core",
    "ctype",
    "date",
    "dom",
    "exif",
    "fileinfo",
    "filter",
    "gd",
    "hash",
    "iconv",
    "json",
    "libxml",
    "mbstring",
    "pcre",
    "PDO",
    "pdo_sqlite",
    "Phar",
    "random",
    "Reflection",
    "session",
    "SimpleXML",
    "sodium",
    "SPL",
    "sqlite3",
    "standard",
    "tokenizer",
    "xml",
    "xmlreader",
    "xmlwriter",
    "Zend OPcache",
    "zlib",
];

#[test]
fn the_extensions_are_those_that_we_list() {
    let told = printed_by(
        "<?php $e = get_loaded_extensions(); natcasesort($e); echo implode(' ', array_diff($e, ['cgi-fcgi']));",
    );
    assert_eq!(told, EXTENSIONS.join(" "));
}

#[test]
fn every_format_of_images_is_there() {
    let told = printed_by(
        "<?php $image = imagecreatetruecolor(40, 30); foreach (['png', 'jpeg', 'webp', 'gif', 'bmp'] as $format) {
            ob_start(); ('image' . $format)($image); $copy = imagecreatefromstring(ob_get_clean()); echo $format, ' ', imagesx($copy), \"\\n\"; }
        echo 'freetype ', (int) gd_info()['FreeType Support'];",
    );
    assert_eq!(told, "png 40\njpeg 40\nwebp 40\ngif 40\nbmp 40\nfreetype 1");
}

#[test]
fn integers_have_64_bits_and_times_go_beyond_2038() {
    let told = printed_by(
        "<?php echo json_encode([PHP_INT_SIZE, PHP_INT_MAX, 1 << 40, is_float(PHP_INT_MAX + 1), strtotime('2100-01-01 UTC'),
            unpack('q', pack('q', -5))[1], unserialize(serialize(1 << 50)), (new PDO('sqlite::memory:'))->query('select 9007199254740993')->fetchColumn()]);",
    );
    assert_eq!(
        told,
        "[8,9223372036854775807,1099511627776,true,4102444800,-5,1125899906842624,9007199254740993]"
    );
}

#[test]
fn it_says_where_it_runs() {
    let told = printed_by(
        "<?php echo PHP_OS, ' ', PHP_OS_FAMILY, ' ', PHP_SAPI, ' ', PHP_EOL === \"\\n\", ' ', strtok(php_uname(), ' ');",
    );
    assert_eq!(told, "WASI Unknown cgi-fcgi 1 wasi");
}

#[test]
fn zones_and_characters_are_built_in() {
    let told = printed_by(
        "<?php echo (new DateTime('2026-07-01', new DateTimeZone('Europe/Berlin')))->format('T'), ' ', mb_strtoupper('äß'), ' ',
            mb_ereg_replace('a+', 'b', 'caat'), ' ', bin2hex(iconv('UTF-8', 'ISO-8859-1//TRANSLIT', 'ä')), ' ', iconv('UTF-8', 'UTF-16LE//IGNORE', 'a')[0];",
    );
    assert_eq!(told, "CEST ÄSS cbt e4 a");
}

#[test]
fn a_fiber_runs_to_its_end_and_says_why_it_cannot_wait() {
    let told = printed_by(
        "<?php $fiber = new Fiber(function ($x) { try { Fiber::suspend(); } catch (FiberError $e) { echo $e->getMessage(), \"\\n\"; }
            return json_encode(Fiber::getCurrent()) . $x; });
        $fiber->start(7); echo $fiber->getReturn(), (int) $fiber->isTerminated();
        try { (new Fiber(fn () => throw new LogicException('out')))->start(); } catch (LogicException $e) { echo $e->getMessage(); }",
    );
    assert_eq!(
        told,
        "Cannot suspend a fiber: PHP for WebAssembly has one stack, on which fibers run to completion\nnull71out"
    );
}

/// Ways for calls to nest without end, through functions in C.
const RECURSIONS: &[&str] = &[
    "function f() { return array_map('f', [1]); } f();",
    "function f() { $a = [1, 2]; usort($a, fn () => f()); } f();",
    "function f() { return preg_replace_callback('/a/', fn () => f(), 'a'); } f();",
    "class A { function __get($name) { $copy = clone $this; return $copy->x; } } (new A)->x;",
    "class A { function __toString() { return sprintf('%s', new A); } } echo new A;",
    "$a = []; for ($i = 0; $i < 100000; $i++) $a = [$a]; serialize($a);",
];

#[test]
fn recursion_without_end_is_an_error_of_php() {
    for code in RECURSIONS {
        let ended = output(&mut command(&["-d", "memory_limit=200M", "-r", code]));
        let said = stdout(&ended) + &stderr(&ended);
        assert!(
            said.contains("Maximum call stack size of"),
            "{code}: {said}"
        );
    }
}
