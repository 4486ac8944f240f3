//! The man pages: made from the command line's own description, committed, and compared here.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::Cli;
use crate::help::{ENVIRONMENT, EXAMPLES, EXIT_STATUS, FILES};

/// Set to any value, it makes the tests write the pages instead of comparing them.
const WRITE: &str = "WRITE_MAN_PAGES";

fn man(command: clap::Command, name: &str) -> Man {
    Man::new(command)
        .title(name.to_string())
        .section("1")
        .source("mod_wasm")
        // Otherwise each build on another day would differ.
        .date("")
}

fn main_page() -> String {
    let man = man(Cli::command(), "fetch-apps");
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    man.render_options_section(&mut page).unwrap();
    man.render_subcommands_section(&mut page).unwrap();
    let sections = [
        ("EXAMPLES", EXAMPLES),
        ("ENVIRONMENT", ENVIRONMENT),
        ("FILES", FILES),
        ("EXIT STATUS", EXIT_STATUS),
    ];
    for (title, entries) in sections {
        let mut roff = Roff::new();
        roff.control("SH", [title]);
        for (term, text) in entries {
            roff.control("TP", []);
            roff.text([bold(*term)]);
            roff.text([roman(*text)]);
        }
        roff.to_writer(&mut page).unwrap();
    }
    String::from_utf8(page).unwrap()
}

fn pin_page() -> String {
    let mut command = Cli::command();
    command.build();
    let pin = command.find_subcommand("pin").unwrap().clone();
    let man = man(pin, "fetch-apps-pin");
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    man.render_options_section(&mut page).unwrap();
    String::from_utf8(page).unwrap()
}

#[track_caller]
fn assert_committed(file: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "{file} is not what the command line says; write it anew: {WRITE}=1 cargo test --release -p fetch_apps man::"
    );
}

#[test]
fn the_man_page_says_what_the_command_line_says() {
    let page = main_page();
    for option in Cli::command()
        .get_arguments()
        .filter_map(clap::Arg::get_long)
    {
        let escaped = option.replace('-', "\\-");
        assert!(page.contains(&format!("\\-\\-{escaped}")), "--{option}");
    }
    assert_committed("fetch-apps.1", &page);
}

#[test]
fn the_man_page_of_pin_says_what_the_command_line_says() {
    assert_committed("fetch-apps-pin.1", &pin_page());
}
