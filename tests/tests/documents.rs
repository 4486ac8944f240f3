//! The documentation and what it describes: neither may know what the other does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mod_wasm_tests::{Document, Site, module, printed, project_files, root};

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

/// The default of each directive that has one.
fn defaults() -> Vec<(String, String)> {
    let defaults: Vec<_> = listed()
        .into_iter()
        .filter_map(|(name, help)| {
            let (_, default) = help.split_once("(default ")?;
            Some((name, default.trim_end().trim_end_matches(')').to_owned()))
        })
        .collect();
    assert!(defaults.len() > 5, "{defaults:?}");
    defaults
}

/// `wasm-run` has defaults of its own where directives say the same.
#[test]
fn wasm_run_has_the_defaults_of_the_server() {
    let help = printed(Command::new(module("wasm-run")).arg("--help"));
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = |option: &str| {
        let (_, rest) = words.split_once(&format!("{option} <")).expect(option);
        let (own, _) = rest.split_once(" --").unwrap_or((rest, ""));
        own.to_owned()
    };
    let defaults = defaults();
    for (option, directive) in [
        ("--memory", "WasmMemoryLimit"),
        ("--file-limit", "WasmFileLimit"),
        ("--entry-point", "WasmEntryPoint"),
        ("--cache-dir", "WasmCacheDir"),
    ] {
        let known = defaults.iter().find(|(name, _)| name == directive);
        let (_, default) = known.unwrap_or_else(|| panic!("{directive} has no default"));
        let own = said(option);
        assert!(own.ends_with(&format!("({default})")), "{option}: {own}");
    }
    let tmp_dir = listed().into_iter().find(|(name, _)| name == "WasmTmpDir");
    let (_, server) = tmp_dir.expect("WasmTmpDir is there");
    let own = said("--tmp-dir");
    let (_, size) = own.rsplit_once('(').expect("a size");
    assert!(server.contains(&format!("({size}")), "{own}: {server}");
}

#[test]
fn defaults_are_documented_as_they_are() {
    let page = read("docs/directives.md").replace('`', "");
    let snippet = read("mod_wasm/wasm.conf");
    for (name, default) in defaults() {
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

/// Markdown files of the project.
fn pages() -> Vec<PathBuf> {
    let files = project_files(root());
    let pages = files.iter().filter(|file| file.ends_with(".md"));
    pages.map(|page| root().join(page)).collect()
}

/// What stands between backticks.
fn names(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Whether a table's name stands for this file: a folder for all that is in it (and for the Rust module of its name), a C source
/// for its header too.
fn stands_for(name: &str, file: &str) -> bool {
    if let Some(folder) = name.strip_suffix('/') {
        return file.starts_with(name) || file.strip_suffix(".rs") == Some(folder);
    }
    name == file || name.ends_with(".c") && file.strip_suffix('h') == name.strip_suffix('c')
}

/// What a table has that is not there, and what is there that it has not.
fn differences(listed: &[&str], there: &BTreeSet<String>) -> Vec<String> {
    let lost = listed
        .iter()
        .filter(|name| !there.iter().any(|file| stands_for(name, file)))
        .map(|name| format!("{name} is listed and not there"));
    let unlisted = there
        .iter()
        .filter(|file| !listed.iter().any(|name| stands_for(name, file)))
        .map(|file| format!("{file} is not listed"));
    lost.chain(unlisted).collect()
}

#[test]
fn tables_of_files_list_what_is_in_their_folder() {
    let (mut tables, mut wrong) = (0, Vec::new());
    for page in pages() {
        let document = Document::read(page.strip_prefix(root()).expect("pages are the project's"));
        let Some(rows) = document.table("file") else {
            continue;
        };
        tables += 1;
        let folder = page.parent().expect("a page lies in a folder");
        let mut there = project_files(folder);
        there.retain(|file| folder.join(file) != page);
        let listed: Vec<&str> = rows.iter().flat_map(|row| names(row[0])).collect();
        let found = differences(&listed, &there).into_iter();
        wrong.extend(found.map(|one| format!("{}: {one}", page.display())));
    }
    assert!(tables >= 3, "only {tables} pages have a table of files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_lists_the_folders_of_the_project() {
    let map = Document::read("docs/architecture.md");
    let rows = map.table("folder").expect("it has a table of folders");
    let listed: Vec<&str> = rows.iter().flat_map(|row| names(row[0])).collect();
    let folders = project_files(root())
        .iter()
        .filter_map(|file| file.split_once('/'))
        .map(|(folder, _)| format!("{folder}/"))
        .collect();
    let wrong = differences(&listed, &folders);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a word is meant as a path in the project: it begins with one of its folders, and has nothing to be filled in.
fn is_path(word: &str, folders: &BTreeSet<&str>) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let plain = |letter: char| plain(letter) || "._-/".contains(letter);
    let first = word.split('/').next().unwrap_or(word);
    word.contains('/') && word.chars().all(plain) && folders.contains(first)
}

#[test]
fn paths_that_pages_name_are_there() {
    let files = project_files(root());
    let folders = files.iter().filter_map(|file| file.split_once('/'));
    let folders: BTreeSet<&str> = folders.map(|(folder, _)| folder).collect();
    let (mut named, mut lost) = (0, Vec::new());
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page is readable");
        let near = page.parent().expect("a page lies in a folder");
        let words = text.lines().flat_map(names);
        for path in words.filter(|word| is_path(word, &folders)) {
            named += 1;
            // What is fetched is not part of the project, nor are the files of the tutorial's reader.
            let others =
                path.starts_with("apps/fetched") || text.contains(&format!("file={path}\n"));
            if !others && !root().join(path).exists() && !near.join(path).exists() {
                lost.push(format!("{}: {path}", page.display()));
            }
        }
    }
    assert!(named > 40, "only {named} paths were found");
    assert!(
        lost.is_empty(),
        "paths that are not there:\n{}",
        lost.join("\n")
    );
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
