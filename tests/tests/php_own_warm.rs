//! Scripts that our own PHP has compiled before the snapshot, and lists of them.

use std::fs;

use mod_wasm_tests::{Server, Site, command, php};

/// Says which of these is compiled, and what it includes.
const PAGE: &str = r#"<?php
foreach (['page.php', 'src/one.php', 'src/deep/two.php', 'glob/a.php', 'glob/b.txt', 'listed/x.inc', 'other.php', 'broken/broken.php'] as $name) {
    echo $name, opcache_is_script_cached("/app/$name") ? " compiled\n" : " not compiled\n";
}
require '/app/src/one.php';
require '/app/changes.php';
echo same_name(), realpath_cache_size() > 0 ? ' known paths' : '';
"#;

const WARM: &str = "WasmPreinit On\n\
    WasmPreinitEnv PHP_WARM /app/page.php:/app/src:/app/glob/a*:/app/all.list:/app/nowhere:/app/broken:/app/changes.php\n\
    WasmEnv PHP_RECORD_WARM /data";

/// Two that declare the same function, as applications have them: each request includes one.
const SCRIPTS: &[(&str, &str)] = &[
    ("page.php", PAGE),
    (
        "src/one.php",
        "<?php class One {} function same_name() { return 'one'; }",
    ),
    (
        "src/deep/two.php",
        "<?php class Two extends Missing {} function same_name() { return 'two'; }",
    ),
    ("glob/a.php", "<?php const A = 1;"),
    ("glob/b.txt", "<?php"),
    ("listed/x.inc", "<?php function x() {}"),
    ("all.list", "/app/listed/x.inc\n"),
    ("other.php", "<?php"),
    ("broken/broken.php", "<?php function ("),
    ("changes.php", "<?php echo \"as it was\\n\";"),
];

const EXPECTED: &str = "page.php compiled\nsrc/one.php compiled\nsrc/deep/two.php compiled\nglob/a.php compiled\nglob/b.txt not compiled\n\
    listed/x.inc compiled\nother.php not compiled\nbroken/broken.php not compiled\n";

fn ask(server: &Server) -> String {
    server.get("/page.php").expect(200).text()
}

#[test]
fn what_is_named_is_compiled_and_what_is_not_is_said() {
    let server = php::serve(SCRIPTS, WARM);
    let said = server.expect_log("WASM0027");
    let said = &said[0].raw;
    assert!(
        said.contains("PHP_WARM: there is no /app/nowhere"),
        "{said}"
    );
    assert!(
        said.contains("1 of 7 scripts are not compiled, /app/broken/broken.php first"),
        "{said}"
    );

    assert_eq!(
        ask(&server),
        format!("{EXPECTED}as it was\none known paths")
    );
    // A file that changes is compiled anew; nobody has to restart anything.
    let file = server.path("htdocs/changes.php");
    fs::write(&file, "<?php echo \"as it is\\n\";").expect("the site can be written");
    assert_eq!(ask(&server), format!("{EXPECTED}as it is\none known paths"));

    // Both requests included the same: it is listed once.
    let list = fs::read_to_string(server.path("data/warm.list")).expect("there is a list");
    let listed: Vec<_> = list.lines().collect();
    assert_eq!(
        listed,
        ["/app/page.php", "/app/src/one.php", "/app/changes.php"]
    );
}

#[test]
fn where_nothing_ever_changes_nobody_looks() {
    let ini = "opcache.validate_timestamps=0\nrealpath_cache_ttl=0\n";
    let server = php::serve_with_ini(
        ini,
        SCRIPTS,
        "WasmPreinit On\nWasmPreinitEnv PHP_WARM /app/page.php:/app/src:/app/glob/a.php:/app/listed/x.inc:/app/changes.php",
    );
    let expected = format!("{EXPECTED}as it was\none known paths");
    assert_eq!(ask(&server), expected);
    let file = server.path("htdocs/changes.php");
    fs::remove_file(&file).expect("the site can be written");
    assert_eq!(ask(&server), expected);
}

#[test]
fn what_does_not_fit_is_said() {
    let site = Site::new();
    for number in 0..40 {
        let data = "'a string of some length', ".repeat(10_000);
        site.file(
            &format!("site/{number}.php"),
            format!("<?php return [{data}{number}];"),
        );
    }
    site.file(
        "php/php.ini",
        "opcache.memory_consumption=8\nopcache.interned_strings_buffer=2\n",
    );
    let mounts = [("/app", site.path("site")), ("/etc/php", site.path("php"))];
    let mut run = php::preinit_command("PHP_WARM=/app", &mounts, &["-r", "echo 'runs';"]);
    let output = command::output(&mut run);
    assert_eq!(command::stdout(&output), "runs");
    let said = command::stderr(&output);
    assert!(
        said.contains("not all scripts fit: raise opcache.memory_consumption (8 MB)"),
        "{said}"
    );
}

#[test]
fn a_command_lists_what_it_included() {
    let site = Site::new();
    site.file(
        "site/main.php",
        "<?php register_shutdown_function(fn () => require 'late.php'); require 'first.php';",
    );
    site.file("site/first.php", "<?php echo 'first';");
    site.file("site/late.php", "<?php echo ' late';");
    let folder = site.writable_dir("lists");
    let site = format!("--mount=/app={}:ro", site.path("site"));
    let lists = format!("--mount=/lists={folder}");
    for _ in 0..2 {
        let mut run = php::command_with(
            &[&site, &lists],
            &["--record-warm", "/lists/own.list", "/app/main.php"],
        );
        let output = command::output(&mut run);
        assert_eq!(
            (command::stdout(&output), command::stderr(&output)),
            ("first late".to_owned(), String::new())
        );
    }
    let list = fs::read_to_string(format!("{folder}/own.list")).expect("there is a list");
    assert_eq!(list, "/app/main.php\n/app/first.php\n/app/late.php\n");
    let mut run = php::command_with(
        &[&site],
        &["--record-warm", "/nowhere/own.list", "/app/first.php"],
    );
    let said = command::stderr(&command::output(&mut run));
    assert!(
        said.contains("--record-warm: /nowhere/own.list cannot be written"),
        "{said}"
    );
}
