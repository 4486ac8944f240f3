//! Our own PHP: locks that hold and databases that keep what is written, under many requests at a time.

use std::process::Command;
use std::thread;

use mod_wasm_tests::{Browser, Mpm, Server, Site, php, printed, program};

/// Asks for `target` this often, by this many at a time; `ask` does it.
fn in_parallel(visitors: usize, times: usize, ask: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..visitors {
            scope.spawn(|| (0..times).for_each(|_| ask()));
        }
    });
}

fn sqlite3(server: &Server, statement: &str) -> String {
    let mut shell = Command::new(program("sqlite3", "sqlite3"));
    printed(shell.args([
        "-batch",
        "-cmd",
        ".timeout 60000",
        &server.path("data/db"),
        statement,
    ]))
}

#[test]
fn flock_lets_one_in_at_a_time() {
    let code = "<?php $h = fopen('/data/n', 'c+'); flock($h, LOCK_EX) || exit('no lock'); $n = (int) stream_get_contents($h); usleep(1000);
        rewind($h); fwrite($h, (string) ($n + 1)); fflush($h); flock($h, LOCK_UN); echo 'ok';";
    let server = php::serve(&[("count.php", code)], "");
    in_parallel(8, 25, || {
        assert_eq!(server.get("/count.php").expect(200).text(), "ok")
    });
    let counted = std::fs::read_to_string(server.path("data/n")).expect("the scripts count");
    assert_eq!(counted, "200");
}

#[test]
fn a_lock_that_somebody_has_is_refused_to_who_does_not_wait() {
    let code = "<?php $one = fopen('/data/n', 'c+'); $two = fopen('/data/n', 'c+'); $blocked = 0;
        echo (int) flock($one, LOCK_EX), (int) flock($two, LOCK_EX | LOCK_NB, $blocked), $blocked, (int) flock($one, LOCK_UN), (int) flock($two, LOCK_SH), (int) flock($one, LOCK_SH);";
    assert_eq!(php::printed_by(code), "101111");
}

#[test]
fn requests_of_one_session_do_not_race() {
    let code = "<?php session_save_path('/data'); session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; usleep(1000); echo $_SESSION['n'];";
    let server = php::serve(&[("count.php", code)], "");
    let mut browser = Browser::new(&server);
    assert_eq!(browser.get("/count.php").expect(200).text(), "1");
    in_parallel(8, 25, || {
        browser.clone().get("/count.php").expect(200);
    });
    assert_eq!(browser.get("/count.php").expect(200).text(), "202");
}

const INSERT: &str = "<?php $db = new PDO('sqlite:/data/db', options: [PDO::ATTR_TIMEOUT => 60]); $db->exec('create table if not exists t (who)');
    $db->prepare('insert into t values (?)')->execute([$_GET['who'] ?? 'nobody']); echo 'ok';";

/// Writes within a transaction, says so, and stays there.
const STUCK: &str = "<?php $db = new PDO('sqlite:/data/db', options: [PDO::ATTR_TIMEOUT => 60]); $db->beginTransaction();
    $db->exec(\"insert into t values ('stuck')\"); echo 'within'; flush(); sleep(600);";

fn serve_writers(mpm: Mpm, lines: &str) -> Server {
    let scripts = [("insert.php", INSERT), ("stuck.php", STUCK)];
    let httpd = php::httpd(Site::new(), &scripts, lines);
    httpd.mpm(mpm).threads(16).start()
}

#[test]
fn no_row_of_many_writers_is_lost() {
    for mpm in [Mpm::Event, Mpm::Prefork] {
        let server = serve_writers(mpm, "");
        in_parallel(8, 25, || {
            assert_eq!(server.get("/insert.php").expect(200).text(), "ok");
            sqlite3(&server, "insert into t values ('the host')");
        });
        let counted = sqlite3(&server, "select count(*) from t; pragma integrity_check");
        assert_eq!(counted, "400\nok\n", "{mpm:?}");
    }
}

#[test]
fn a_writer_that_dies_leaves_neither_rows_nor_locks() {
    let server = serve_writers(Mpm::Event, "WasmTimeout 4");
    assert_eq!(server.get("/insert.php").expect(200).text(), "ok");
    let mut killed = server.request("GET", "/stuck.php").open();
    killed.read_until("within");
    server.kill_child(server.child());
    assert!(
        killed
            .finish_if_alive()
            .is_none_or(|answer| !answer.complete)
    );
    assert_eq!(server.get("/insert.php").expect(200).text(), "ok");
    let ended = server.get("/stuck.php");
    assert!(!ended.complete, "the deadline did not end it: {ended:?}");
    server.expect_log("WASM0051");
    assert_eq!(server.get("/insert.php").expect(200).text(), "ok");
    let counted = sqlite3(
        &server,
        "select count(*) from t where who = 'nobody'; select count(*) from t; pragma integrity_check",
    );
    assert_eq!(counted, "3\n3\nok\n");
}

#[test]
fn two_connections_of_one_script_share_their_locks() {
    let code = "<?php $one = new PDO('sqlite:/data/db'); $two = new PDO('sqlite:/data/db'); $one->exec('create table t (a)');
        for ($i = 0; $i < 3; $i++) { $one->exec('insert into t values (1)'); $two->exec('insert into t values (2)'); $r = $one->query('select a from t'); $r->fetch(); $s = $two->query('select a from t'); $s->fetch(); $r = null; $s = null; }
        $one->beginTransaction(); $one->exec('insert into t values (3)'); $two->exec('pragma busy_timeout = 10');
        try { $two->exec('insert into t values (4)'); echo 'written'; } catch (PDOException $e) { echo $e->getMessage(); }
        $one->commit(); echo $two->query('select count(*) from t')->fetchColumn();";
    let server = php::serve(&[("two.php", code)], "");
    let told = server.get("/two.php").expect(200).text();
    assert_eq!(
        told,
        "SQLSTATE[HY000]: General error: 5 database is locked7"
    );
    assert_eq!(
        sqlite3(&server, "insert into t values (5); select count(*) from t"),
        "8\n"
    );
}

#[test]
fn a_database_in_wal_mode_is_opened_alone_and_none_becomes_one() {
    let scripts = [
        (
            "mode.php",
            "<?php echo (new PDO('sqlite:/data/new'))->query('pragma journal_mode = WAL')->fetchColumn();",
        ),
        (
            "wal.php",
            "<?php $db = new PDO('sqlite:/data/db'); $db->exec('insert into t values (2)'); echo $db->query('select count(*) from t')->fetchColumn();",
        ),
    ];
    let server = php::serve(&scripts, "");
    assert_eq!(server.get("/mode.php").expect(200).text(), "delete");
    sqlite3(
        &server,
        "pragma journal_mode = WAL; create table t (a); insert into t values (1)",
    );
    let mut open = Command::new("chmod");
    printed(open.args(["a+rw", &server.path("data/db")]));
    assert_eq!(server.get("/wal.php").expect(200).text(), "2");
    assert_eq!(
        sqlite3(&server, "select count(*) from t; pragma integrity_check"),
        "2\nok\n"
    );
}

#[test]
fn compressed_files_and_standard_streams_are_streams_by_name() {
    let code = "<?php
        file_put_contents('compress.zlib:///tmp/a.gz', str_repeat('wasm', 5000));
        $file = gzopen('/tmp/a.gz', 'r');
        $start = gzread($file, 8);
        gzclose($file);
        echo $start, ' ', bin2hex(substr(file_get_contents('/tmp/a.gz'), 0, 2)), ' ', strlen(implode('', gzfile('/tmp/a.gz')));
        for ($i = 0; $i < 300; $i++) {
            gzclose(gzopen('/tmp/a.gz', 'r'));
        }
        file_put_contents('php://stderr', 'said aside');
        fclose(fopen('php://stdin', 'r'));
        echo ' ', strlen(file_get_contents('/tmp/a.gz')) < 1000 ? 'small' : 'large';";
    let server = php::serve(&[("page.php", code)], "");
    assert_eq!(
        server.get("/page.php").expect(200).text(),
        "wasmwasm 1f8b 20000 small"
    );
    server.expect_log("said aside");
}

#[test]
fn numbers_are_rounded_before_the_point_too() {
    assert_eq!(
        php::printed_by("<?php echo number_format(123456, -3), ' ', number_format(123456, -20);"),
        "123,000 0"
    );
}
