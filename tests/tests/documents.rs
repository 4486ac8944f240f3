//! The documentation and what it describes: neither may know what the other does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mod_wasm_tests::{Site, printed, program, root};

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What follows the beginning of those lines that begin so.
fn headings(page: &str, beginning: &str) -> BTreeSet<String> {
    let lines = page.lines().filter_map(|line| line.strip_prefix(beginning));
    lines
        .filter(|rest| rest.starts_with("Wasm") || rest.starts_with("WASM"))
        .map(|rest| rest.trim().to_owned())
        .collect()
}

#[test]
fn every_log_code_is_documented_and_every_documented_code_exists() {
    let header = read("mod_wasm/wasm_codes.h");
    let codes: BTreeSet<String> = header
        .split('"')
        .filter(|word| word.len() == 8 && word.starts_with("WASM"))
        .map(str::to_owned)
        .collect();
    assert!(codes.len() > 20, "{codes:?}");
    assert_eq!(codes, headings(&read("docs/errors.md"), "### "));
}

/// What httpd itself lists: the name of each directive of the module, with its help.
fn listed() -> Vec<(String, String)> {
    let (listed, text) = Site::new().start("").httpd(&["-L"]);
    assert!(listed, "{text}");
    let mut directives = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((name, _)) = line.split_once(" (mod_wasm") {
            directives.push((name.to_owned(), lines.next().unwrap_or_default().to_owned()));
        }
    }
    assert!(directives.len() > 10, "{text}");
    directives
}

#[test]
fn defaults_are_documented_as_they_are() {
    let page = read("docs/directives.md").replace('`', "");
    let snippet = read("mod_wasm/wasm.conf");
    let defaults: Vec<_> = listed()
        .into_iter()
        .filter_map(|(name, help)| {
            let (_, default) = help.split_once("(default ")?;
            Some((name, default.trim_end().trim_end_matches(')').to_owned()))
        })
        .collect();
    assert!(defaults.len() > 5, "{defaults:?}");
    for (name, default) in defaults {
        let section = page
            .split_once(&format!("\n## {name}\n"))
            .unwrap_or_else(|| panic!("{name} has no section"))
            .1;
        let said = section
            .lines()
            .find_map(|line| line.strip_prefix("| **Default** | "));
        let said = said.unwrap_or_else(|| panic!("{name} has no default"));
        assert!(
            [format!("{name} {default} |"), format!("{default} |")]
                .iter()
                .any(|right| said == right),
            "{name}: httpd says {default}, the page {said}"
        );
        let commented = snippet
            .lines()
            .find_map(|line| line.trim().strip_prefix(&format!("#{name} ")));
        if let Some(value) = commented
            && !default.contains(' ')
        {
            assert_eq!(value.trim(), default, "{name} in mod_wasm/wasm.conf");
        }
    }
}

#[test]
fn every_directive_is_documented_and_every_documented_directive_exists() {
    let directives: BTreeSet<String> = listed().into_iter().map(|(name, _)| name).collect();
    assert_eq!(directives, headings(&read("docs/directives.md"), "## "));
}

/// Markdown files of the project, those of other people left out.
fn pages() -> Vec<PathBuf> {
    let mut git = Command::new(program("git", "git"));
    git.current_dir(root()).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "*.md",
    ]);
    printed(&mut git)
        .lines()
        .map(|line| root().join(line))
        .filter(|path| path.exists())
        .collect()
}

/// The targets of `[text](target)`.
fn links(page: &str) -> Vec<&str> {
    page.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect()
}

/// The anchor that a heading gets when it is shown.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    kept.collect::<String>().replace(' ', "-")
}

fn anchors(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    let pages = pages();
    assert!(pages.len() > 5, "{pages:?}");
    for path in pages {
        let page = fs::read_to_string(&path).expect("a page is readable");
        for link in links(&page)
            .into_iter()
            .filter(|link| !link.contains("://") && !link.starts_with("mailto:"))
        {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().expect("a page lies in a folder").join(file)
            };
            let known = target.exists()
                && (fragment.is_empty()
                    || fs::read_to_string(&target)
                        .is_ok_and(|page| anchors(&page).contains(fragment)));
            if !known {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "links that lead nowhere:\n{}",
        broken.join("\n")
    );
}

#[test]
fn the_landing_page_shows_the_configurations_of_the_demos() {
    printed(Command::new(root().join("scripts/landing")).arg("--check"));
}
