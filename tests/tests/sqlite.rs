//! SQLite, with locks by `fd_lock`: many writers, the host's own among them, and writers that die.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use mod_wasm_tests::{
    Exchange, Mpm, Server, Site, cgi_endpoint, guest, printed, program, wait_until,
};

const WRITERS: usize = 50;
const ROWS_OF_EACH: usize = 100;

/// Rows in one request, which is one transaction.
const BATCH: usize = 10;

/// `/db` and `/short`, which has three seconds, work on one database.
fn server(mpm: Mpm) -> Server {
    let site = Site::new();
    let mount = format!("WasmMapDir /data {}", site.writable_dir("data"));
    let sqlite = guest("sqlite_probe");
    let conf = cgi_endpoint("/db", &sqlite, &format!("{mount}\nWasmTimeout 120"))
        + &cgi_endpoint("/short", &sqlite, &format!("{mount}\nWasmTimeout 3"))
        + "WasmQueueTimeout 120\n";
    let server = site.httpd(conf).mpm(mpm).threads(64).start();
    assert_eq!(ask(&server, "do=create"), "done\n");
    server
}

fn ask(server: &Server, query: &str) -> String {
    server.get(&format!("/db?{query}")).expect(200).text()
}

fn insert(name: &str, count: usize, patience: u32) -> String {
    format!("do=insert&name={name}&count={count}&patience={patience}")
}

/// The host's own SQLite.
fn shell(server: &Server, statement: &str) -> Command {
    let mut shell = Command::new(program("sqlite3", "sqlite3"));
    shell.args(["-batch", &server.path("data/database"), statement]);
    shell
}

fn patient_shell(server: &Server, statement: &str) -> String {
    printed(shell(server, statement).args(["-cmd", ".timeout 60000"]))
}

/// A run in the middle of a transaction whose changes are in the database's file already.
fn spoiler(server: &Server, place: &str) -> Exchange {
    let query = "do=spoil&patience=60000";
    server.request("GET", &format!("{place}?{query}")).open()
}

/// The child that has the journal of a transaction open for writing; others may just look whether it is a dead writer's.
fn writing_child(server: &Server) -> u32 {
    let journal = server.path("data/database-journal");
    let writes = |child: &u32| {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{child}/fd")) else {
            return false;
        };
        descriptors.flatten().any(|descriptor| {
            let target = fs::read_link(descriptor.path());
            // The mode of the link is how the file was opened.
            let mode = descriptor.metadata().map(|link| link.permissions().mode());
            target.is_ok_and(|target| target.as_os_str() == journal.as_str())
                && mode.is_ok_and(|mode| mode & 0o200 != 0)
        })
    };
    let child = server.children().into_iter().find(writes);
    child.expect("a child writes to the database")
}

/// What was answered by "done" and what was not answered at all: names of batches.
#[derive(Default)]
struct Told {
    done: Vec<String>,
    unknown: Vec<String>,
}

/// Writes its rows, batch by batch. One whose child dies is written anew, under another name.
fn write(server: &Server, writer: usize) -> Told {
    let mut told = Told::default();
    for attempt in 0.. {
        let name = format!("w{writer}a{attempt}");
        let target = format!("/db?{}", insert(&name, BATCH, 60_000));
        match server.request("GET", &target).open().finish_if_alive() {
            Some(answer) if answer.complete => {
                assert_eq!(answer.expect(200).text(), "done\n");
                told.done.push(name);
            }
            _ => told.unknown.push(name),
        }
        assert!(told.unknown.len() < 5, "one child was killed, not more");
        if told.done.len() == ROWS_OF_EACH / BATCH {
            break;
        }
    }
    told
}

/// Two runs are ended by their deadline within a transaction.
fn die_by_deadline(server: &Server) {
    for _ in 0..2 {
        let answer = (0..20)
            .map(|_| spoiler(server, "/short").finish())
            .find(|answer| answer.partial_text() == "spoiled\n");
        let answer = answer.expect("a transaction begins in time");
        assert!(!answer.complete, "it was not ended");
    }
}

/// A child is killed while one of its runs is within a transaction; the host's SQLite sees the lock until then.
fn die_with_the_child(server: &Server) {
    let mut spoiler = spoiler(server, "/db");
    spoiler.read_until("spoiled\n");
    let refused = shell(server, "BEGIN IMMEDIATE").output();
    let refused = refused.expect("sqlite3 runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("database is locked"), "{refused:?}");
    server.kill_child(writing_child(server));
}

fn write_by_shell(server: &Server) -> Vec<String> {
    let names: Vec<String> = (0..20).map(|number| format!("shell{number}")).collect();
    for name in &names {
        let row = format!("INSERT INTO entries VALUES ('{name}.0', 'by the host')");
        patient_shell(server, &row);
    }
    names
}

/// How many rows there are of each batch.
fn batches(server: &Server) -> BTreeMap<String, usize> {
    let mut batches = BTreeMap::new();
    let names = ask(server, "do=names&patience=60000");
    for name in names.lines().filter(|name| *name != "done") {
        let (batch, _) = name.rsplit_once('.').expect("names end in a number");
        *batches.entry(batch.to_owned()).or_default() += 1;
    }
    batches
}

fn nothing_is_lost(mpm: Mpm) {
    let server = server(mpm);
    let (writers, by_shell) = thread::scope(|scope| {
        let server = &server;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || write(server, writer)))
            .collect();
        let by_shell = scope.spawn(|| write_by_shell(server));
        wait_until(
            "there is something to spoil",
            Duration::from_secs(60),
            || patient_shell(server, "SELECT count(*) > 100 FROM entries") == "1\n",
        );
        die_by_deadline(server);
        die_with_the_child(server);
        let writers: Vec<Told> = writers
            .into_iter()
            .map(|writer| writer.join().expect("a writer was answered as expected"))
            .collect();
        (writers, by_shell.join().expect("the shell wrote"))
    });
    server.expect_log("WASM0051");

    // No lock is left: this one does not wait.
    assert_eq!(ask(&server, &insert("after", 1, 0)), "done\n");
    assert_eq!(ask(&server, "do=check"), "ok\ndone\n");
    assert_eq!(patient_shell(&server, "PRAGMA integrity_check"), "ok\n");

    let found = batches(&server);
    let of_one: BTreeSet<&str> = by_shell
        .iter()
        .map(String::as_str)
        .chain(["after"])
        .collect();
    let done: BTreeSet<&str> = writers
        .iter()
        .flat_map(|told| told.done.iter().map(String::as_str))
        .collect();
    let unknown: BTreeSet<&str> = writers
        .iter()
        .flat_map(|told| told.unknown.iter().map(String::as_str))
        .collect();
    assert_eq!(done.len() * BATCH, WRITERS * ROWS_OF_EACH);
    for name in done.iter().chain(&of_one) {
        assert!(
            found.contains_key(*name),
            "{name} was acknowledged and is not there"
        );
    }
    for (name, rows) in &found {
        let name = name.as_str();
        let whole = if of_one.contains(name) { 1 } else { BATCH };
        assert_eq!(*rows, whole, "{name} is there in part");
        assert!(
            done.contains(name) || of_one.contains(name) || unknown.contains(name),
            "{name} is there and nobody wrote it"
        );
    }
}

#[test]
fn nothing_is_lost_under_event() {
    nothing_is_lost(Mpm::Event);
}

#[test]
fn nothing_is_lost_under_prefork() {
    nothing_is_lost(Mpm::Prefork);
}

/// A run died in the middle of a transaction, and left what it had written and a journal.
fn leave_a_journal(server: &Server) {
    let answer = spoiler(server, "/short").finish();
    assert_eq!(
        (answer.partial_text().as_str(), answer.complete),
        ("spoiled\n", false)
    );
    let journal = fs::metadata(server.path("data/database-journal"));
    assert!(journal.expect("there is a journal").len() > 0);
    let database = fs::read(server.path("data/database")).expect("there is a database");
    let spoiled = database.windows(7).any(|bytes| bytes == b"spoiled");
    assert!(spoiled, "the dead run left too little for this test");
}

#[test]
fn whoever_comes_next_undoes_what_a_dead_run_left() {
    let server = server(Mpm::Event);
    assert_eq!(ask(&server, &insert("row", 100, 0)), "done\n");
    for _ in 0..2 {
        leave_a_journal(&server);
        let names = ask(&server, "do=names");
        assert!(
            names.contains("row.0\n") && !names.contains("spoiled"),
            "{names}"
        );
        assert_eq!(ask(&server, "do=check"), "ok\ndone\n");

        leave_a_journal(&server);
        let count = "SELECT count(*), sum(content LIKE 'spoiled%') FROM entries";
        assert_eq!(patient_shell(&server, count), "100|0\n");
        assert_eq!(patient_shell(&server, "PRAGMA integrity_check"), "ok\n");
    }
    server.expect_log("WASM0051");
}

#[test]
fn there_is_no_wal_mode() {
    let server = server(Mpm::Event);
    assert_eq!(ask(&server, "do=wal"), "delete\ndone\n");
    patient_shell(&server, "PRAGMA journal_mode = WAL");
    assert_eq!(ask(&server, "do=names"), "unable to open database file\n");
}
