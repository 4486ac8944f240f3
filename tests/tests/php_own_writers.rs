//! Our own PHP: one database, many writers, and nothing that was acknowledged is lost, whatever ends in between.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::thread;
use std::time::Duration;

use mod_wasm_tests::{Mpm, Server, Site, php, printed, program, wait_until};

const WRITERS: usize = 50;
const ROWS_OF_EACH: usize = 100;

/// Rows in one request, which is one transaction.
const BATCH: usize = 10;

const INSERT: &str = "<?php $db = new PDO('sqlite:/shared/db', options: [PDO::ATTR_TIMEOUT => 100]); $db->exec('create table if not exists t (batch)');
    $db->exec('begin immediate'); $insert = $db->prepare('insert into t values (?)'); for ($i = 0; $i < $_GET['rows']; $i++) $insert->execute([$_GET['batch']]);
    $db->exec('commit'); echo 'ok';";

/// Begins a transaction, says so, and computes until its deadline. What is said before a tenth of a second has passed would wait for the next word.
const STUCK: &str = "<?php $db = new PDO('sqlite:/shared/db', options: [PDO::ATTR_TIMEOUT => 100]); $db->exec('begin immediate');
    $db->exec(\"insert into t values ('stuck')\"); usleep(200000); echo 'within'; flush(); while (true);";

fn serve(volume: &str, mpm: Mpm) -> Server {
    let scripts = [("insert.php", INSERT), ("stuck/stuck.php", STUCK)];
    let site = Site::new();
    let lines = format!(
        "WasmMapDir /shared {volume}\nWasmTimeout 120\n</Directory>\n<Directory {}>\nWasmTimeout 3",
        site.path("htdocs/stuck")
    );
    let httpd = php::httpd(site, &scripts, &lines);
    let server = httpd.mpm(mpm).threads(16).start();
    server.allow_log("server reached MaxRequestWorkers"); // the others wait for their turn
    server
}

fn sqlite3(database: &str, statement: &str) -> String {
    let mut shell = Command::new(program("sqlite3", "sqlite3"));
    printed(shell.args(["-batch", "-cmd", ".timeout 60000", database, statement]))
}

/// What was answered by "ok" and what was not answered at all: names of batches.
#[derive(Default)]
struct Told {
    done: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

/// Writes its rows, batch by batch. One whose child dies is written again, under another name.
fn write(server: &Server, writer: usize) -> Told {
    let mut told = Told::default();
    for attempt in 0.. {
        let name = format!("w{writer}a{attempt}");
        let target = format!("/insert.php?batch={name}&rows={BATCH}");
        match server.request("GET", &target).open().finish_if_alive() {
            Some(answer) if answer.complete => {
                assert_eq!(answer.expect(200).text(), "ok");
                told.done.insert(name);
            }
            _ => {
                told.unknown.insert(name);
            }
        }
        assert!(told.unknown.len() < 5, "one child was killed, not more");
        if told.done.len() == ROWS_OF_EACH / BATCH {
            break;
        }
    }
    told
}

/// Writers at all of these servers at a time; `meanwhile` runs when there are some rows.
fn write_at(servers: &[&Server], database: &str, meanwhile: impl FnOnce()) -> Told {
    let first = servers[0].get("/insert.php?batch=first&rows=1");
    assert_eq!(first.expect(200).text(), "ok");
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || write(servers[writer % servers.len()], writer)))
            .collect();
        wait_until("there are rows", Duration::from_secs(60), || {
            sqlite3(database, "select count(*) > 100 from t") == "1\n"
        });
        meanwhile();
        let mut all = Told::default();
        for writer in writers {
            let told = writer.join().expect("a writer was answered as expected");
            all.done.extend(told.done);
            all.unknown.extend(told.unknown);
        }
        all
    })
}

/// Each acknowledged row is there once, the others are there once or not at all, and no lock is left.
fn judge(server: &Server, database: &str, told: &Told) {
    let last = server.get("/insert.php?batch=last&rows=1");
    assert_eq!(last.expect(200).text(), "ok");
    assert_eq!(told.done.len() * BATCH, WRITERS * ROWS_OF_EACH);
    let listed = sqlite3(database, "select batch, count(*) from t group by batch");
    let found: BTreeMap<&str, &str> = listed
        .lines()
        .filter_map(|line| line.split_once('|'))
        .collect();
    for name in &told.done {
        assert!(found.contains_key(name.as_str()), "{name} is lost");
    }
    for (name, rows) in found {
        let whole = if ["first", "last"].contains(&name) {
            1
        } else {
            BATCH
        };
        assert_eq!(rows, whole.to_string(), "{name}");
        assert!(
            whole == 1 || told.done.contains(name) || told.unknown.contains(name),
            "nobody wrote {name}"
        );
    }
    assert_eq!(sqlite3(database, "pragma integrity_check"), "ok\n");
}

fn nothing_is_lost(mpm: Mpm) {
    let volume = Site::new();
    let folder = volume.writable_dir("volume");
    let database = format!("{folder}/db");
    let server = serve(&folder, mpm);
    let told = write_at(&[&server], &database, || {
        server.kill_child(server.children()[0]);
        let mut stuck = server.request("GET", "/stuck/stuck.php").open();
        stuck.read_until("within");
        assert!(!stuck.finish().complete, "the deadline did not end it");
    });
    server.expect_log("WASM0051");
    judge(&server, &database, &told);
}

#[test]
fn nothing_is_lost_under_event() {
    nothing_is_lost(Mpm::Event);
}

#[test]
fn nothing_is_lost_under_prefork() {
    nothing_is_lost(Mpm::Prefork);
}

#[test]
fn two_servers_write_to_one_volume() {
    let volume = Site::new();
    let folder = volume.writable_dir("volume");
    let database = format!("{folder}/db");
    let (one, other) = (serve(&folder, Mpm::Event), serve(&folder, Mpm::Prefork));
    let told = write_at(&[&one, &other], &database, || ());
    assert!(told.unknown.is_empty());
    judge(&other, &database, &told);
}
