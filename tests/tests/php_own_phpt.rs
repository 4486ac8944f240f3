//! PHP's own tests on our PHP: every eighth of them, or with PHP_TESTS=all every one (`make php-tests`). Those that fail stand in
//! `tests/phpt/failing.txt`, by cause.

use std::collections::{BTreeMap, BTreeSet};

use mod_wasm_tests::phpt::{Endings, Phpt};

/// The sample is spread over all folders, and takes about two minutes on two cores.
const ONE_OF: usize = 8;

type Listed = BTreeMap<&'static str, &'static str>;

/// Test and cause. A cause is a line that begins with `#`; its tests follow.
fn listed(text: &'static str) -> Listed {
    let mut cause = "";
    let mut listed = Listed::new();
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(text) => cause = text,
            None => assert!(listed.insert(line, cause).is_none(), "{line} stands twice"),
        }
    }
    listed
}

/// The test's file: words before it tell what else it is run for.
fn file(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or(name)
}

fn faults(phpt: &Phpt, endings: &Endings, failing: &Listed) -> Vec<String> {
    let faults = endings.iter().filter_map(|(name, ending)| {
        let failed = !["PASSED", "SKIPPED", "XFAILED"].contains(&ending.as_str());
        match (failed, failing.get(name.as_str())) {
            (true, None) => Some(format!("{name}: {ending}\n{}", phpt.difference(file(name)))),
            (false, Some(cause)) => Some(format!("{name}: {ending}, and listed to fail: {cause}")),
            _ => None,
        }
    });
    faults.collect()
}

#[test]
fn php_passes_its_own_tests_but_for_those_listed() {
    let failing = listed(include_str!("../phpt/failing.txt"));
    let phpt = Phpt::new();
    let names = phpt.names();
    let known: BTreeSet<_> = names.iter().map(String::as_str).collect();
    for name in failing.keys() {
        assert!(known.contains(file(name)), "no such test: {name}");
    }

    let all = std::env::var("PHP_TESTS").is_ok_and(|value| value == "all");
    let sample: Vec<_> = names
        .into_iter()
        .step_by(if all { 1 } else { ONE_OF })
        .collect();
    let endings = phpt.run(&sample);
    let count = |ending: &str| endings.values().filter(|other| *other == ending).count();
    let (passed, skipped) = (count("PASSED"), count("SKIPPED"));
    let total = endings.len();
    println!("PHP's own tests: {total}, of which {passed} passed and {skipped} were skipped");
    let faults = faults(&phpt, &endings, &failing);
    assert!(
        faults.is_empty(),
        "{}:\n{}",
        faults.len(),
        faults.join("\n")
    );
    // Lists of what fails do not notice where hardly anything is run any more.
    assert!(
        passed * 10 > total * 8,
        "only {passed} of {total} tests passed"
    );
}
