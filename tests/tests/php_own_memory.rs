//! Our own PHP: memory of libraries is a part of memory_limit, and large blocks keep what is in them.

use mod_wasm_tests::command::{output, stderr, stdout};
use mod_wasm_tests::php::{command, command_with, printed_by, serve};

/// What takes a library more memory than a script may have.
const GREEDY: &[&str] = &[
    "(new DOMDocument)->loadXML('<a>' . str_repeat('<b/>', 200000) . '</a>');",
    "$d = new DOMDocument; for (;;) $kept[] = $d->createElement('a');",
    "simplexml_load_string('<a>' . str_repeat('<b/>', 400000) . '</a>');",
    "$w = new XMLWriter; $w->openMemory(); for (;;) $w->writeElement('a', 'b');",
    "$i = imagecreatetruecolor(1500, 1500); ob_start(); imagewebp($i);",
    "$i = imagecreatetruecolor(1500, 1500); imageinterlace($i, true); ob_start(); imagejpeg($i);",
    "for ($i = 0;; $i++) preg_match('/(' . str_repeat(\"a$i|\", 2000) . ')/', 'b');",
    "for ($i = 0;; $i++) mb_ereg('(' . str_repeat(\"a$i|\", 500) . ')', 'b');",
    "for (;;) $kept[] = deflate_init(ZLIB_ENCODING_GZIP);",
];

#[test]
fn a_library_that_takes_too_much_ends_in_the_error_of_php() {
    for code in GREEDY {
        let ended = output(&mut command(&["-d", "memory_limit=16M", "-r", code]));
        let said = stdout(&ended) + &stderr(&ended);
        assert!(
            said.contains("Allowed memory size of 16777216 bytes exhausted"),
            "{code}: {said}"
        );
        assert!(said.contains("on line 1"), "{code}: {said}");
    }
}

#[test]
fn a_size_near_the_largest_number_is_an_error_too() {
    let impossible = [
        "str_pad('x', PHP_INT_MAX);",
        "ftruncate(fopen('php://memory', 'w'), PHP_INT_MAX);",
        "(new SplFixedArray)->setSize((1 << 61) + 1);",
    ];
    for code in impossible {
        let ended = output(&mut command(&["-r", code]));
        let said = stdout(&ended) + &stderr(&ended);
        let is_error = said.contains("Allowed memory size") || said.contains("integer overflow");
        assert!(is_error, "{code}: {said}");
    }
}

#[test]
fn a_visitor_gets_an_ordinary_error_and_shutdown_functions_run() {
    let code = "<?php ini_set('memory_limit', '16M'); ini_set('display_errors', 0); ini_set('log_errors', 1); register_shutdown_function(function () { echo 'cleaned up'; });
        (new DOMDocument)->loadXML('<a>' . str_repeat('<b/>', 200000) . '</a>');";
    let server = serve(&[("page.php", code)], "");
    assert_eq!(server.get("/page.php").expect(500).text(), "cleaned up");
    server.expect_log("Allowed memory size of 16777216 bytes exhausted");
}

#[test]
fn sqlite_without_memory_undoes_its_transaction() {
    let told = printed_by(
        "<?php ini_set('memory_limit', '16M'); $db = new PDO('sqlite:/data/db'); $db->exec('pragma cache_size = 100000; create table t (a)');
        $db->exec('insert into t values (1)'); $db->exec('begin');
        try { for (;;) $db->prepare('insert into t values (?)')->execute([str_repeat('x', 500000)]); } catch (PDOException $e) { echo $e->getMessage(), ' '; }
        $again = new PDO('sqlite:/data/db'); echo $again->query('select count(*) from t')->fetchColumn(), ' ', $again->query('pragma integrity_check')->fetchColumn();",
    );
    assert_eq!(told, "SQLSTATE[HY000]: General error: 7 out of memory 1 ok");
}

#[test]
fn memory_of_libraries_is_seen_and_comes_back() {
    let told = printed_by(
        "<?php $before = memory_get_usage(); $d = new DOMDocument; $d->loadXML('<a>' . str_repeat('<b/>', 50000) . '</a>'); $with = memory_get_usage();
        unset($d); echo json_encode([$with - $before > 2000000, memory_get_usage() - $before < 100000]);",
    );
    assert_eq!(told, "[true,true]");
}

#[test]
fn large_images_are_resized_within_their_limits() {
    let code = "$i = imagecreatetruecolor(4000, 3000); $j = imagecreatetruecolor(2560, 1920); imagecopyresampled($j, $i, 0, 0, 0, 0, 2560, 1920, 4000, 3000); echo 'resized';";
    let mut run = command_with(
        &["--memory", "128M"],
        &["-d", "memory_limit=96M", "-r", code],
    );
    assert_eq!(stdout(&output(&mut run)), "resized");
}

/// addslashes() takes twice the room and gives the half back.
#[test]
fn large_blocks_that_shrink_and_grow_keep_what_is_in_them() {
    let told = printed_by(
        "<?php ini_set('memory_limit', '100M');
        for ($n = 0; $n < 6; $n++) { $kept[$n] = addslashes(\"'\" . str_repeat(chr(97 + $n), 2500000)); $others[$n] = str_repeat(chr(65 + $n), 2300000); }
        foreach ($kept as $n => $s) $whole[] = strspn($s, chr(97 + $n), 2) === 2500000 && strspn($others[$n], chr(65 + $n)) === 2300000;
        $s = ''; for ($i = 0; $i < 600; $i++) $s .= str_repeat('x', 10000); $whole[] = strspn($s, 'x') === 6000000;
        echo json_encode($whole);",
    );
    assert_eq!(told, "[true,true,true,true,true,true,true]");
}
