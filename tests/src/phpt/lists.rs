//! Lists of tests under headings: those that end otherwise here than natively, by cause, and those that native PHP does not pass, by ending.

use std::collections::BTreeMap;

use super::Endings;

/// Test and heading.
pub type Listed<'a> = BTreeMap<&'a str, &'a str>;

/// Reads a list: a heading is a line that begins with `#`, its tests follow.
pub fn listed(text: &str) -> Listed<'_> {
    let mut heading = "";
    let mut listed = Listed::new();
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(text) => heading = text,
            None => assert!(
                listed.insert(line, heading).is_none(),
                "{line} stands twice"
            ),
        }
    }
    listed
}

/// The list of those that did not pass.
pub fn written(endings: &Endings) -> String {
    let mut groups = BTreeMap::<&str, Vec<&str>>::new();
    for (name, ending) in endings.iter().filter(|(_, ending)| !passed(ending)) {
        groups.entry(ending).or_default().push(name);
    }
    groups
        .iter()
        .map(|(ending, names)| format!("# {ending}\n{}\n", names.join("\n")))
        .collect()
}

/// `WARNED` is a test that passed at the second attempt.
pub fn passed(ending: &str) -> bool {
    ["PASSED", "WARNED"].contains(&ending)
}

/// Whether a test ended worse here than natively, so that its cause has to be listed: native PHP passes it and ours does not, or only ours
/// fails it.
fn differs(ours: &str, native: Option<&&str>) -> bool {
    let failed = |ending: &str| !passed(ending) && !["SKIPPED", "XFAILED"].contains(&ending);
    match native {
        None => !passed(ours),
        Some(native) => failed(ours) && !failed(native),
    }
}

/// Tests that end worse here than natively and are not listed, and listed ones that do not; with what is wrong.
pub fn compare<'a>(
    endings: &'a Endings,
    native: &Listed,
    failing: &Listed,
) -> Vec<(&'a str, String)> {
    let wrong = |(name, ending): (&'a String, &'a String)| {
        let name = name.as_str();
        let worse = differs(ending, native.get(name));
        match (worse, failing.get(name)) {
            (true, None) => Some((name, format!("{ending}, and natively not"))),
            (false, Some(cause)) => Some((name, format!("{ending}, and listed to fail: {cause}"))),
            _ => None,
        }
    };
    endings.iter().filter_map(wrong).collect()
}
