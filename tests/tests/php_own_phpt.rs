//! PHP's own tests on our PHP: every eighth of them, or with PHP_TESTS=all every one (`make php-tests`). Those that must fail stand in
//! `tests/phpt/failing.txt`, by cause.

use std::collections::BTreeMap;

use mod_wasm_tests::phpt::{Endings, Phpt};

/// A sample is spread over all folders, and takes about two minutes.
const ONE_OF: usize = 8;
/// Of a hundred tests that are run, skipped ones excepted. Fewer: something is wrong with the run itself.
const PASSING_PERCENT: usize = 90;

/// Test and cause. A cause is a line that begins with `#`; the tests follow it.
fn expected_failures() -> BTreeMap<&'static str, &'static str> {
    let mut cause = "";
    let mut failures = BTreeMap::new();
    for line in include_str!("../phpt/failing.txt").lines() {
        match line.strip_prefix("# ") {
            Some(text) => cause = text,
            None if line.is_empty() => {}
            None => assert!(
                failures.insert(line, cause).is_none(),
                "{line} is listed twice"
            ),
        }
    }
    failures
}

/// A redirected test is named after the file that leads to it.
fn file(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or(name)
}

fn unexpected(phpt: &Phpt, endings: &Endings) -> Vec<String> {
    let failures = expected_failures();
    let faults = endings.iter().filter_map(|(name, ending)| {
        let failed = !["PASSED", "SKIPPED", "XFAILED"].contains(&ending.as_str());
        match (failed, failures.get(name.as_str())) {
            (true, None) => Some(format!("{name}: {ending}\n{}", phpt.difference(file(name)))),
            (false, Some(cause)) => Some(format!("{name}: {ending}, and listed to fail: {cause}")),
            _ => None,
        }
    });
    faults.collect()
}

fn count(endings: &Endings, ending: &str) -> usize {
    endings.values().filter(|other| *other == ending).count()
}

#[test]
fn php_passes_its_own_tests_but_for_those_listed() {
    let phpt = Phpt::new();
    let all = phpt.names();
    let everything = std::env::var("PHP_TESTS").is_ok_and(|value| value == "all");
    let step = if everything { 1 } else { ONE_OF };
    let sample: Vec<_> = all.iter().step_by(step).cloned().collect();
    let unknown: Vec<_> = expected_failures()
        .into_keys()
        .filter(|name| !all.iter().any(|known| known == file(name)))
        .collect();
    assert!(
        unknown.is_empty(),
        "listed, and there are no such tests: {unknown:?}"
    );

    let endings = phpt.run(&sample);
    let (passed, skipped) = (count(&endings, "PASSED"), count(&endings, "SKIPPED"));
    println!(
        "{} tests of PHP: {passed} passed, {skipped} skipped",
        endings.len()
    );
    let faults = unexpected(&phpt, &endings);
    assert!(
        faults.is_empty(),
        "{} tests:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(
        endings.len() >= sample.len() && sample.len() > 10_000 / step,
        "{} of {} were run",
        endings.len(),
        sample.len()
    );
    assert!(
        passed * 100 >= (endings.len() - skipped) * PASSING_PERCENT,
        "only {passed} passed"
    );
}
