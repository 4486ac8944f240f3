//! Our own PHP: what SQLite takes from the host, seen from scripts.

use std::process::Command;

use mod_wasm_tests::{Server, Site, php, printed, program};

fn serve(code: &str) -> Server {
    php::serve(&[("page.php", code)], "")
}

fn sqlite3(server: &Server, statement: &str) -> String {
    let mut shell = Command::new(program("sqlite3", "sqlite3"));
    printed(shell.args(["-batch", &server.path("data/db"), statement]))
}

#[test]
fn a_commit_and_fsync_reach_the_disk() {
    let code = "<?php $db = new PDO('sqlite:/data/db'); $db->exec('create table t (a)'); $h = fopen('/data/file', 'w'); fwrite($h, 'x'); echo json_encode([fsync($h), fdatasync($h)]);";
    let httpd = php::httpd(Site::new(), &[("page.php", code)], "");
    let server = httpd.traced("fsync,fdatasync").start();
    assert_eq!(server.get("/page.php").expect(200).text(), "[true,true]");
    let trace = std::fs::read_to_string(server.path("trace")).expect("strace writes");
    for file in ["db", "db-journal", "file"] {
        let path = format!("<{}>", server.path(&format!("data/{file}")));
        let synced = trace
            .lines()
            .any(|line| line.contains(&path) && line.ends_with("= 0"));
        assert!(synced, "{file} is not synced in:\n{trace}");
    }
}

#[test]
fn temporary_tables_and_large_values_work() {
    let code = "<?php $db = new PDO('sqlite:/data/db'); $db->exec('create temp table t (b blob)'); $blob = random_bytes(20 << 20);
        $insert = $db->prepare('insert into t values (?)'); $insert->bindValue(1, $blob, PDO::PARAM_LOB); $insert->execute(); $db->exec('create table kept as select * from t');
        echo json_encode([$db->query('select b from t')->fetchColumn() === $blob, $db->query('select b from kept')->fetchColumn() === $blob, $db->query('select count(*) from (select hex(b) x from t union all select hex(b) from t order by x)')->fetchColumn()]);";
    let server = php::serve(
        &[(
            "page.php",
            &format!("<?php ini_set('memory_limit', '300M'); ?>{code}"),
        )],
        "WasmMemoryLimit 600M",
    );
    assert_eq!(server.get("/page.php").expect(200).text(), "[true,true,2]");
    assert_eq!(
        sqlite3(&server, "select length(b) from kept"),
        format!("{}\n", 20 << 20)
    );
}

/// Tries to write to a database that this connection finds locked by that one.
const LOCKED: &str = "<?php $one = new PDO('sqlite:/data/db'); $one->exec('create table if not exists t (a)'); $one->beginTransaction(); $one->exec('insert into t values (1)');
    $two = new PDO('sqlite:/data/db', options: [PDO::ATTR_TIMEOUT => 1]); $begin = microtime(true);
    try { $two->exec('insert into t values (2)'); echo 'written'; } catch (PDOException $e) { echo $e->getMessage(), ' ', microtime(true) - $begin > 0.5 ? 'waited' : 'at once'; }
    $one->commit(); echo ' ', $two->exec('insert into t values (2)');";

#[test]
fn a_busy_timeout_is_waited_for() {
    let told = serve(LOCKED).get("/page.php").expect(200).text();
    assert_eq!(
        told,
        "SQLSTATE[HY000]: General error: 5 database is locked waited 1"
    );
}

/// What both classes say of a database.
const COUNT: &str = "<?php try { echo (new PDO('sqlite:/data/db', options: [PDO::ATTR_TIMEOUT => 0]))->query('select count(*) from t')->fetchColumn(); } catch (PDOException $e) { echo $e->getMessage(); }
    echo ' / '; $db = new SQLite3('/data/db'); $db->enableExceptions(true); try { echo $db->querySingle('select count(*) from t'); } catch (Exception $e) { echo $e->getMessage(); }";

#[test]
fn a_database_in_wal_mode_that_others_have_open_is_left_alone_and_the_error_names_the_cure() {
    let server = serve(COUNT);
    // The shell has it open while it waits for the page.
    let ask = format!("curl -s http://{}/page.php", server.address());
    let script = format!(
        "pragma journal_mode = WAL; create table t (a); insert into t values (1);\n.shell chmod a+rw {}*\n.shell {ask}",
        server.path("data/db")
    );
    let site = server.site();
    let commands = site.file("commands", script);
    let told = sqlite3(&server, &format!(".read {commands}"));
    for said in told.split(" / ") {
        assert!(
            said.contains("database is locked: it is in WAL mode"),
            "{told}"
        );
        assert!(said.contains("PRAGMA journal_mode=DELETE"), "{told}");
    }
    assert_eq!(server.get("/page.php").expect(200).text(), "1 / 1");
    assert_eq!(sqlite3(&server, "pragma integrity_check"), "ok\n");
    sqlite3(&server, "pragma journal_mode=DELETE");
    assert_eq!(sqlite3(&server, "pragma journal_mode"), "delete\n");
    assert_eq!(server.get("/page.php").expect(200).text(), "1 / 1");
}
