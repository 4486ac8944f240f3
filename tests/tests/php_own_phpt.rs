//! PHP's own tests on our PHP: every eighth of them, or with PHP_TESTS=all every one (`make test-phpt`). Those that native PHP does not pass
//! either stand in `tests/phpt/native.txt`; where ours ends worse than native, `tests/phpt/failing.txt` says why.

use std::collections::BTreeSet;

use mod_wasm_tests::phpt::{Phpt, Row, compare, file, listed, table};

/// The sample is spread over all folders, and takes about two minutes on two cores.
const ONE_OF: usize = 8;

/// What each part passes at least of what native PHP passes, in percent.
const AT_LEAST: f64 = 98.0;

/// Where a sandbox is not enough for that: fibers; processes, network, modes and links; mail; a just-in-time compiler; extensions that are loaded.
const LESS: [(&str, f64); 5] = [
    ("Zend", 97.5),
    ("ext/standard", 90.0),
    ("ext/mbstring", 97.0),
    ("ext/pcre", 96.0),
    ("ext/sqlite3", 96.0),
];

fn is_low(row: &Row) -> bool {
    let less = LESS.iter().find(|(part, _)| *part == row.part);
    let least = less.map_or(AT_LEAST, |(_, percent)| *percent);
    !["others", "all"].contains(&row.part.as_str()) && row.percent() < least
}

#[test]
fn php_passes_what_native_php_passes_but_for_what_is_listed() {
    let failing = listed(include_str!("../phpt/failing.txt"));
    let native = listed(include_str!("../phpt/native.txt"));
    let phpt = Phpt::ours(env!("CARGO_BIN_EXE_phpt-request"));
    let names = phpt.names();
    let known: BTreeSet<_> = names.iter().map(String::as_str).collect();
    for name in failing.keys().chain(native.keys()) {
        assert!(known.contains(file(name)), "no such test: {name}");
    }

    let all = std::env::var("PHP_TESTS").is_ok_and(|value| value == "all");
    let sample: Vec<_> = names
        .into_iter()
        .step_by(if all { 1 } else { ONE_OF })
        .collect();
    let endings = phpt.run(&sample);
    let rows = table(&endings, &native);
    println!(
        "| part | tests | native passes | ours passes | both | of native's |\n|---|---|---|---|---|---|"
    );
    for row in &rows {
        println!("{}", row.markdown());
    }
    let wrong: Vec<_> = compare(&endings, &native, &failing)
        .into_iter()
        .map(|(name, what)| format!("{name}: {what}\n{}", phpt.difference(file(name))))
        .collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    // Of a sample, one test can be more than that.
    let low = rows.iter().find(|row| all && is_low(row));
    assert!(
        low.is_none(),
        "too few: {}",
        low.map_or_else(String::new, |row| row.markdown())
    );
    // Lists of what fails do not notice where hardly anything is run any more.
    let sum = rows.last().expect("a sum");
    assert!(
        sum.ours * 10 > sum.tests * 8,
        "only {} of {} tests passed",
        sum.ours,
        sum.tests
    );
}
