//! Our own PHP is started once: a request that begins in the snapshot finds what one finds that starts PHP itself, and nothing of another.

use std::collections::BTreeSet;

use mod_wasm_tests::command::{bare, output, stderr, stdout};
use mod_wasm_tests::{Site, php, program};

const PAGES: &[(&str, &str)] = &[
    (
        "random.php",
        "<?php echo bin2hex(random_bytes(8)), ' ', mt_rand(), ' ', rand(), ' ', uniqid('', true), ' ', spl_object_hash(new stdClass), ' ', (new PDO('sqlite::memory:'))->query('select random()')->fetchColumn(), ' ', bin2hex(sodium_crypto_secretbox_keygen());",
    ),
    (
        "state.php",
        "<?php $GLOBALS['seen'] = isset($seen); static $n = 0; ini_set('precision', '3'); define('LEFT', 1); putenv('LEFT=1'); echo json_encode([++$n, $seen, getenv('QUERY_STRING'), $_ENV['X'] ?? null, getenv('GIVEN')]);",
    ),
    (
        "time.php",
        "<?php echo abs(time() - $_GET['now']) < 60 ? 'now' : 'then', ' ', getenv('LEFT') === false && !defined('LEFT') ? 'clean' : 'dirty';",
    ),
];

#[test]
fn requests_begin_in_the_snapshot_and_its_start_is_not_repeated() {
    let site = Site::new();
    site.file("php/php.ini", "precision = 5\n");
    let mount = format!(
        "WasmMapDir /etc/php {} ro\nWasmPreinit On",
        site.path("php")
    );
    let code = "<?php file_put_contents('/data/x', 'x'); echo ini_get('precision');";
    let server = php::serve_site(site, &[("page.php", code)], &mount);
    assert_eq!(server.get("/page.php").expect(200).text(), "5");
    // Who started PHP in this request would read this.
    std::fs::write(server.path("php/php.ini"), "precision = 9\n").expect("the file can be changed");
    assert_eq!(server.get("/page.php").expect(200).text(), "5");
}

#[test]
fn what_is_random_differs_from_request_to_request() {
    let server = php::serve(PAGES, "WasmPreinit On");
    let answers: Vec<String> = (0..6)
        .map(|_| server.get("/random.php").expect(200).text())
        .collect();
    for (column, name) in ["random_bytes", "mt_rand", "rand", "uniqid"]
        .iter()
        .enumerate()
    {
        let values: BTreeSet<_> = answers
            .iter()
            .map(|line| line.split(' ').nth(column))
            .collect();
        assert_eq!(values.len(), answers.len(), "{name} repeats: {answers:?}");
    }
    for column in [5, 6] {
        let values: BTreeSet<_> = answers
            .iter()
            .map(|line| line.split(' ').nth(column))
            .collect();
        assert_eq!(
            values.len(),
            answers.len(),
            "column {column} repeats: {answers:?}"
        );
    }
}

#[test]
fn a_request_finds_its_own_environment_and_nothing_of_the_one_before() {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("it is after 1970");
    for preinit in ["On", "Off"] {
        let server = php::serve(
            PAGES,
            &format!("WasmPreinit {preinit}\nWasmEnv GIVEN value"),
        );
        for query in ["a=1", "b=2"] {
            let told = server
                .get(&format!("/state.php?{query}"))
                .expect(200)
                .text();
            assert_eq!(
                told,
                format!(r#"[1,false,"{query}",null,"value"]"#),
                "{preinit}"
            );
            let told = server
                .get(&format!("/time.php?now={}", now.as_secs()))
                .expect(200)
                .text();
            assert_eq!(told, "now clean", "{preinit}");
        }
    }
}

#[test]
fn a_command_begins_in_the_snapshot_of_its_section() {
    let server = php::serve(&[("page.php", "<?php echo 'answered';")], "WasmPreinit On");
    assert_eq!(server.get("/page.php").expect(200).text(), "answered");
    let run = |arguments: &[&str]| {
        let mut command = bare();
        command.args(["--section", &server.path("htdocs"), "--httpd"]);
        command.arg(program("apache2", "apache2"));
        command.args(["--config", &server.path("httpd.conf"), "--"]);
        command.args(arguments);
        output(&mut command)
    };
    let code = "echo PHP_SAPI, php_sapi_name(), ini_get('html_errors'), ini_get('precision'), $argv[1]; fwrite(STDERR, 'aside');";
    let told = run(&["-d", "precision=7", "-r", code, "x"]);
    assert_eq!(stdout(&told), "clicli07x", "{}", stderr(&told));
    assert!(stderr(&told).contains("aside"));
    let late = run(&["-n", "-r", "echo 1;"]);
    assert!(stderr(&late).contains("-c and -n come too late"));
}
