//! Our own PHP: scripts that do not end, in each of the ways that runs are ended in.

use std::thread;
use std::time::{Duration, Instant};

use mod_wasm_tests::Site;
use mod_wasm_tests::php::httpd;

const ENDLESS: &[(&str, &str)] = &[
    ("endless_loop.php", "for (;;);"),
    (
        "endless_sort.php",
        "$a = range(1, 20000); for (;;) { shuffle($a); usort($a, fn ($a, $b) => $a <=> $b); sort($a); }",
    ),
    (
        "endless_pcre.php",
        "ini_set('pcre.backtrack_limit', '1000000000'); for (;;) preg_match('/^(a+)+$/', str_repeat('a', 40) . 'b');",
    ),
    (
        "endless_exceptions.php",
        "for (;;) { try { throw new Exception; } catch (Exception) { } }",
    ),
    (
        "endless_calls.php",
        "function f($n) { return $n < 2 ? $n : f($n - 1) + f($n - 2); } f(90);",
    ),
    (
        "endless_text.php",
        "for (;;) $x = strrev(str_replace('a', 'bb', str_repeat('a', 200000)));",
    ),
    (
        "endless_sqlite.php",
        "(new PDO('sqlite::memory:'))->query('with recursive n(i) as (values(1) union all select i + 1 from n)
           select count(*) from n')->fetch();",
    ),
    ("endless_hash.php", "$x = ''; for (;;) $x = hash('sha512', $x);"),
    ("endless_sleep.php", "for (;;) usleep(100);"),
    ("endless_files.php", "for (;;) file_put_contents('/tmp/x', md5_file('/app/endless_files.php'));"),
];

const CLIENTS: usize = 4;
const ROUNDS: usize = 10;

fn ends_them_all(way: &str) {
    let scripts: Vec<_> = ENDLESS
        .iter()
        .map(|(name, code)| (*name, format!("<?php {code}")))
        .chain([(
            "fine.php",
            "<?php echo array_sum(range(1, 1000));".to_owned(),
        )])
        .collect();
    let scripts: Vec<_> = scripts
        .iter()
        .map(|(name, code)| (*name, code.as_str()))
        .collect();
    let lines = "<FilesMatch ^endless>\nWasmTimeout 60ms\n</FilesMatch>";
    let httpd = httpd(Site::new(), &scripts, lines);
    let server = httpd
        .environment(&[&format!("MOD_WASM_INTERRUPTION={way}")])
        .start();
    let child = server.child();
    let late = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let server = &server;
                scope.spawn(move || {
                    let mut late = Vec::new();
                    for run in 0..ROUNDS * ENDLESS.len() {
                        let (name, _) = ENDLESS[(client * 3 + run) % ENDLESS.len()];
                        let begun = Instant::now();
                        server.get(&format!("/{name}")).expect(504);
                        late.push(begun.elapsed().saturating_sub(Duration::from_millis(60)));
                        assert_eq!(
                            server.get("/fine.php").expect(200).text(),
                            "500500",
                            "after {name}"
                        );
                    }
                    late
                })
            })
            .collect();
        let mut late: Vec<_> = clients
            .into_iter()
            .flat_map(|it| it.join().expect("it asserts"))
            .collect();
        late.sort();
        late
    });
    let count = late.len();
    println!(
        "{way}: {count} answers late by: half of them {:?}, 99 % {:?}, all {:?}",
        late[count / 2],
        late[count * 99 / 100],
        late[count - 1]
    );
    assert_eq!(server.child(), child, "no child was lost");
    server.expect_logs("WASM0051", count);
}

#[test]
fn epochs_end_scripts_that_do_not() {
    ends_them_all("epochs");
}

#[test]
fn a_page_ends_scripts_that_do_not() {
    ends_them_all("page");
}
